/**
 * From one row of logits to one token, in the order of transformers
 * `GenerationMixin._get_logits_processor` and `_sample`:
 *
 *     repetition penalty → temperature → top-k → top-p → min-p → softmax → draw
 *     repetition penalty → argmax                                                (temperature 0)
 *
 * A step whose option is neutral is skipped. Logits become float32 first, as there. The draw is by
 * inverse CDF in order of the ids, with the number that `philox.ts` gives for (seed, length of the
 * text so far): a sampler has no state, and continuing a text from any of its prefixes with the
 * same seed gives the same continuation.
 *
 * Not here: beams, n-gram blocking, biases, and the other processors of transformers. Their options
 * are refused by name.
 */
import { check } from '../../base/errors.js';
import {
  checkOption,
  isIntegerFrom,
  isNumberFrom,
  refuseUnknownOptions,
} from '../../base/options.js';
import type { Floats } from '../../base/tensor.js';
import { ROUNDINGS } from '../../ops/rounding.js';
import { softmax } from '../../ops/softmax.js';
import { randomSeed, uniform } from './philox.js';
import { minP, repetitionPenalty, temperature, topK, topP } from './processors.js';

export interface SamplingOptions {
  /**
   * 0 is greedy: the likeliest token, the lowest id among equals. 1 leaves the model's distribution
   * alone. Default 0.
   */
  readonly temperature?: number | undefined;
  /** Keep the k likeliest tokens. Default 0: all. */
  readonly topK?: number | undefined;
  /**
   * Keep the likeliest tokens that together have more than this probability, 0 … 1. Default 1: all.
   */
  readonly topP?: number | undefined;
  /** Drop tokens less likely than this fraction, 0 … 1, of the likeliest. Default 0: none. */
  readonly minP?: number | undefined;
  /** > 1 makes tokens of the text so far less likely. Default 1: no change. */
  readonly repetitionPenalty?: number | undefined;
  /** Integer, 0 … 2^53 − 1. Default: random. */
  readonly seed?: number | undefined;
}

export interface Sampler {
  /** The seed in use; undefined when greedy, where nothing is drawn. */
  readonly seed: number | undefined;
  /**
   * The next token after the text `ids` (prompt with BOS, and output), whose last row has these
   * logits, [V]; they are left as they are. Throws NOT_FINITE on a NaN, on +Infinity, or if every
   * token is at −Infinity.
   */
  sample(logits: Floats, ids: readonly number[]): number;
}

type Settings = Required<{ [K in keyof SamplingOptions]: number }>;

/**
 * Throws BAD_OPTION on a name it does not know, a value out of range, or a filter without a
 * temperature.
 */
export function createSampler(options: SamplingOptions = {}): Sampler {
  const settings = checkSamplingOptions(options);
  if (settings.temperature === 0) {
    return {
      seed: undefined,
      sample: (logits, ids) => argmax(processLogits(logits, ids, settings)),
    };
  }
  const { seed } = settings;
  return {
    seed,
    sample: (logits, ids) => draw(distribution(logits, ids, settings), uniform(seed, ids.length)),
  };
}

/** The options with every default filled in. Throws as `createSampler` does. */
export function checkSamplingOptions(options: SamplingOptions): Settings {
  // null is not absent
  const or = (value: number | undefined, absent: number) => (value === undefined ? absent : value);
  const settings: Settings = {
    temperature: or(options.temperature, 0),
    topK: or(options.topK, 0),
    topP: or(options.topP, 1),
    minP: or(options.minP, 0),
    repetitionPenalty: or(options.repetitionPenalty, 1),
    seed: or(options.seed, randomSeed()),
  };
  refuseUnknownOptions(options, Object.keys(settings));
  const is = (name: keyof Settings, holds: boolean, range: string) =>
    checkOption(name, settings[name], holds, range);
  is(
    'temperature',
    isNumberFrom(settings.temperature, 0, Number.MAX_VALUE),
    'a finite number, 0 (greedy) or more',
  );
  is('topK', isIntegerFrom(settings.topK, 0), 'an integer, 0 (off) or more');
  is('topP', isNumberFrom(settings.topP, 0, 1), 'a number from 0 to 1 (off)');
  is('minP', isNumberFrom(settings.minP, 0, 1), 'a number from 0 (off) to 1');
  is(
    'repetitionPenalty',
    isNumberFrom(settings.repetitionPenalty, Number.MIN_VALUE, Number.MAX_VALUE),
    'a number above 0',
  );
  is('seed', isIntegerFrom(settings.seed, 0), 'an integer from 0 to 2^53 − 1');
  refuseIdleFilters(options);
  return settings;
}

/**
 * Greedy is the default, and under it top-k, top-p and min-p change nothing. Whoever sets one
 * expects sampling: the model card's own snippet fell into this. With an explicit temperature of 0
 * they are harmless and accepted.
 */
function refuseIdleFilters(options: SamplingOptions): void {
  if (options.temperature !== undefined) return;
  const idle = (['topK', 'topP', 'minP'] as const).find(name => options[name] !== undefined);
  check(idle === undefined, 'BAD_OPTION', () => {
    return (
      `${idle} is ${options[idle!]}, but without a temperature decoding is greedy and ignores ` +
      'it; set temperature too (1 = as the model says)'
    );
  });
}

/**
 * The scores, [V], after all processors: −Infinity where a token is removed. Throws as
 * `Sampler.sample` does.
 */
export function processLogits(
  logits: Floats,
  ids: readonly number[],
  settings: Settings,
): Float32Array {
  const scores = new Float32Array(logits);
  checkScores(scores, 'the model gave it: compare with the exact kernels, and check the weights');
  if (settings.repetitionPenalty !== 1) repetitionPenalty(scores, ids, settings.repetitionPenalty);
  if (settings.temperature !== 1 && settings.temperature !== 0)
    temperature(scores, settings.temperature);
  checkScores(
    scores,
    'temperature or repetitionPenalty is too extreme for float32; temperature 0 is greedy',
  );
  if (settings.temperature === 0) return scores;
  if (settings.topK !== 0) topK(scores, settings.topK);
  if (settings.topP < 1) topP(scores, settings.topP);
  if (settings.minP > 0) minP(scores, settings.minP);
  return scores;
}

/**
 * The probabilities, [V], that a token is drawn with: float32, adding up to 1 but for rounding.
 * `settings.temperature` > 0.
 */
export function distribution(
  logits: Floats,
  ids: readonly number[],
  settings: Settings,
): Float32Array {
  const scores = processLogits(logits, ids, settings);
  softmax(scores, 0, scores.length, ROUNDINGS.f32);
  return scores;
}

function checkScores(scores: Float32Array, next: string): void {
  const bad = scores.findIndex(score => !(score < Infinity));
  check(bad === -1, 'NOT_FINITE', () => `the score of token ${bad} is ${scores[bad]}; ${next}`);
  const none = scores[argmax(scores)] === -Infinity;
  check(
    !none,
    'NOT_FINITE',
    () => `all ${scores.length} scores are -Infinity, so there is no token to choose; ${next}`,
  );
}

/** The index of the largest score, the first of several. */
export function argmax(scores: Floats): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}

/**
 * The first index at which the running sum of the probabilities exceeds u · (their sum), for 0 ≤ u
 * ≤ 1 − 2^−53. Where a probability is 0 the running sum stands still, so such an index is never the
 * answer, not even for u = 0; and u · sum is less than the sum even after rounding, so there always
 * is one. Some probability must be above 0.
 */
export function draw(probabilities: Floats, u: number): number {
  let total = 0;
  for (const probability of probabilities) total += probability;
  const target = u * total;
  let i = 0;
  let sum = probabilities[0];
  while (sum <= target) {
    i += 1;
    sum += probabilities[i];
  }
  return i;
}
