/**
 * What a Llama is made of, and how Hugging Face's config.json becomes that.
 *
 * Defaults are those of transformers' LlamaConfig (configuration_llama.py, 4.57 and 5.18). What
 * would change the result and is not implemented is refused by name; so is a key that nobody has
 * looked at (`config-keys.ts` lists the ones that were).
 */

import { check, LlamaError, show } from '../base/errors.js';
import { isObject } from '../base/json.js';
import { LARGEST_ANGLE } from '../ops/sin-cos.js';
import {
  agree,
  boolean,
  type Fields,
  orDefault,
  positive,
  size,
  tokenId,
} from './config-fields.js';
import {
  HARMLESS_KEYS,
  IMPLEMENTED_VALUES,
  KEYS_READ,
  NULLABLE_KEYS,
  ROPE_KEYS,
} from './config-keys.js';

/**
 * The checked configuration, and the glossary of the letters in shape comments:
 *
 * | letter | field              | Llama-2-7B-32K |
 * |--------|--------------------|----------------|
 * | V      | vocabSize          | 32,000         |
 * | D      | hiddenSize         | 4,096          |
 * | L      | numHiddenLayers    | 32             |
 * | H      | numAttentionHeads  | 32             |
 * | K      | numKeyValueHeads   | 32             |
 * | d      | headDim            | 128            |
 * | F      | intermediateSize   | 11,008         |
 * | R      | rows: (token, position, sequence) triples in one forward pass |
 * | T      | positions a row can see: its own and all before it            |
 */
export interface LlamaConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  /**
   * Linear position interpolation: position p is rotated as p / ropeFactor. 1 when there is no
   * scaling.
   */
  readonly ropeFactor: number;
  /** The limit on positions: 0 … maxPositionEmbeddings − 1. */
  readonly maxPositionEmbeddings: number;
  readonly tieWordEmbeddings: boolean;
  readonly bosTokenId: number;
  /** Every id that ends a text, the first being the usual one. */
  readonly eosTokenIds: readonly number[];
}

/**
 * The names of all weights are listed before any is read, so this one must stay small enough for
 * that.
 */
const LARGEST_LAYER_COUNT = 2 ** 16;
/**
 * Published factors are 2 to 32; beyond this, either way, float32 no longer tells neighbouring
 * positions apart.
 */
const LARGEST_FACTOR = 1e6;

/**
 * The configuration that `raw`, the parsed config.json, describes.
 *
 * @throws {LlamaError} BAD_CONFIG if a value is missing, of the wrong type or range, or contradicts
 * another one; UNSUPPORTED if it asks for another model than this one, or has a key that is not
 * known to be harmless.
 */
export function parseConfig(raw: unknown): LlamaConfig {
  check(isObject(raw), 'BAD_CONFIG', () => `config.json is ${show(raw)}, not an object`);
  checkKeys(raw);
  const json = Object.fromEntries(
    Object.entries(raw).filter(([key, value]) => value !== null || !NULLABLE_KEYS.has(key)),
  );
  const numAttentionHeads = size(json, 'num_attention_heads');
  const hiddenSize = size(json, 'hidden_size');
  const config: LlamaConfig = {
    vocabSize: size(json, 'vocab_size'),
    hiddenSize,
    intermediateSize: size(json, 'intermediate_size'),
    numHiddenLayers: size(json, 'num_hidden_layers'),
    numAttentionHeads,
    numKeyValueHeads: size(json, 'num_key_value_heads', numAttentionHeads),
    headDim:
      json.head_dim === undefined
        ? headDimOf(hiddenSize, numAttentionHeads)
        : size(json, 'head_dim'),
    rmsNormEps: positive(json, 'rms_norm_eps', 1e-6),
    ...parseRope(json),
    maxPositionEmbeddings: size(json, 'max_position_embeddings', 2048),
    tieWordEmbeddings: boolean(json, 'tie_word_embeddings', false),
    bosTokenId: tokenId(orDefault(json.bos_token_id, 1), 'bos_token_id'),
    eosTokenIds: parseEosTokenIds(orDefault(json.eos_token_id, 2)),
  };
  checkConfig(config);
  return config;
}

/**
 * Checks what must hold between the fields, whichever file they come from, and that every position
 * can be rotated.
 * @throws {LlamaError} BAD_CONFIG naming the values that do not go together, and the limit.
 */
export function checkConfig(config: LlamaConfig): void {
  const { numAttentionHeads, numKeyValueHeads, headDim, numHiddenLayers, vocabSize } = config;
  check(
    numAttentionHeads % numKeyValueHeads === 0,
    'BAD_CONFIG',
    () =>
      `num_attention_heads ${numAttentionHeads} is not a multiple of num_key_value_heads ` +
      `${numKeyValueHeads}`,
  );
  check(
    headDim % 2 === 0,
    'BAD_CONFIG',
    () => `head_dim ${headDim} is odd; rotary embeddings need pairs`,
  );
  check(
    numHiddenLayers <= LARGEST_LAYER_COUNT,
    'BAD_CONFIG',
    () => `num_hidden_layers is ${numHiddenLayers}, the limit is ${LARGEST_LAYER_COUNT}`,
  );
  checkRope(config);
  check(
    config.rmsNormEps > 0 && config.rmsNormEps <= 1,
    'BAD_CONFIG',
    () =>
      `rms_norm_eps is ${config.rmsNormEps}; it must be above 0 and at most 1, and is usually ` +
      '1e-5 or 1e-6',
  );
  for (const id of [config.bosTokenId, ...config.eosTokenIds]) {
    check(
      id < vocabSize,
      'BAD_CONFIG',
      () => `token id ${id} (bos or eos) is outside the vocabulary of ${vocabSize}`,
    );
  }
}

function checkRope({ ropeTheta, ropeFactor, maxPositionEmbeddings }: LlamaConfig): void {
  check(
    ropeTheta >= 1 && ropeTheta < Infinity,
    'BAD_CONFIG',
    () =>
      `rope_theta is ${ropeTheta}; it must be 1 or more, so that frequencies fall, and is ` +
      'usually 10000',
  );
  check(
    ropeFactor >= 1 / LARGEST_FACTOR && ropeFactor <= LARGEST_FACTOR,
    'BAD_CONFIG',
    () =>
      `the factor of position interpolation is ${ropeFactor}; it must be from ` +
      `${1 / LARGEST_FACTOR} to ${LARGEST_FACTOR}; correct it in rope_scaling`,
  );
  // That of the first frequency, 1 / factor: theta being 1 or more, no other is larger. Rounded as
  // in `ops/rope.ts`.
  const angle = Math.fround((maxPositionEmbeddings - 1) * Math.fround(1 / ropeFactor));
  check(
    angle <= LARGEST_ANGLE,
    'BAD_CONFIG',
    () =>
      `the last of ${maxPositionEmbeddings} positions is rotated by ${angle} radians, with ` +
      `factor ${ropeFactor}, and the limit is ${LARGEST_ANGLE}; give a smaller ` +
      'max_position_embeddings, or a larger factor',
  );
}

/**
 * The ids in an `eos_token_id` of config.json or generation_config.json, which is one id or an
 * array of them.
 * @throws {LlamaError} BAD_CONFIG if it is neither, or an empty array.
 */
export function parseEosTokenIds(value: unknown): number[] {
  const ids = (Array.isArray(value) ? value : [value]).map(id => tokenId(id, 'eos_token_id'));
  check(
    ids.length > 0,
    'BAD_CONFIG',
    () => 'eos_token_id is an empty array; leave it out to get the default, 2',
  );
  return [...new Set(ids)];
}

/**
 * The bytes that keys and values of `positions` positions take: 2 · L · positions · K · d ·
 * bytesPerNumber. Exact to 2^53.
 */
export function kvCacheBytes(
  config: LlamaConfig,
  positions: number,
  bytesPerNumber: number,
): number {
  return (
    2 *
    config.numHiddenLayers *
    positions *
    config.numKeyValueHeads *
    config.headDim *
    bytesPerNumber
  );
}

/** Refuses other models, options that are not implemented, and keys that nobody has looked at. */
function checkKeys(json: Fields): void {
  check(
    json.model_type === 'llama',
    json.model_type === undefined ? 'BAD_CONFIG' : 'UNSUPPORTED',
    () => `model_type is ${show(json.model_type)}; only "llama" is implemented`,
  );
  for (const [key, value] of Object.entries(json)) {
    const implemented = IMPLEMENTED_VALUES.get(key);
    if (implemented !== undefined) {
      check(
        // not JSON.stringify: to it NaN is null, and a cycle an error
        implemented.some(good => show(good) === show(value)),
        'UNSUPPORTED',
        () =>
          `${key} is ${show(value)}; implemented is only ${implemented.map(show).join(' or ')}: ` +
          'the result would differ',
      );
    } else if (!KEYS_READ.has(key) && !HARMLESS_KEYS.has(key)) {
      throw new LlamaError(
        'UNSUPPORTED',
        `unknown key ${show(key)} in config.json (value ${show(value)}): it may change the ` +
          'result. If it does not, delete it from config.json, and please report it so that it ' +
          'is known next time',
      );
    }
  }
}

/**
 * Base and factor of the rotary embedding, from `rope_theta`, `rope_scaling` and transformers 5's
 * `rope_parameters`.
 */
function parseRope(json: Fields): { ropeTheta: number; ropeFactor: number } {
  const scaling = parseRopeObject(json, 'rope_scaling');
  const parameters = parseRopeObject(json, 'rope_parameters');
  const theta = json.rope_theta === undefined ? undefined : positive(json, 'rope_theta');
  const ropeTheta = agree('rope_theta', [theta, scaling?.theta, parameters?.theta]) ?? 10000;
  const ropeFactor =
    agree('the factor of position interpolation', [scaling?.factor, parameters?.factor]) ?? 1;
  // Its inventors apply it, Hugging Face does not look at it: which is right is not for us to
  // guess.
  const condenseRatio = positive(json, 'rope_condense_ratio', ropeFactor);
  check(
    condenseRatio === ropeFactor,
    'BAD_CONFIG',
    () =>
      `rope_condense_ratio is ${condenseRatio}, but rope_scaling makes it ${ropeFactor}; say ` +
      'the same in both, or delete one',
  );
  return { ropeTheta, ropeFactor };
}

/**
 * `rope_scaling` or `rope_parameters`: both have the same fields, and {} means that there is none.
 */
function parseRopeObject(
  json: Fields,
  key: string,
): { factor: number; theta: number | undefined } | undefined {
  const rope = orDefault(json[key], {});
  check(isObject(rope), 'BAD_CONFIG', () => `${key} is ${show(rope)}, not an object`);
  if (Object.keys(rope).length === 0) return undefined;

  const type = orDefault(agree(`the type in ${key}`, [rope.rope_type, rope.type]), 'default');
  check(
    type === 'linear' || type === 'default',
    'UNSUPPORTED',
    () =>
      `${key}: type ${show(type)}; only "linear" and "default" are implemented: the result ` +
      'would differ',
  );
  for (const name of Object.keys(rope)) {
    check(
      ROPE_KEYS.has(name),
      'UNSUPPORTED',
      () => `${key}: unknown key ${show(name)}; it may change the result`,
    );
  }
  check(
    orDefault(rope.partial_rotary_factor, 1) === 1,
    'UNSUPPORTED',
    () =>
      `${key}: partial_rotary_factor is ${show(rope.partial_rotary_factor)}; only 1 is implemented`,
  );
  const factor = type === 'linear' ? positive(rope, 'factor') : positive(rope, 'factor', 1);
  check(factor >= 1, 'BAD_CONFIG', () => `${key}: factor is ${factor}, less than 1`);
  check(
    type === 'linear' || factor === 1,
    'BAD_CONFIG',
    () =>
      `${key}: factor is ${factor}, but the type is not "linear"; without it the factor would ` +
      'be ignored',
  );
  return {
    factor,
    theta: rope.rope_theta === undefined ? undefined : positive(rope, 'rope_theta'),
  };
}

function headDimOf(hiddenSize: number, heads: number): number {
  check(
    hiddenSize % heads === 0,
    'BAD_CONFIG',
    () =>
      `hidden_size ${hiddenSize} is not a multiple of num_attention_heads ${heads}, and no ` +
      'head_dim is given',
  );
  return hiddenSize / heads;
}
