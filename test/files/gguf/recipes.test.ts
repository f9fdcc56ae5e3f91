import { describe, expect, it } from 'vitest';
import { dtypeInFile, type GgufFileType } from '../../../src/convert/gguf/recipes.js';
import { parseConfig } from '../../../src/files/config-json/config-json.js';
import { tensorBytes } from '../../../src/files/gguf/tensor-infos.js';
import type { LlamaConfig } from '../../../src/model/config.js';
import { weightsOf } from '../../../src/model/weights.js';

const SEVEN_B = parseConfig({
  ...{ model_type: 'llama', vocab_size: 32000, hidden_size: 4096, intermediate_size: 11008 },
  ...{ num_hidden_layers: 32, num_attention_heads: 32 },
});

function dtypesOf(fileType: GgufFileType, config: LlamaConfig): Map<string, string> {
  return new Map(
    weightsOf(config).map(weight => [weight.name, dtypeInFile(fileType, weight, config)]),
  );
}

const layersIn = (dtypes: Map<string, string>, part: string, dtype: string) =>
  Array.from({ length: 32 }, (_, i) => i).filter(
    i => dtypes.get(`model.layers.${i}.${part}.weight`) === dtype,
  );

describe('Llama-2-7B', () => {
  it('Q4_K_M: head, values and down projections of 16 layers are Q6_K, as theirs', () => {
    const dtypes = dtypesOf('Q4_K_M', SEVEN_B);
    const layers = [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31];
    expect(layersIn(dtypes, 'self_attn.v_proj', 'Q6_K')).toEqual(layers);
    expect(layersIn(dtypes, 'mlp.down_proj', 'Q6_K')).toEqual(layers);
    const counts = new Map<string, number>();
    for (const dtype of dtypes.values()) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({ F32: 65, Q6_K: 33, Q4_K: 193 });
    expect(dtypes.get('lm_head.weight')).toBe('Q6_K');
    expect(dtypes.get('model.embed_tokens.weight')).toBe('Q4_K');
  });

  it.each([
    ['Q4_K_M', 4_080_263_168],
    ['Q8_0', 7_160_348_672],
  ] as const)('%s takes the %i bytes of the published files', (fileType, bytes) => {
    const sizes = weightsOf(SEVEN_B).map(weight =>
      tensorBytes(dtypeInFile(fileType, weight, SEVEN_B), weight.shape, weight.name),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes);
  });

  it('Q4_0: the head is Q6_K; Q8_0: it is Q8_0', () => {
    expect(dtypesOf('Q4_0', SEVEN_B).get('lm_head.weight')).toBe('Q6_K');
    expect(dtypesOf('Q8_0', SEVEN_B).get('lm_head.weight')).toBe('Q8_0');
  });
});

describe('Llama-2-7B, pure', () => {
  it('Q4_K: all matrices, the head too, as llama-quantize --pure has them', () => {
    const dtypes = [...dtypesOf('Q4_K', SEVEN_B)];
    expect(
      new Set(dtypes.filter(([name]) => !/norm/.test(name)).map(([, dtype]) => dtype)),
    ).toEqual(new Set(['Q4_K']));
    expect(new Set(dtypes.filter(([name]) => /norm/.test(name)).map(([, dtype]) => dtype))).toEqual(
      new Set(['F32']),
    );
  });

  it('Q6_K: all matrices', () => {
    const counts = [...dtypesOf('Q6_K', SEVEN_B).values()].filter(dtype => dtype === 'Q6_K').length;
    expect(counts).toBe(226);
  });
});

describe('a tied model', () => {
  it('has the embedding in the format of a head', () => {
    const tied = { ...SEVEN_B, tieWordEmbeddings: true };
    expect(dtypesOf('Q4_K_M', tied).get('model.embed_tokens.weight')).toBe('Q6_K');
    expect(dtypesOf('F16', tied).get('model.embed_tokens.weight')).toBe('F16');
  });
});

describe('rows that 256 or 32 does not divide', () => {
  const config = {
    ...SEVEN_B,
    hiddenSize: 96,
    intermediateSize: 100,
    numAttentionHeads: 3,
    numKeyValueHeads: 3,
    headDim: 32,
  };
  it.each([
    ['Q4_K_M', { q: 'Q5_0', v: 'Q8_0', down: 'F16', head: 'Q8_0' }],
    ['Q4_K', { q: 'Q5_0', v: 'Q5_0', down: 'F16', head: 'Q5_0' }],
    ['Q6_K', { q: 'Q8_0', v: 'Q8_0', down: 'F16', head: 'Q8_0' }],
    ['Q4_0', { q: 'Q4_0', v: 'Q4_0', down: 'F16', head: 'Q8_0' }],
    ['Q8_0', { q: 'Q8_0', v: 'Q8_0', down: 'F16', head: 'Q8_0' }],
    ['BF16', { q: 'BF16', v: 'BF16', down: 'BF16', head: 'BF16' }],
  ] as const)('%s: get other formats', (fileType, expected) => {
    const dtypes = dtypesOf(fileType, config);
    const layer = (part: string) => dtypes.get(`model.layers.0.${part}.weight`);
    expect({
      q: layer('self_attn.q_proj'),
      v: layer('self_attn.v_proj'),
      down: layer('mlp.down_proj'),
      head: dtypes.get('lm_head.weight'),
    }).toEqual(expected);
  });
});
