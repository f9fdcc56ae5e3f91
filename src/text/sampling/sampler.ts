/**
 * From one row of logits to one token, in the order of transformers
 * `GenerationMixin._get_logits_processor` and `_sample`:
 *
 *     logit bias → repetition penalty → frequency and presence penalties → repeated n-grams
 *       → bad words → least length → constraint → temperature → top-k → top-p → min-p → typical-p
 *       → softmax → draw
 *
 * At temperature 0 argmax follows on the constraint, which is no option but has a state
 * (`constraint.ts`). Frequency and presence penalties, which transformers lacks, stand where vLLM
 * has them. A step whose option is neutral is skipped. Logits
 * become float32 first, as in transformers. The draw is by inverse CDF in order of the ids, with
 * the number that `philox.ts` gives for (seed, length of the text so far): a sampler has no state,
 * and continuing a text from any of its prefixes with the same seed gives the same continuation,
 * but for options that count from the end of the prompt.
 *
 * Not here: beams, biases of several tokens, top-h, and the other processors of transformers. Their
 * options are refused by name.
 */
import { check, show } from '../../base/errors.js';
import { badOption, type Complete, checkOptions } from '../../base/options.js';
import type { Floats } from '../../base/tensor.js';
import { ROUNDINGS } from '../../ops/rounding.js';
import { softmax } from '../../ops/softmax.js';
import { badWords, banTokens, countPenalties, logitBias, noRepeatNgram } from './bans.js';
import { constrain, type TokenConstraint } from './constraint.js';
import { SAMPLING, type SamplingOptions } from './options.js';
import { randomSeed, uniform } from './philox.js';
import { minP, repetitionPenalty, temperature, topK, topP, typicalP } from './processors.js';

export interface Sampler {
  /** The seed in use; undefined when greedy, where nothing is drawn. */
  readonly seed: number | undefined;
  /**
   * The next token after the text `ids` (prompt with BOS, and output), whose last row has these
   * logits, [V]; they are left as they are. `constraint` has the state after `ids`, and keeps it.
   * Throws NOT_FINITE on a NaN, on +Infinity, or if every token is at −Infinity; BAD_OPTION if the
   * options make them so; and as `TokenConstraint.forbid` does.
   */
  sample(logits: Floats, ids: readonly number[], constraint?: TokenConstraint): number;
  /** The scores, [V], that it is chosen from: −Infinity where one is removed. Same errors. */
  scores(logits: Floats, ids: readonly number[], constraint?: TokenConstraint): Float32Array;
}

type Settings = Complete<SamplingOptions>;

/** What a sampler must know of the text that it is for. */
export interface SampledText {
  /**
   * How many ids have a text, all if not given. What a model has beyond is padding of its embedding
   * and never sampled, greedily neither: llama.cpp's candidates are the ids of its vocabulary
   * (common/sampling.cpp). transformers would say such an id, and its tokenizers show nothing.
   */
  readonly vocabSize?: number;
  /** Those that minLength and minNewTokens hold back. Default: none. */
  readonly stopTokenIds?: readonly number[];
  /** Where the output begins. Default 0. */
  readonly promptTokens?: number;
}

/**
 * @throws {LlamaError} BAD_OPTION on a name it does not know, a value out of range, or a filter
 * without a temperature
 */
export function createSampler(options: SamplingOptions = {}, text: SampledText = {}): Sampler {
  const settings = checkSamplingOptions(options);
  const { seed } = settings;
  const scores: Sampler['scores'] = (logits, ids, constraint) =>
    processLogits(logits, ids, settings, text, constraint);
  if (settings.temperature === 0) {
    return {
      seed: undefined,
      sample: (...given) => argmax(scores(...given)),
      scores,
    };
  }
  return {
    seed,
    sample: (logits, ids, constraint) =>
      draw(distribution(logits, ids, settings, text, constraint), uniform(seed, ids.length)),
    scores,
  };
}

/** The options with every default filled in. Throws as `createSampler` does. */
export function checkSamplingOptions(options: SamplingOptions): Settings {
  const settings = checkOptions(options, SAMPLING);
  refuseIdleFilters(options);
  return { ...settings, seed: settings.seed ?? randomSeed() } as Settings;
}

/**
 * Greedy is the default, and under it filters change nothing. Whoever sets one expects sampling:
 * the model card's own snippet fell into this. With an explicit temperature of 0 they are harmless
 * and accepted.
 */
function refuseIdleFilters(options: SamplingOptions): void {
  if (options.temperature !== undefined) return;
  for (const [name, { owner }] of Object.entries(SAMPLING)) {
    const value = options[name as keyof SamplingOptions];
    if (owner !== 'sampling' || value === undefined) continue;
    throw badOption(
      name,
      `${name} is ${show(value)}, but without a temperature decoding is greedy and ignores it; ` +
        'set temperature too (1 = as the model says)',
    );
  }
}

/**
 * The scores, [V], after all processors: −Infinity where a token is removed. Throws as
 * `Sampler.sample` does.
 */
export function processLogits(
  logits: Floats,
  ids: readonly number[],
  settings: Settings,
  text: SampledText = {},
  constraint?: TokenConstraint,
): Float32Array {
  const scores = new Float32Array(logits);
  checkScores(
    scores,
    'NOT_FINITE',
    'the model gave it: compare with the exact kernels, and check the weights',
  );
  scores.fill(-Infinity, text.vocabSize ?? scores.length);
  penalizeAndBan(scores, ids, settings, text);
  if (constraint !== undefined) constrain(scores, constraint, text.stopTokenIds ?? []);
  if (settings.temperature !== 1 && settings.temperature !== 0)
    temperature(scores, settings.temperature);
  checkScores(
    scores,
    'BAD_OPTION',
    'the options ban every token' +
      `${constraint === undefined ? '' : ' that the constraint allows'}` +
      ', or a bias, penalty or temperature is too extreme for float32',
  );
  if (settings.temperature !== 0) filter(scores, settings);
  return scores;
}

/** What holds for greedy decoding too. */
function penalizeAndBan(
  scores: Float32Array,
  ids: readonly number[],
  settings: Settings,
  { stopTokenIds = [], promptTokens = 0 }: SampledText,
): void {
  const { frequencyPenalty, presencePenalty, noRepeatNgramSize } = settings;
  logitBias(scores, settings.logitBias);
  if (settings.repetitionPenalty !== 1) repetitionPenalty(scores, ids, settings.repetitionPenalty);
  if (frequencyPenalty !== 0 || presencePenalty !== 0)
    countPenalties(scores, ids.slice(promptTokens), frequencyPenalty, presencePenalty);
  if (noRepeatNgramSize !== 0) noRepeatNgram(scores, ids, noRepeatNgramSize);
  badWords(scores, ids, settings.badWordsIds, stopTokenIds);
  const isTooSoon =
    ids.length < settings.minLength || ids.length - promptTokens < settings.minNewTokens;
  if (isTooSoon) banTokens(scores, stopTokenIds);
}

/** What to draw from; −Infinity elsewhere. */
function filter(scores: Float32Array, settings: Settings): void {
  if (settings.topK !== 0) topK(scores, settings.topK);
  if (settings.topP < 1) topP(scores, settings.topP);
  if (settings.minP > 0) minP(scores, settings.minP);
  if (settings.typicalP < 1) typicalP(scores, settings.typicalP);
}

/**
 * The probabilities, [V], that a token is drawn with: float32, adding up to 1 but for rounding.
 * `settings.temperature` > 0.
 */
export function distribution(
  logits: Floats,
  ids: readonly number[],
  settings: Settings,
  text: SampledText = {},
  constraint?: TokenConstraint,
): Float32Array {
  const scores = processLogits(logits, ids, settings, text, constraint);
  softmax(scores, 0, scores.length, ROUNDINGS.f32);
  return scores;
}

function checkScores(scores: Float32Array, code: 'NOT_FINITE' | 'BAD_OPTION', next: string): void {
  const bad = scores.findIndex(score => !(score < Infinity));
  check(bad === -1, code, () => `the score of token ${bad} is ${scores[bad]}; ${next}`);
  const none = scores[argmax(scores)] === -Infinity;
  check(
    !none,
    code,
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
