import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import { describeLimit, raiseLimit } from '../../src/model/context.js';

const config = parseConfig({
  ...{ model_type: 'llama', vocab_size: 10, hidden_size: 8, intermediate_size: 8 },
  ...{ num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 64 },
  rope_scaling: { type: 'linear', factor: 8 },
});

describe('the limit on positions', () => {
  it('is raised, and never lowered', () => {
    expect(raiseLimit(config, 512)).toMatchObject({ maxPositionEmbeddings: 512 });
    expect(raiseLimit(config, 64)).toBe(config);
    expect(raiseLimit(config, 5)).toBe(config);
  });

  it('cannot be raised beyond what can be rotated', () => {
    expect(() => raiseLimit(config, 2 ** 31)).toThrow('2147483648 positions');
  });

  it('is named with the factor, their product and the way out', () => {
    const text = describeLimit(config);
    for (const word of ['64', 'max_position_embeddings', 'factor 8', '64 × 8 = 512'])
      expect(text).toContain(word);
    expect(text).toContain('--context 512');
    expect(describeLimit({ ...config, ropeScaling: undefined })).toContain('--context N');
    expect(describeLimit(raiseLimit(config, 512))).toMatch(/^the context is 512 positions/);
  });
});
