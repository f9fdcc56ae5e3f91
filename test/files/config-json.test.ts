import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LlamaError, type LlamaErrorCode } from '../../src/base/errors.js';
import { parseConfig, readConfig } from '../../src/files/config-json/config-json.js';
import { checkConfig, kvCacheBytes } from '../../src/model/config.js';
import { ropeFrequencies, ropeTable } from '../../src/ops/rope.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';

/** config.json of Llama-2-7B-32K-Instruct, as transformers 4.31 wrote it. */
const PUBLISHED = {
  architectures: ['LlamaForCausalLM'],
  auto_map: { AutoModelForCausalLM: 'modeling_flash_llama.LlamaForCausalLM' },
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 0,
  hidden_act: 'silu',
  hidden_size: 4096,
  initializer_range: 0.02,
  intermediate_size: 11008,
  max_position_embeddings: 32768,
  model_type: 'llama',
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 32,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_scaling: { factor: 8.0, type: 'linear' },
  tie_word_embeddings: false,
  torch_dtype: 'float16',
  transformers_version: '4.31.0',
  use_cache: true,
  vocab_size: 32000,
};

const parsed = parseConfig(PUBLISHED);

/** PUBLISHED with some keys changed; undefined removes one. */
function withChanges(changes: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ ...PUBLISHED, ...changes }).filter(([, value]) => value !== undefined),
  );
}

function expectRefused(json: unknown, code: LlamaErrorCode, ...words: string[]) {
  let message: string | undefined;
  try {
    parseConfig(json);
  } catch (error) {
    expect(error).toMatchObject({ name: 'LlamaError', code });
    message = (error as Error).message;
  }
  expect(message, 'nothing was thrown').toBeDefined();
  for (const word of words) expect(message).toContain(word);
}

describe('the published config', () => {
  it('is read', () => {
    expect(parsed).toEqual({
      vocabSize: 32000,
      hiddenSize: 4096,
      intermediateSize: 11008,
      numHiddenLayers: 32,
      numAttentionHeads: 32,
      numKeyValueHeads: 32,
      headDim: 128,
      rmsNormEps: 1e-5,
      ropeTheta: 10000,
      ropeScaling: { type: 'linear', factor: 8 },
      maxPositionEmbeddings: 32768,
      tieWordEmbeddings: false,
      bosTokenId: 1,
      eosTokenIds: [2],
    });
  });

  it('needs 16 GiB for keys and values of 32,768 positions in f16, 2^32 numbers each', () => {
    expect(kvCacheBytes(parsed, 32768, 2)).toBe(16 * 2 ** 30);
    expect(kvCacheBytes(parsed, 32768, 1)).toBe(2 * 2 ** 32);
    expect(kvCacheBytes(parsed, 1, 2)).toBe(524288);
    expect(kvCacheBytes(parseConfig(withChanges({ num_key_value_heads: 8 })), 3, 4)).toBe(
      2 * 32 * 3 * 8 * 128 * 4,
    );
  });
});

describe('defaults are those of transformers', () => {
  const required = {
    model_type: 'llama',
    vocab_size: 100,
    hidden_size: 64,
    intermediate_size: 172,
    num_hidden_layers: 5,
    num_attention_heads: 8,
  };

  it('fills in what may be missing', () => {
    expect(parseConfig(required)).toEqual({
      vocabSize: 100,
      hiddenSize: 64,
      intermediateSize: 172,
      numHiddenLayers: 5,
      numAttentionHeads: 8,
      numKeyValueHeads: 8,
      headDim: 8,
      rmsNormEps: 1e-6,
      ropeTheta: 10000,
      ropeScaling: undefined,
      maxPositionEmbeddings: 2048,
      tieWordEmbeddings: false,
      bosTokenId: 1,
      eosTokenIds: [2],
    });
  });

  it.each([
    'num_key_value_heads',
    'head_dim',
    'rope_theta',
    'rope_scaling',
    'rope_parameters',
    'max_position_embeddings',
    'tie_word_embeddings',
  ])('takes null for %s as absent', key => {
    expect(parseConfig({ ...required, [key]: null })).toEqual(parseConfig(required));
  });

  it.each([
    'model_type',
    'vocab_size',
    'hidden_size',
    'intermediate_size',
    'num_hidden_layers',
    'num_attention_heads',
  ])('does not guess %s', key => {
    expectRefused(withChanges({ [key]: undefined }), 'BAD_CONFIG', key);
    expectRefused(
      withChanges({ [key]: null }),
      key === 'model_type' ? 'UNSUPPORTED' : 'BAD_CONFIG',
      key,
      'null',
    );
  });
});

describe('rotary embedding', () => {
  const none = { rope_scaling: undefined };
  it.each([
    ['old style', { rope_scaling: { type: 'linear', factor: 4 } }, 10000, 4],
    ['renamed', { rope_scaling: { rope_type: 'linear', factor: 2.5 } }, 10000, 2.5],
    ['both names', { rope_scaling: { rope_type: 'linear', type: 'linear', factor: 8 } }, 10000, 8],
    ['none', { rope_scaling: null }, 10000, 1],
    ['empty', { rope_scaling: {} }, 10000, 1],
    ['default', { rope_scaling: { rope_type: 'default' } }, 10000, 1],
    ['theta', { ...none, rope_theta: 500000.0 }, 500000, 1],
    [
      'transformers 5',
      { ...none, rope_parameters: { rope_type: 'linear', factor: 8.0, rope_theta: 1e6 } },
      1e6,
      8,
    ],
    [
      'transformers 5, no scaling',
      { ...none, rope_parameters: { rope_type: 'default', rope_theta: 1e4 } },
      1e4,
      1,
    ],
    ['transformers 5, theta alone', { ...none, rope_parameters: { rope_theta: 5e5 } }, 5e5, 1],
    [
      'old and new agree',
      { rope_parameters: { rope_type: 'linear', factor: 8 }, rope_theta: 1e4 },
      1e4,
      8,
    ],
    ['condense ratio agrees', { rope_condense_ratio: 8 }, 1e4, 8],
    ['factor below 1', { rope_scaling: { type: 'linear', factor: 0.125 } }, 1e4, 0.125],
    ['an integer factor', { rope_scaling: { rope_type: 'linear', factor: 8 } }, 1e4, 8],
    ['nulls', { rope_scaling: { rope_type: 'default', factor: null, rope_theta: null } }, 1e4, 1],
    [
      'partial_rotary_factor 1',
      { rope_scaling: { type: 'linear', factor: 8, partial_rotary_factor: 1 } },
      1e4,
      8,
    ],
  ])('%s', (_, changes, ropeTheta, factor) => {
    const ropeScaling = factor === 1 ? undefined : { type: 'linear', factor };
    expect(parseConfig(withChanges(changes))).toMatchObject({ ropeTheta, ropeScaling });
  });

  const LLAMA3 = {
    ...{ rope_type: 'llama3', factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0 },
    original_max_position_embeddings: 8192,
  };
  it.each([
    ['of transformers 4', { rope_scaling: LLAMA3, rope_theta: 5e5 }],
    ['of transformers 5', { ...none, rope_parameters: { ...LLAMA3, rope_theta: 5e5 } }],
    [
      'twice',
      { rope_scaling: LLAMA3, rope_parameters: { ...LLAMA3, rope_theta: 5e5 }, rope_theta: 5e5 },
    ],
    [
      'by its older name of the type',
      { rope_scaling: { ...LLAMA3, rope_type: undefined, type: 'llama3' }, rope_theta: 5e5 },
    ],
    [
      'with the original positions beside it, too',
      { rope_scaling: LLAMA3, rope_theta: 5e5, original_max_position_embeddings: 8192 },
    ],
  ])('llama3: %s', (_, changes) => {
    const { config, notes } = readConfig(withChanges({ ...changes }));
    expect(config.ropeTheta).toBe(5e5);
    expect(config.ropeScaling).toEqual({
      ...{ type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4 },
      originalMaxPositionEmbeddings: 8192,
    });
    expect(notes.join()).not.toMatch(/rope|original/);
  });

  it.each<[string, object, string[]]>([
    ['no low_freq_factor', { low_freq_factor: undefined }, ['low_freq_factor', 'undefined']],
    ['a high_freq_factor of 0', { high_freq_factor: 0 }, ['high_freq_factor', '0']],
    [
      'no original positions',
      { original_max_position_embeddings: undefined },
      ['original_max_position_embeddings'],
    ],
    ['half a position', { original_max_position_embeddings: 0.5 }, ['0.5', 'integer']],
    ['the factors swapped', { low_freq_factor: 4, high_freq_factor: 1 }, ['is 4', 'factor 1']],
    ['the factors equal', { low_freq_factor: 4 }, ['low_freq_factor is 4', 'high_freq_factor 4']],
    ['a factor of 0', { factor: 0 }, ['factor is 0']],
  ])('refuses llama3 with %s', (_, changes, words) => {
    const scaling = { rope_scaling: { ...LLAMA3, ...changes } };
    expectRefused(withChanges(scaling), 'BAD_CONFIG', ...words);
  });

  it('refuses two original positions: transformers 4 and 5 take another each', () => {
    const changes = { rope_scaling: LLAMA3, original_max_position_embeddings: 4096 };
    expectRefused(withChanges(changes), 'BAD_CONFIG', '8192', '4096');
  });

  it('refuses two scalings', () => {
    const parameters = { ...LLAMA3, factor: 32 };
    const changes = { rope_scaling: LLAMA3, rope_parameters: parameters };
    expectRefused(withChanges(changes), 'BAD_CONFIG', 'rope_scaling', '"factor":8', '"factor":32');
  });

  it.each(['dynamic', 'yarn', 'longrope', 'su', 'ntk', 'toString', 7, null])(
    'refuses the type %j by name',
    type => {
      expectRefused(
        withChanges({ rope_scaling: { type, factor: 8 } }),
        'UNSUPPORTED',
        'rope_scaling',
        JSON.stringify(type),
      );
      expectRefused(
        withChanges({
          rope_scaling: undefined,
          rope_parameters: { rope_type: type, factor: 8, beta_fast: 32 },
        }),
        'UNSUPPORTED',
        'rope_parameters',
        JSON.stringify(type),
      );
    },
  );

  it.each<[string, object, LlamaErrorCode, string[]]>([
    [
      'type against rope_type',
      { rope_scaling: { type: 'linear', rope_type: 'yarn', factor: 8 } },
      'BAD_CONFIG',
      ['yarn', 'linear'],
    ],
    [
      'factor against factor',
      { rope_parameters: { rope_type: 'linear', factor: 4 } },
      'BAD_CONFIG',
      ['8', '4'],
    ],
    [
      'linear against default',
      { rope_parameters: { rope_type: 'default' } },
      'BAD_CONFIG',
      ['8', '1'],
    ],
    [
      'theta against theta',
      { rope_theta: 5e5, rope_parameters: { rope_type: 'linear', factor: 8, rope_theta: 1e4 } },
      'BAD_CONFIG',
      ['500000', '10000'],
    ],
    ['condense ratio against factor', { rope_condense_ratio: 4 }, 'BAD_CONFIG', ['4', '8']],
    [
      'condense ratio alone',
      { rope_scaling: null, rope_condense_ratio: 8 },
      'BAD_CONFIG',
      ['rope_condense_ratio', '8', '1'],
    ],
    ['no factor', { rope_scaling: { type: 'linear' } }, 'BAD_CONFIG', ['factor']],
    ['factor without type', { rope_scaling: { factor: 8 } }, 'BAD_CONFIG', ['factor', '8']],
    ['factor as text', { rope_scaling: { type: 'linear', factor: '8' } }, 'BAD_CONFIG', ['"8"']],
    ['factor 0', { rope_scaling: { type: 'linear', factor: 0 } }, 'BAD_CONFIG', ['0']],
    ['factor NaN', { rope_scaling: { type: 'linear', factor: NaN } }, 'BAD_CONFIG', ['factor']],
    [
      'partial rotation',
      { rope_scaling: { type: 'linear', factor: 8, partial_rotary_factor: 0.5 } },
      'UNSUPPORTED',
      ['0.5'],
    ],
    ['array', { rope_scaling: [8] }, 'BAD_CONFIG', ['[8]']],
    ['text', { rope_scaling: 'linear' }, 'BAD_CONFIG', ['"linear"']],
    ['theta 0', { rope_theta: 0 }, 'BAD_CONFIG', ['rope_theta', '0']],
    ['theta negative', { rope_theta: -1e4 }, 'BAD_CONFIG', ['rope_theta', '-10000']],
    ['theta infinite', { rope_theta: Infinity }, 'BAD_CONFIG', ['rope_theta']],
  ])('refuses: %s', (_, changes, code, words) => {
    expectRefused(withChanges(changes), code, ...words);
  });
});

describe('values with which no position could be rotated, or no row normalised', () => {
  it.each<[string, object, string[]]>([
    ['theta below 1', { rope_theta: 1e-30 }, ['rope_theta', '1e-30', '1 or more']],
    ['theta just below 1', { rope_theta: 0.999 }, ['0.999']],
    [
      'an absurd factor',
      { rope_scaling: { type: 'linear', factor: 1e7 } },
      ['10000000', 'from 0.000001 to 1000000'],
    ],
    [
      'angles beyond the limit',
      { rope_scaling: null, max_position_embeddings: 1_600_002 },
      [
        '1600002 positions',
        '1600001 radians',
        'limit is 1600000',
        'max_position_embeddings',
        'larger factor',
      ],
    ],
    [
      'angles beyond it with a factor',
      { max_position_embeddings: 2 ** 31 },
      ['2147483648', 'factor 8'],
    ],
    ['theta beyond float32', { rope_theta: 1e300 }, ['rope_theta', '1e+300', '2^128']],
    [
      'eps that float32 rounds to 0',
      { rms_norm_eps: 1e-300 },
      ['rms_norm_eps', '1e-300', '2^-126'],
    ],
    ['eps above 1', { rms_norm_eps: 1.5 }, ['rms_norm_eps', '1.5', 'at most 1']],
    ['eps 1e300', { rms_norm_eps: 1e300 }, ['1e+300']],
  ])('refuses: %s', (_, changes, words) => {
    expectRefused(withChanges(changes), 'BAD_CONFIG', ...words);
  });

  it.each([
    { rope_theta: 1 },
    { rope_theta: 3.4e38 },
    { rms_norm_eps: 1.2e-38 },
    { rope_scaling: null, max_position_embeddings: 1_600_001 },
    { rope_scaling: { type: 'linear', factor: 3 }, max_position_embeddings: 4_800_001 },
    { rope_scaling: { type: 'linear', factor: 1e6 } },
    { rms_norm_eps: 1 },
  ])('takes %j, and the last position can be rotated', changes => {
    const { headDim, ropeTheta, ropeScaling, maxPositionEmbeddings } = parseConfig(
      withChanges(changes),
    );
    const table = () => ({ shape: [1, headDim / 2], data: new Float64Array(headDim / 2) });
    const [cosines, sines] = [table(), table()];
    const frequencies = ropeFrequencies(headDim, ropeTheta, ropeScaling);
    ropeTable(cosines, sines, [maxPositionEmbeddings - 1], frequencies, ROUNDINGS.f64);
    expect([...cosines.data, ...sines.data].every(Number.isFinite)).toBe(true);
  });

  it.each([0, -1, NaN, Infinity, 1e-7])('refuses the factor %s whoever made the config', factor => {
    expect(() => checkConfig({ ...parsed, ropeScaling: { type: 'linear', factor } })).toThrow(
      'factor of position interpolation',
    );
  });

  it('takes the inverted factor, a mistake that the demo shows', () => {
    checkConfig({ ...parsed, ropeScaling: { type: 'linear', factor: 1 / 8 } });
  });
});

describe('what would change the result is refused by name', () => {
  it.each([
    ['model_type', 'mistral'],
    ['hidden_act', 'gelu'],
    ['hidden_activation', 'gelu_pytorch_tanh'],
    ['attention_bias', true],
    ['mlp_bias', true],
    ['sliding_window', 4096],
    ['partial_rotary_factor', 0.5],
    ['quantization_config', { quant_method: 'gptq', bits: 4 }],
    ['attention_multiplier', 0.0078125],
    ['embedding_multiplier', 12],
    ['residual_multiplier', 0.22],
    ['logits_scaling', 8],
    ['attn_logit_softcapping', 50],
    ['final_logit_softcapping', 30],
    ['num_local_experts', 8],
    ['layer_types', ['full_attention', 'sliding_attention']],
    ['partial_rotary_factor', '1'],
    ['is_causal', false],
    ['attention_chunk_size', 8192],
  ])('%s %j', (key, value) => {
    expectRefused(withChanges({ [key]: value }), 'UNSUPPORTED', key, JSON.stringify(value));
  });
});

/** Which keys transformers' Llama reads is told in `src/files/config-json/keys.ts`. */
describe('what transformers passes over is passed over, and named in a note', () => {
  it.each<[string, object, string[]]>([
    ['an unknown key', { new_knob: 3, toString: 1 }, ['"new_knob": 3', '"toString": 1']],
    ['__proto__', JSON.parse('{"__proto__":{"vocab_size":1}}'), ['"__proto__": {"vocab_size":1}']],
    [
      'further keys beside linear scaling',
      {
        rope_scaling: {
          type: 'linear',
          factor: 8,
          original_max_position_embeddings: 4096,
          beta: 1,
        },
      },
      ['rope_scaling', 'original_max_position_embeddings, beta'],
    ],
    [
      'the architecture of another head',
      { architectures: ['LlamaForSequenceClassification'] },
      ['["LlamaForSequenceClassification"]', 'LlamaForCausalLM'],
    ],
  ])('%s', (_, changes, words) => {
    const { config, notes } = readConfig(Object.assign(Object.create(null), PUBLISHED, changes));
    expect(config).toEqual(parsed);
    expect(notes).toHaveLength(1);
    for (const word of words) expect(notes[0]).toContain(word);
  });

  it('a factor beside the type "default", and another head', () => {
    const rope_scaling = { rope_type: 'default', factor: 8 };
    const { config, notes } = readConfig(withChanges({ rope_scaling }));
    expect(config.ropeScaling).toBeUndefined();
    expect(notes.join()).toContain('factor 8 is not used');
  });

  it('nothing of what is usual', () => {
    expect(readConfig(PUBLISHED).notes).toEqual([]);
    expect(readConfig(withChanges({ layer_types: ['full_attention'] })).notes).toEqual([]);
  });
});

it('accepts what does not change the result', () => {
  const harmless = {
    architectures: ['LLaMAForCausalLM'],
    attention_bias: false,
    mlp_bias: null,
    partial_rotary_factor: 1.0,
    sliding_window: null,
    quantization_config: null,
    logits_scaling: 1.0,
    pretraining_tp: 2,
    attention_dropout: 0.1,
    dtype: 'bfloat16',
    _name_or_path: 'somewhere',
    max_length: 20,
    temperature: 0.7,
    pruned_heads: {},
  };
  expect(parseConfig(withChanges(harmless))).toEqual(parsed);
});

describe('sizes', () => {
  const keys = [
    'vocab_size',
    'hidden_size',
    'intermediate_size',
    'num_hidden_layers',
    'num_attention_heads',
  ];
  const optional = ['num_key_value_heads', 'head_dim', 'max_position_embeddings'];
  const bad = [0, -1, 1.5, NaN, Infinity, '32', true, [32], {}, 2 ** 31 + 1, 1e300];
  it.each([...keys, ...optional].flatMap(key => bad.map(value => [key, value])))(
    'refuses %s = %s',
    (key, value) => {
      expectRefused(withChanges({ [key as string]: value }), 'BAD_CONFIG', key as string);
    },
  );

  it.each<[string, object, string[]]>([
    ['hidden size not divisible by heads', { hidden_size: 4097 }, ['4097', '32', 'head_dim']],
    ['heads no multiple of kv heads', { num_key_value_heads: 5 }, ['32', '5']],
    ['more kv heads than heads', { num_key_value_heads: 64 }, ['32', '64']],
    ['odd head_dim', { head_dim: 127 }, ['127', 'odd']],
    ['layers without end', { num_hidden_layers: 2 ** 31 }, ['2147483648', '65536']],
    ['eps 0', { rms_norm_eps: 0 }, ['rms_norm_eps', '0']],
    ['eps as text', { rms_norm_eps: '1e-5' }, ['"1e-5"']],
    ['eps null', { rms_norm_eps: null }, ['null']],
    ['tie as text', { tie_word_embeddings: 'false' }, ['"false"']],
  ])('refuses: %s', (_, changes, words) => {
    expectRefused(withChanges(changes), 'BAD_CONFIG', ...words);
  });

  it('takes head_dim as it is when given', () => {
    expect(parseConfig(withChanges({ hidden_size: 4100, head_dim: 64 }))).toMatchObject({
      hiddenSize: 4100,
      headDim: 64,
    });
  });
});

describe('token ids', () => {
  it.each([
    [2, [2]],
    [
      [2, 1],
      [2, 1],
    ],
    [
      [2, 2, 7],
      [2, 7],
    ],
    [0, [0]],
  ])('eos %j', (eos_token_id, eosTokenIds) => {
    expect(parseConfig(withChanges({ eos_token_id })).eosTokenIds).toEqual(eosTokenIds);
  });

  it.each([[1.5], ['2'], [[2, null]], [[[2]]], [true]])('refuses eos %j', eos_token_id => {
    expectRefused(withChanges({ eos_token_id }), 'BAD_CONFIG', 'eos_token_id');
  });

  it.each([1.5, '1', {}])('refuses bos %j', bos_token_id => {
    expectRefused(withChanges({ bos_token_id }), 'BAD_CONFIG', 'bos_token_id');
  });

  // as generate() of transformers 4.57 and 5.24 ends: at none of these
  it.each([[null], [-1], [32000], [[]], [[-1, 32000]]])('eos %j ends no text', eos_token_id => {
    const { config, notes } = readConfig(withChanges({ eos_token_id }));
    expect(config.eosTokenIds).toEqual([]);
    const isOutside = JSON.stringify(eos_token_id).match(/\d/) !== null;
    expect(notes).toEqual(isOutside ? [expect.stringContaining('eos_token_id')] : []);
  });

  it.each([
    [null, undefined],
    [-1, undefined],
    [32000, undefined],
    [[1], 1],
    [[], undefined],
  ])('bos %j is %j', (bos_token_id, expected) => {
    expect(parseConfig(withChanges({ bos_token_id })).bosTokenId).toBe(expected);
  });
});

it.each([null, undefined, 3, 'text', [], [PUBLISHED], true])('refuses %j as a whole', json => {
  expectRefused(json, 'BAD_CONFIG', 'not an object');
});

it('checkConfig judges configs of other origin too', () => {
  expect(() => checkConfig({ ...parsed, headDim: 7 })).toThrow('7');
});

it('NaN, which JSON does not have, is not null', () => {
  expectRefused(withChanges({ sliding_window: NaN }), 'UNSUPPORTED', 'sliding_window', 'NaN');
});

describe('whatever it is given: a config, or a LlamaError that says what is wrong', () => {
  const expectConfigOrRefusal = (json: unknown) => {
    try {
      checkConfig(parseConfig(json));
    } catch (error) {
      expect(error).toBeInstanceOf(LlamaError);
      expect(['BAD_CONFIG', 'UNSUPPORTED']).toContain((error as LlamaError).code);
    }
  };
  const odd = fc.constantFrom(
    NaN,
    Infinity,
    -0,
    1e-300,
    1e300,
    2 ** 31,
    2 ** 53,
    1,
    0,
    5n,
    '',
    null,
    undefined,
    [],
    {},
  );
  const number = fc.oneof(fc.double(), fc.integer(), fc.nat({ max: 100 }));
  const value: fc.Arbitrary<unknown> = fc.oneof(
    odd,
    number,
    fc.array(number),
    fc.anything({ maxDepth: 4, withNullPrototype: true, withDate: true, withTypedArray: true }),
  );
  const keys = [
    ...Object.keys(PUBLISHED),
    'head_dim',
    'rope_theta',
    'rope_parameters',
    'rope_condense_ratio',
    'sliding_window',
    'attention_bias',
    '__proto__',
  ];
  const rope = fc.record(
    {
      type: fc.oneof(fc.constantFrom('linear', 'default'), value),
      rope_type: fc.oneof(fc.constantFrom('linear', 'default'), value),
      factor: fc.oneof(number, value),
      rope_theta: fc.oneof(number, value),
      partial_rotary_factor: fc.oneof(fc.constant(1), value),
    },
    { requiredKeys: [] },
  );

  it('anything', () => {
    fc.assert(fc.property(value, expectConfigOrRefusal), { numRuns: 2000 });
  });

  it('the published config with some values changed', () => {
    const changes = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 });
    fc.assert(
      fc.property(changes, changed => expectConfigOrRefusal({ ...PUBLISHED, ...changed })),
      { numRuns: 5000 },
    );
  });

  it('the published config with other rotary embeddings', () => {
    const changes = fc.record(
      {
        rope_scaling: rope,
        rope_parameters: rope,
        rope_theta: value,
        max_position_embeddings: value,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(changes, changed => expectConfigOrRefusal({ ...PUBLISHED, ...changed })),
      { numRuns: 5000 },
    );
  });

  it('deep objects', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 1000; depth++) deep = depth % 2 ? [deep] : { deep };
    for (const key of keys) expectConfigOrRefusal({ ...PUBLISHED, [key]: deep });
  });
});
