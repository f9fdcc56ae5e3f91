/**
 * The keyword arguments of transformers `model.generate()` as ours, with its defaults and its
 * surprises (read in 5.24.0: `GenerationMixin._get_logits_processor`,
 * `GenerationConfig._get_default_generation_params`):
 *
 * - Without `do_sample: true` decoding is greedy, and temperature, top_k, top_p, min_p and
 *   typical_p are not even looked at.
 * - With it, top_k is 50 unless given.
 * - max_length counts the prompt, max_new_tokens does not, and wins if both are given. Without
 *   either: 20 new tokens.
 * - It stops at end of text only, not at BOS.
 *
 * Not here: the bits of `torch.multinomial`. Greedy gives the tokens of transformers; a seed does
 * not.
 */

import {
  checkOption,
  isIntegerFrom,
  isNumberFrom,
  refuseUnknownOptions,
} from '../../base/options.js';
import { separateWords } from '../../base/text.js';
import type { LlamaConfig } from '../../model/config.js';
import { SAMPLING, type SamplingOptions } from './options.js';

/**
 * Names and meanings are those of `GenerationConfig`; null is Python's None, the same as absent.
 */
export interface HuggingFaceOptions {
  readonly do_sample?: boolean | null;
  readonly max_length?: number | null;
  readonly max_new_tokens?: number | null;
  readonly temperature?: number | null;
  readonly top_k?: number | null;
  readonly top_p?: number | null;
  readonly min_p?: number | null;
  readonly typical_p?: number | null;
  readonly repetition_penalty?: number | null;
  /** Pairs of one token, in a list, and what to add to its score. */
  readonly sequence_bias?: readonly (readonly [readonly number[], number])[] | null;
  readonly no_repeat_ngram_size?: number | null;
  readonly bad_words_ids?: readonly (readonly number[])[] | null;
  readonly min_length?: number | null;
  readonly min_new_tokens?: number | null;
  readonly eos_token_id?: number | readonly number[] | null;
}

/**
 * Options for `generate`, and the names of the arguments that transformers would have ignored, for
 * a warning.
 */
export interface FromHuggingFace {
  readonly options: SamplingOptions & {
    readonly maxLength?: number;
    readonly maxNewTokens?: number;
    readonly stopTokenIds: readonly number[];
  };
  readonly ignored: readonly (keyof HuggingFaceOptions)[];
}

/**
 * What the model card passes to `generate`. There is no do_sample in it: this is greedy decoding
 * with a repetition penalty, of 128 tokens less those of the prompt; temperature, top_p and top_k
 * are ignored.
 */
export const MODEL_CARD_SNIPPET: HuggingFaceOptions = {
  max_length: 128,
  temperature: 0.7,
  repetition_penalty: 1.1,
  top_p: 0.7,
  top_k: 50,
};

/** transformers' name for one of our options: `topK` is `top_k` there. */
const keyOf = (name: string): string => separateWords(name, '_');

const DEFAULT_TEMPERATURE = 1;
const DEFAULT_TOP_K = 50;
const DEFAULT_NEW_TOKENS = 20;

/**
 * The values with which nothing changes, by transformers' names: our defaults, but for the
 * temperature, which is greedy by default here and there leaves the model's distribution alone.
 */
export const NEUTRAL: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    Object.entries(SAMPLING).map(([name, entry]) => [keyOf(name), entry.default]),
  ),
  temperature: DEFAULT_TEMPERATURE,
};

const SAMPLING_ONLY = Object.entries(SAMPLING)
  .filter(([name, { owner }]) => name === 'temperature' || owner === 'sampling')
  .map(([name]) => keyOf(name) as keyof HuggingFaceOptions);
const KNOWN = [
  'do_sample',
  'max_length',
  'max_new_tokens',
  ...SAMPLING_ONLY,
  'repetition_penalty',
  'sequence_bias',
  'no_repeat_ngram_size',
  'bad_words_ids',
  'min_length',
  'min_new_tokens',
  'eos_token_id',
];

/**
 * Throws BAD_OPTION on an argument not listed above (beams, top_h … are not implemented)
 * and on a temperature of 0 when sampling, as transformers does; other ranges are checked by
 * `generate`.
 */
export function huggingFaceOptions(
  given: HuggingFaceOptions,
  config: Pick<LlamaConfig, 'eosTokenIds'>,
): FromHuggingFace {
  refuseUnknownOptions(given, KNOWN);
  checkOption(
    'do_sample',
    given.do_sample,
    [true, false, null, undefined].includes(given.do_sample),
    'true or false',
  );
  const ignored: (keyof HuggingFaceOptions)[] = given.do_sample
    ? []
    : SAMPLING_ONLY.filter(name => given[name] != null);
  if (given.max_new_tokens != null && given.max_length != null) ignored.push('max_length');
  if (given.min_new_tokens != null && given.min_length != null) ignored.push('min_length');
  return {
    options: {
      ...(given.do_sample ? samplingOptions(given) : { temperature: 0 }),
      repetitionPenalty: given.repetition_penalty ?? SAMPLING.repetitionPenalty.default,
      ...penaltiesAndBans(given),
      ...lengthLimit(given),
      stopTokenIds: [given.eos_token_id ?? config.eosTokenIds].flat(),
    },
    ignored,
  };
}

function samplingOptions({
  temperature,
  top_k,
  top_p,
  min_p,
  typical_p,
}: HuggingFaceOptions): SamplingOptions {
  const chosen = temperature ?? DEFAULT_TEMPERATURE;
  const holds = isNumberFrom(chosen, Number.MIN_VALUE, Number.MAX_VALUE);
  checkOption(
    'temperature',
    temperature,
    holds,
    'above 0 with do_sample; leave do_sample out for greedy decoding',
  );
  return {
    temperature: chosen,
    topK: top_k ?? DEFAULT_TOP_K,
    topP: top_p ?? SAMPLING.topP.default,
    minP: min_p ?? SAMPLING.minP.default,
    typicalP: typical_p ?? SAMPLING.typicalP.default,
  };
}

/** Those that are given; the others are off. */
function penaltiesAndBans(given: HuggingFaceOptions): SamplingOptions {
  const { sequence_bias, no_repeat_ngram_size, bad_words_ids, min_length, min_new_tokens } = given;
  return {
    ...(sequence_bias != null && { logitBias: singleTokens(sequence_bias) }),
    ...(no_repeat_ngram_size != null && { noRepeatNgramSize: no_repeat_ngram_size }),
    ...(bad_words_ids != null && { badWordsIds: bad_words_ids }),
    ...(min_new_tokens != null && { minNewTokens: min_new_tokens }),
    ...(min_length != null && min_new_tokens == null && { minLength: min_length }),
  };
}

function singleTokens(
  bias: NonNullable<HuggingFaceOptions['sequence_bias']>,
): Record<number, number> {
  const isSingle = (pair: unknown) =>
    Array.isArray(pair) && Array.isArray(pair[0]) && pair[0].length === 1 && pair.length === 2;
  checkOption(
    'sequence_bias',
    bias,
    Array.isArray(bias) && bias.every(isSingle),
    'a list of [[token id], number]; biases of several tokens are not implemented',
  );
  return Object.fromEntries(bias.map(([[id], value]) => [id, value]));
}

function lengthLimit({
  max_length,
  max_new_tokens,
}: HuggingFaceOptions): { maxLength: number } | { maxNewTokens: number } {
  if (max_new_tokens != null) return { maxNewTokens: max_new_tokens };
  if (max_length == null) return { maxNewTokens: DEFAULT_NEW_TOKENS };
  checkOption('max_length', max_length, isIntegerFrom(max_length, 1), 'an integer, 1 or more');
  return { maxLength: max_length };
}
