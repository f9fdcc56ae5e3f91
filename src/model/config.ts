/**
 * What a Llama is made of. How files say it is in `src/files/config-json/` and
 * `src/files/gguf/config.ts`.
 */

import { check } from '../base/errors.js';
import { divisorsOf, type RopeScaling } from '../ops/rope-scaling/rope-scaling.js';
import { LARGEST_ANGLE } from '../ops/sin-cos.js';

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
   * How the frequencies of the rotary embedding are scaled: `{ type: 'linear', factor: 8 }` in
   * Llama-2-7B-32K, `type: 'llama3'` in Llama 3.1, `'factors'` where a GGUF file has others.
   * Undefined if they are not.
   */
  readonly ropeScaling: RopeScaling | undefined;
  /** The limit on positions: 0 … maxPositionEmbeddings − 1. */
  readonly maxPositionEmbeddings: number;
  /** Whether the caller raised that limit above what the model's files say: see `raiseLimit`. */
  readonly isLimitRaised?: boolean | undefined;
  readonly tieWordEmbeddings: boolean;
  /** Undefined if no token begins a text. */
  readonly bosTokenId: number | undefined;
  /** Every id that ends a text, the first being the usual one; empty if none does. */
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
/** Those of float32 that are no subnormals; both are used as float32. */
const SMALLEST_FLOAT = 2 ** -126;
const LARGEST_FLOAT = (2 - 2 ** -23) * 2 ** 127;

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
    config.rmsNormEps >= SMALLEST_FLOAT && config.rmsNormEps <= 1,
    'BAD_CONFIG',
    () =>
      `rms_norm_eps is ${config.rmsNormEps}; it must be above 0 in float32 (from 2^-126 on) and ` +
      'at most 1, and is usually 1e-5 or 1e-6',
  );
  for (const id of [config.bosTokenId, ...config.eosTokenIds]) {
    check(
      id === undefined || id < vocabSize,
      'BAD_CONFIG',
      () => `token id ${id} (bos or eos) is outside the vocabulary of ${vocabSize}`,
    );
  }
}

function checkRope(config: LlamaConfig): void {
  const { ropeTheta, ropeScaling } = config;
  check(
    ropeTheta >= 1 && ropeTheta <= LARGEST_FLOAT,
    'BAD_CONFIG',
    () =>
      `rope_theta is ${ropeTheta}; it must be 1 or more, so that frequencies fall, below 2^128, ` +
      'the end of float32, and is usually 10000',
  );
  const divisors = ropeScaling === undefined ? [1] : divisorsOf(ropeScaling);
  for (const divisor of divisors) {
    check(
      divisor >= 1 / LARGEST_FACTOR && divisor <= LARGEST_FACTOR,
      'BAD_CONFIG',
      () =>
        `the factor of position interpolation is ${divisor}; it must be from ` +
        `${1 / LARGEST_FACTOR} to ${LARGEST_FACTOR}; correct it in rope_scaling`,
    );
  }
  checkBands(config);
  checkAngles(config, Math.min(...divisors));
}

function checkBands({ ropeScaling, headDim }: LlamaConfig): void {
  if (ropeScaling?.type === 'llama3') {
    const { lowFreqFactor: low, highFreqFactor: high } = ropeScaling;
    check(
      low < high,
      'BAD_CONFIG',
      () =>
        `low_freq_factor is ${low} and high_freq_factor ${high}; the low one must be smaller: ` +
        'correct rope_scaling',
    );
  }
  if (ropeScaling?.type === 'factors') {
    const { length } = ropeScaling.factors;
    check(
      length === headDim / 2,
      'BAD_CONFIG',
      () => `there are ${length} factors for the ${headDim / 2} frequencies of head_dim ${headDim}`,
    );
  }
}

/**
 * @param divisor the smallest that a frequency is divided by. The first frequency is 1, and theta
 * being 1 or more, no other is larger.
 */
function checkAngles({ maxPositionEmbeddings: positions }: LlamaConfig, divisor: number): void {
  // rounded as in `ops/rope.ts`
  const angle = Math.fround((positions - 1) * Math.fround(1 / divisor));
  check(
    angle <= LARGEST_ANGLE,
    'BAD_CONFIG',
    () =>
      `the last of ${positions} positions is rotated by ${angle} radians, with ` +
      `factor ${divisor}, and the limit is ${LARGEST_ANGLE}; give a smaller ` +
      'max_position_embeddings or context, or a larger factor',
  );
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
