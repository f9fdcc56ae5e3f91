/**
 * How the metadata of a GGUF file becomes a configuration, and back. Keys and defaults are those of
 * llama.cpp (llama-model.cpp, gguf-py's constants.py) and of the specification (docs/gguf.md of
 * ggml). As with config.json, what would change the result and is not implemented is refused by
 * name, and so is a key of the model that nobody has looked at.
 *
 * `general.…` keys describe the file; `tokenizer.…` keys are for `src/tokenizer/gguf`.
 */

import { check, show } from '../../base/errors.js';
import { checkConfig, type LlamaConfig } from '../../model/config.js';
import { agree, type Fields, orDefault, positive, size, tokenId } from '../config-fields.js';
import { readRopeScaling } from './rope.js';
import { type GgufMetadata, type GgufValue, plainValues, shortestDecimal } from './values.js';

/** What `parseGgufConfig` turns into a LlamaConfig. */
const KEYS_READ: ReadonlySet<string> = new Set([
  'llama.vocab_size',
  'llama.context_length',
  'llama.embedding_length',
  'llama.block_count',
  'llama.feed_forward_length',
  'llama.attention.head_count',
  'llama.attention.head_count_kv',
  'llama.attention.key_length',
  'llama.attention.value_length',
  'llama.attention.layer_norm_rms_epsilon',
  'llama.rope.dimension_count',
  'llama.rope.freq_base',
  'llama.rope.scaling.type',
  'llama.rope.scaling.factor',
  'llama.rope.scaling.original_context_length',
  'llama.rope.scale_linear',
]);

/** Keys that change the result, with the values for which they do not. */
const IMPLEMENTED_VALUES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['general.architecture', 'llama'],
  ['general.type', 'model'], // others: adapter, mmproj, imatrix
  ['general.quantization_version', 2],
  // the order of rows in Q and K that all Llamas have
  ['llama.tensor_data_layout', 'Meta AI original pth'],
  ['llama.attention.causal', true],
  ['llama.use_parallel_residual', false],
  ['llama.expert_count', 0],
  ['llama.expert_used_count', 0],
  ['llama.rope.scaling.attn_factor', 1],
]);

/** Keys that do not change the logits, whatever their value: how the model was trained. */
const HARMLESS_KEYS: ReadonlySet<string> = new Set(['llama.rope.scaling.finetuned']);

/**
 * The configuration that the metadata of a GGUF file describes.
 *
 * @param isTied whether the file has no head, so that the embedding is used for it
 * @param factors what the file divides the frequencies of the rotary embedding by, if it does
 * @throws {LlamaError} BAD_CONFIG if a value is missing, of the wrong type or range, or contradicts
 * another one; UNSUPPORTED if it asks for another model than this one, or has a key that is not
 * known to be harmless.
 */
export function parseGgufConfig(
  metadata: GgufMetadata,
  isTied: boolean,
  factors?: readonly number[],
): LlamaConfig {
  const fields = plainValues(metadata);
  checkKeys(fields);
  const numHiddenLayers = size(fields, 'llama.block_count');
  const perLayer = (key: string) => ({ [key]: sameInAllLayers(fields, key, numHiddenLayers) });
  const numAttentionHeads = size(
    perLayer('llama.attention.head_count'),
    'llama.attention.head_count',
  );
  const hiddenSize = size(fields, 'llama.embedding_length');
  const headDim = headDimOf(fields, hiddenSize, numAttentionHeads);
  const ropeTheta = positive(fields, 'llama.rope.freq_base', 10000);
  const config: LlamaConfig = {
    vocabSize: vocabSizeOf(fields),
    hiddenSize,
    intermediateSize: size(perLayer('llama.feed_forward_length'), 'llama.feed_forward_length'),
    numHiddenLayers,
    numAttentionHeads,
    numKeyValueHeads: size(
      perLayer('llama.attention.head_count_kv'),
      'llama.attention.head_count_kv',
      numAttentionHeads,
    ),
    headDim,
    rmsNormEps: positive(fields, 'llama.attention.layer_norm_rms_epsilon'),
    ropeTheta,
    ropeScaling: readRopeScaling(fields, { headDim, ropeTheta }, factors),
    maxPositionEmbeddings: size(fields, 'llama.context_length'),
    tieWordEmbeddings: isTied,
    bosTokenId: tokenIdsOf(fields, 'tokenizer.ggml.bos_token_id', 1)[0],
    eosTokenIds: eosTokenIdsOf(fields),
  };
  checkConfig(config);
  return config;
}

function checkKeys(fields: Fields): void {
  const architecture = fields['general.architecture'];
  check(
    architecture !== undefined,
    'BAD_CONFIG',
    () => 'general.architecture is missing; is this a model?',
  );
  for (const [key, value] of Object.entries(fields)) {
    const implemented = IMPLEMENTED_VALUES.get(key);
    if (implemented !== undefined) {
      check(
        value === implemented,
        'UNSUPPORTED',
        () =>
          `${key} is ${show(value)}; only ${show(implemented)} is implemented: the result would ` +
          'differ',
      );
      continue;
    }
    check(
      !key.startsWith('llama.') || KEYS_READ.has(key) || HARMLESS_KEYS.has(key),
      'UNSUPPORTED',
      () =>
        `unknown key ${key} (value ${show(value)}): it may change the result. If it does not, ` +
        'please report it so that it is known next time',
    );
  }
}

/** A value that may be given once, or for each layer; there is only one here. */
function sameInAllLayers(fields: Fields, key: string, layers: number): unknown {
  const value = fields[key];
  if (!isList(value)) return value;
  check(
    value.length === layers,
    'BAD_CONFIG',
    () => `${key} has ${value.length} values for ${layers} layers`,
  );
  const other = Array.from(value).find(each => each !== value[0]);
  check(
    other === undefined,
    'UNSUPPORTED',
    () =>
      `${key} is ${show(value[0])} in one layer and ${show(other)} in another; only equal ` +
      'layers are implemented',
  );
  return value[0];
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function vocabSizeOf(fields: Fields): number {
  const tokens = fields['tokenizer.ggml.tokens'];
  const said =
    fields['llama.vocab_size'] === undefined ? undefined : size(fields, 'llama.vocab_size');
  const vocabSize = agree('the size of the vocabulary', [
    said,
    isList(tokens) ? tokens.length : undefined,
  ]);
  check(
    vocabSize !== undefined && vocabSize > 0,
    'BAD_CONFIG',
    () => 'there is neither a vocabulary (tokenizer.ggml.tokens) nor its size (llama.vocab_size)',
  );
  return vocabSize;
}

function headDimOf(fields: Fields, hiddenSize: number, heads: number): number {
  check(
    fields['llama.attention.key_length'] !== undefined || hiddenSize % heads === 0,
    'BAD_CONFIG',
    () =>
      `llama.embedding_length ${hiddenSize} is not a multiple of llama.attention.head_count ` +
      `${heads}, and there is no llama.attention.key_length`,
  );
  const headDim = size(fields, 'llama.attention.key_length', hiddenSize / heads);
  for (const key of ['llama.attention.value_length', 'llama.rope.dimension_count']) {
    const other = size(fields, key, headDim);
    check(
      other === headDim,
      'UNSUPPORTED',
      () =>
        `${key} is ${other}, and heads are ${headDim} wide; only the same is implemented: the ` +
        'result would differ',
    );
  }
  return headDim;
}

/** The ids that llama.cpp ends a text at: of the end of a text, a turn, a message. */
function eosTokenIdsOf(fields: Fields): number[] {
  const ids = [
    ...tokenIdsOf(fields, 'tokenizer.ggml.eos_token_id', 2),
    ...tokenIdsOf(fields, 'tokenizer.ggml.eot_token_id'),
    ...tokenIdsOf(fields, 'tokenizer.ggml.eom_token_id'),
  ];
  return [...new Set(ids)];
}

/**
 * The id that `key` gives, if it gives one; `llamas` without it, where the tokenizer is Llama 2's
 * kind. (For "gpt2" llama.cpp takes 11 then, which is Falcon's, and for most others a word.)
 */
function tokenIdsOf(fields: Fields, key: string, llamas?: number): number[] {
  const isLlamas = orDefault(fields['tokenizer.ggml.model'], 'llama') === 'llama';
  const value = fields[key] ?? (isLlamas ? llamas : undefined);
  return value === undefined ? [] : [tokenId(value, key)];
}

/**
 * The metadata that `parseGgufConfig` makes `config` of, but for the head being tied, which is said
 * by there being none, and for the factors of frequencies (`ropeFactors`), which are a tensor.
 *
 * @throws {LlamaError} UNSUPPORTED for what a GGUF file has no room for: a number that is not a
 * float32, too many ids that end a text.
 */
export function ggufConfigMetadata(config: LlamaConfig): GgufMetadata {
  const { headDim, hiddenSize, numAttentionHeads, ropeScaling, bosTokenId } = config;
  const isLinear = ropeScaling?.type === 'linear';
  const [eos, eot, eom, ...more] = config.eosTokenIds;
  check(more.length === 0, 'UNSUPPORTED', () => {
    return (
      `${config.eosTokenIds.length} ids end a text, and a GGUF file has room for 3; give it ` +
      'fewer in eos_token_id'
    );
  });
  check(eos !== undefined, 'UNSUPPORTED', () => {
    return 'no id ends a text, and a GGUF file always has one; give one in eos_token_id';
  });
  const entries: [string, GgufValue | undefined][] = [
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['llama.vocab_size', u32(config.vocabSize)],
    ['llama.context_length', u32(config.maxPositionEmbeddings)],
    ['llama.embedding_length', u32(hiddenSize)],
    ['llama.block_count', u32(config.numHiddenLayers)],
    ['llama.feed_forward_length', u32(config.intermediateSize)],
    ['llama.attention.head_count', u32(numAttentionHeads)],
    ['llama.attention.head_count_kv', u32(config.numKeyValueHeads)],
    [
      'llama.attention.key_length',
      headDim * numAttentionHeads === hiddenSize ? undefined : u32(headDim),
    ],
    [
      'llama.attention.value_length',
      headDim * numAttentionHeads === hiddenSize ? undefined : u32(headDim),
    ],
    ['llama.attention.layer_norm_rms_epsilon', f32('rms_norm_eps', config.rmsNormEps)],
    ['llama.rope.dimension_count', u32(headDim)],
    ['llama.rope.freq_base', f32('rope_theta', config.ropeTheta)],
    ['llama.rope.scaling.type', isLinear ? { type: 'string', value: 'linear' } : undefined],
    [
      'llama.rope.scaling.factor',
      isLinear ? f32('the factor of interpolation', ropeScaling.factor) : undefined,
    ],
    [
      'llama.rope.scaling.original_context_length',
      ropeScaling?.type === 'llama3' ? u32(ropeScaling.originalMaxPositionEmbeddings) : undefined,
    ],
    ['tokenizer.ggml.bos_token_id', bosTokenId === undefined ? undefined : u32(bosTokenId)],
    ['tokenizer.ggml.eos_token_id', u32(eos)],
    ['tokenizer.ggml.eot_token_id', eot === undefined ? undefined : u32(eot)],
    ['tokenizer.ggml.eom_token_id', eom === undefined ? undefined : u32(eom)],
  ];
  return new Map(entries.filter((entry): entry is [string, GgufValue] => entry[1] !== undefined));
}

const u32 = (value: number): GgufValue => ({ type: 'u32', value });

function f32(what: string, value: number): GgufValue {
  check(shortestDecimal(Math.fround(value)) === value, 'UNSUPPORTED', () => {
    return (
      `${what} is ${value}, and a GGUF file has float32: it would become ` +
      `${shortestDecimal(Math.fround(value))}`
    );
  });
  return { type: 'f32', value };
}
