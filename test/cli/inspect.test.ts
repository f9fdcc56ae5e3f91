import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../support/golden.js';
import { cli, json } from './support.js';

describe('inspect', () => {
  it.each(['gqa', 'mha', 'tied', 'long'])(
    '--json of golden/%s has what config.json and the tensors say',
    async name => {
      const path = goldenPath(name);
      const raw = JSON.parse(await readFile(join(path, 'config.json'), 'utf8'));
      const { model, config, tensors, totals } = await json(['inspect', '--model', path]);
      expect(model).toBe(path);
      for (const key of ['vocab_size', 'hidden_size', 'num_hidden_layers', 'max_position_embeddings']) {
        expect(config[key], key).toBe(raw[key]);
      }
      expect(config.rope_factor).toBe((raw.rope_scaling ?? raw.rope_parameters)?.factor ?? 1);
      const embedding = tensors.find((tensor: { name: string }) => tensor.name === 'model.embed_tokens.weight');
      expect(embedding.shape).toEqual([raw.vocab_size, raw.hidden_size]);
      const bytesEach = { F32: 4, BF16: 2 }[embedding.dtype as 'F32' | 'BF16'];
      expect(embedding.bytes).toBe(raw.vocab_size * raw.hidden_size * bytesEach);
      expect(totals).toEqual({
        tensors: tensors.length,
        parameters: totals.bytes / bytesEach,
        bytes: tensors.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0),
        dtypes: { [embedding.dtype]: totals.parameters },
      });
    },
  );

  it('without --json is a table', async () => {
    const { code, stdout } = await cli(['inspect', '--model', goldenPath('gqa')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^rope_factor {14}8$/m);
    expect(stdout).toMatch(/^model\.layers\.2\.mlp\.down_proj\.weight +F32 {4}\[132, 345\] +182,160$/m);
    expect(stdout).toMatch(/^30 tensors, .* bytes, .* parameters: .* F32$/m);
  });
});
