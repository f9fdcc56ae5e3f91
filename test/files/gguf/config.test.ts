import { describe, expect, it } from 'vitest';
import { LlamaError, type LlamaErrorCode } from '../../../src/base/errors.js';
import { parseGgufConfig } from '../../../src/files/gguf/config.js';
import type { GgufValue } from '../../../src/files/gguf/values.js';
import type { LlamaConfig } from '../../../src/model/config.js';

const u32 = (value: number): GgufValue => ({ type: 'u32', value });
const f32 = (value: number): GgufValue => ({ type: 'f32', value: Math.fround(value) });
const text = (value: string): GgufValue => ({ type: 'string', value });
const tokens = (count: number): GgufValue => ({
  type: 'array',
  of: 'string',
  value: new Array(count).fill('x'),
});
const list = (...value: number[]): GgufValue => ({
  type: 'array',
  of: 'i32',
  value: Int32Array.from(value),
});

/** What converters wrote for Llama-2-7B-32K-Instruct in August 2023. */
const PUBLISHED: Readonly<Record<string, GgufValue>> = {
  'general.architecture': text('llama'),
  'general.name': text('LLaMA v2'),
  'general.file_type': u32(15),
  'general.quantization_version': u32(2),
  'general.source.hugginface.repository': text('togethercomputer/Llama-2-7B-32K-Instruct'),
  'llama.context_length': u32(32768),
  'llama.embedding_length': u32(4096),
  'llama.block_count': u32(32),
  'llama.feed_forward_length': u32(11008),
  'llama.rope.dimension_count': u32(128),
  'llama.attention.head_count': u32(32),
  'llama.attention.head_count_kv': u32(32),
  'llama.attention.layer_norm_rms_epsilon': f32(1e-5),
  'llama.rope.scale_linear': f32(8),
  'tokenizer.ggml.model': text('llama'),
  'tokenizer.ggml.tokens': tokens(32000),
  'tokenizer.ggml.bos_token_id': u32(1),
  'tokenizer.ggml.eos_token_id': u32(2),
};
const LINEAR_8 = { type: 'linear', factor: 8 } as const;
const SEVEN_B_32K: LlamaConfig = {
  ...{ vocabSize: 32000, hiddenSize: 4096, intermediateSize: 11008, numHiddenLayers: 32 },
  ...{ numAttentionHeads: 32, numKeyValueHeads: 32, headDim: 128, rmsNormEps: 1e-5 },
  ...{ ropeTheta: 10000, ropeScaling: LINEAR_8, maxPositionEmbeddings: 32768 },
  ...{ tieWordEmbeddings: false, bosTokenId: 1, eosTokenIds: [2] },
};

/** The published metadata with `changes`; undefined takes a key away. */
function parse(
  changes: Readonly<Record<string, GgufValue | undefined>> = {},
  isTied = false,
): LlamaConfig {
  const entries = Object.entries({ ...PUBLISHED, ...changes }).filter(
    ([, value]) => value !== undefined,
  );
  return parseGgufConfig(new Map(entries as [string, GgufValue][]), isTied);
}

function expectRefused(
  changes: Readonly<Record<string, GgufValue | undefined>>,
  code: LlamaErrorCode,
  words: string[],
) {
  let error: unknown;
  try {
    parse(changes);
  } catch (thrown) {
    error = thrown;
  }
  expect(error, 'nothing was thrown').toBeInstanceOf(LlamaError);
  expect(error).toMatchObject({ code });
  for (const word of words) expect((error as LlamaError).message).toContain(word);
}

const WITHOUT_OLD_KEY = { 'llama.rope.scale_linear': undefined };
const TYPE = 'llama.rope.scaling.type';
const FACTOR = 'llama.rope.scaling.factor';

it('reads the published model', () => {
  expect(parse()).toEqual(SEVEN_B_32K);
});

describe('reads', () => {
  it.each<[string, Record<string, GgufValue | undefined>, Partial<LlamaConfig>]>([
    [
      'the new spelling of the factor',
      { ...WITHOUT_OLD_KEY, [TYPE]: text('linear'), [FACTOR]: f32(8) },
      {},
    ],
    ['a factor without a type', { ...WITHOUT_OLD_KEY, [FACTOR]: f32(8) }, {}],
    ['both spellings, if they agree', { [TYPE]: text('linear'), [FACTOR]: f32(8) }, {}],
    ['no factor', WITHOUT_OLD_KEY, { ropeScaling: undefined }],
    ['no interpolation', { ...WITHOUT_OLD_KEY, [TYPE]: text('none') }, { ropeScaling: undefined }],
    [
      'no interpolation, and a factor of 1',
      { ...WITHOUT_OLD_KEY, [TYPE]: text('none'), [FACTOR]: f32(1) },
      { ropeScaling: undefined },
    ],
    [
      'a factor that no float32 is',
      { 'llama.rope.scale_linear': f32(3.7) },
      { ropeScaling: { type: 'linear', factor: 3.7 } },
    ],
    [
      'an epsilon of 1e-6',
      { 'llama.attention.layer_norm_rms_epsilon': f32(1e-6) },
      { rmsNormEps: 1e-6 },
    ],
    ['another base', { 'llama.rope.freq_base': f32(1e6) }, { ropeTheta: 1e6 }],
    ['fewer key/value heads', { 'llama.attention.head_count_kv': u32(8) }, { numKeyValueHeads: 8 }],
    ['as many, if nothing is said', { 'llama.attention.head_count_kv': undefined }, {}],
    [
      'key/value heads for each layer',
      { 'llama.attention.head_count_kv': list(...new Array(32).fill(8)) },
      { numKeyValueHeads: 8 },
    ],
    [
      'heads of another width',
      {
        'llama.attention.key_length': u32(64),
        'llama.attention.value_length': u32(64),
        'llama.rope.dimension_count': u32(64),
      },
      { headDim: 64 },
    ],
    ['sizes of 64 bits', { 'llama.block_count': { type: 'u64', value: 32n } }, {}],
    [
      'the size of a vocabulary that is not there',
      { 'tokenizer.ggml.tokens': undefined, 'llama.vocab_size': u32(32000) },
      {},
    ],
    ['the size of a vocabulary that is there', { 'llama.vocab_size': u32(32000) }, {}],
    [
      'several ids that end a text',
      {
        'tokenizer.ggml.eot_token_id': u32(7),
        'tokenizer.ggml.eom_token_id': u32(2),
      },
      { eosTokenIds: [2, 7] },
    ],
    [
      'default ids',
      { 'tokenizer.ggml.bos_token_id': undefined, 'tokenizer.ggml.eos_token_id': undefined },
      {},
    ],
    [
      'what changes nothing',
      {
        'llama.tensor_data_layout': text('Meta AI original pth'),
        'llama.expert_count': u32(0),
        'llama.rope.scaling.finetuned': { type: 'bool', value: true },
        'llama.rope.scaling.original_context_length': u32(4096),
        'general.alignment': u32(64),
        'tokenizer.chat_template': text('{{ bos_token }}'),
        'quantize.imatrix.file': text('x'),
      },
      {},
    ],
  ])('%s', (_, changes, expected) => {
    expect(parse(changes)).toEqual({ ...SEVEN_B_32K, ...expected });
  });

  it('a model whose file has no head as tied', () => {
    expect(parse({}, true)).toEqual({ ...SEVEN_B_32K, tieWordEmbeddings: true });
  });
});

describe('refuses', () => {
  it.each<[Record<string, GgufValue | undefined>, LlamaErrorCode, string[]]>([
    [
      { 'general.architecture': text('gemma') },
      'UNSUPPORTED',
      ['general.architecture is "gemma"', '"llama"'],
    ],
    [{ 'general.architecture': undefined }, 'BAD_CONFIG', ['general.architecture is missing']],
    [{ 'general.type': text('adapter') }, 'UNSUPPORTED', ['general.type is "adapter"']],
    [
      { 'general.quantization_version': u32(1) },
      'UNSUPPORTED',
      ['general.quantization_version is 1'],
    ],
    [{ 'llama.expert_count': u32(8) }, 'UNSUPPORTED', ['llama.expert_count is 8']],
    [
      { 'llama.attention.causal': { type: 'bool', value: false } },
      'UNSUPPORTED',
      ['llama.attention.causal is false'],
    ],
    [
      { 'llama.tensor_data_layout': text('reference') },
      'UNSUPPORTED',
      ['llama.tensor_data_layout is "reference"'],
    ],
    [
      { 'llama.attention.sliding_window': u32(4096) },
      'UNSUPPORTED',
      ['unknown key llama.attention.sliding_window', '4096'],
    ],
    [{ 'llama.logit_scale': f32(0.5) }, 'UNSUPPORTED', ['unknown key llama.logit_scale']],
    [
      { 'llama.rope.scaling.attn_factor': f32(1.2) },
      'UNSUPPORTED',
      ['llama.rope.scaling.attn_factor is 1.2'],
    ],
    [
      { 'llama.rope.scaling.yarn_log_multiplier': f32(1) },
      'UNSUPPORTED',
      ['unknown key llama.rope.scaling.yarn'],
    ],
    [
      { [TYPE]: text('yarn') },
      'UNSUPPORTED',
      [`${TYPE} is "yarn"`, '"linear" and "none"', 'rope_freqs.weight'],
    ],
    [{ [TYPE]: text('longrope') }, 'UNSUPPORTED', [`${TYPE} is "longrope"`]],
    [{ [TYPE]: text('none') }, 'BAD_CONFIG', ['llama.rope.scale_linear is 8', 'would be ignored']],
    [
      { [FACTOR]: f32(4) },
      'BAD_CONFIG',
      [FACTOR, 'llama.rope.scale_linear', 'given twice: 4 and 8'],
    ],
    [
      { ...WITHOUT_OLD_KEY, [FACTOR]: f32(0.125) },
      'BAD_CONFIG',
      [`${FACTOR} is 0.125, less than 1`],
    ],
    [{ 'llama.rope.scale_linear': f32(0) }, 'BAD_CONFIG', ['llama.rope.scale_linear is 0']],
    [{ 'llama.rope.scale_linear': f32(NaN) }, 'BAD_CONFIG', ['llama.rope.scale_linear is NaN']],
    [
      { 'llama.rope.dimension_count': u32(64) },
      'UNSUPPORTED',
      ['llama.rope.dimension_count is 64, and heads are 128'],
    ],
    [
      { 'llama.attention.value_length': u32(64) },
      'UNSUPPORTED',
      ['llama.attention.value_length is 64'],
    ],
    [
      { 'llama.attention.head_count_kv': list(8, 8, 4) },
      'BAD_CONFIG',
      ['head_count_kv has 3 values for 32 layers'],
    ],
    [
      { 'llama.attention.head_count_kv': list(...new Array(31).fill(8), 4) },
      'UNSUPPORTED',
      ['head_count_kv is 8 in one layer and 4 in another'],
    ],
    [{ 'llama.attention.head_count_kv': u32(5) }, 'BAD_CONFIG', ['32', '5']],
    [
      { 'llama.attention.head_count_kv': u32(0) },
      'BAD_CONFIG',
      ['llama.attention.head_count_kv is 0'],
    ],
    [{ 'llama.block_count': undefined }, 'BAD_CONFIG', ['llama.block_count is undefined']],
    [{ 'llama.block_count': text('32') }, 'BAD_CONFIG', ['llama.block_count is "32"']],
    [
      { 'llama.block_count': { type: 'u64', value: 2n ** 40n } },
      'BAD_CONFIG',
      ['llama.block_count is 1099511627776'],
    ],
    [
      { 'llama.embedding_length': u32(4097) },
      'BAD_CONFIG',
      ['4097 is not a multiple', 'key_length'],
    ],
    [{ 'llama.context_length': undefined }, 'BAD_CONFIG', ['llama.context_length is undefined']],
    [
      { 'llama.attention.layer_norm_rms_epsilon': undefined },
      'BAD_CONFIG',
      ['layer_norm_rms_epsilon is undefined'],
    ],
    [
      { 'llama.vocab_size': u32(32001) },
      'BAD_CONFIG',
      ['vocabulary is given twice: 32001 and 32000'],
    ],
    [
      { 'tokenizer.ggml.tokens': undefined },
      'BAD_CONFIG',
      ['tokenizer.ggml.tokens', 'llama.vocab_size'],
    ],
    [{ 'tokenizer.ggml.eos_token_id': u32(32000) }, 'BAD_CONFIG', ['token id 32000']],
    [
      { 'tokenizer.ggml.bos_token_id': { type: 'i32', value: -1 } },
      'BAD_CONFIG',
      ['bos_token_id is -1'],
    ],
  ])('%#', (changes, code, words) => {
    expectRefused(changes, code, words);
  });
});
