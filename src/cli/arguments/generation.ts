/** What `generate` and `chat` have in common: options, and a result as JSON. */
import { type OptionTable, oneOf } from '../../base/options.js';
import type { LoadedModel } from '../../load/model.js';
import type { ReplyEnds } from '../../text/chat/format.js';
import { GENERATION, type GenerateOptions } from '../../text/options.js';
import type { GenerationResult } from '../../text/result.js';
import { flagsOf, readFlags, readOwnFlags } from './flags.js';
import type { Option, Options } from './options.js';

const DEFAULT_NEW_TOKENS = 256;

/** A terminal wants an end even where the library has none. */
const { logprobs, promptLogprobs, ...SHARED } = GENERATION;
const TABLE = {
  ...SHARED,
  maxNewTokens: {
    ...GENERATION.maxNewTokens,
    otherwise: `${DEFAULT_NEW_TOKENS}, or until --max-length if that is given`,
  },
};

/** A switch that is on has no form of its own to be off. */
export const LOOKUP: OptionTable<{ readonly lookup?: 'on' | 'off' | undefined }> = {
  lookup: {
    range: oneOf(['on', 'off']),
    default: 'on',
    value: 'MODE',
    help: 'Compute ahead what the text may quote: the same text, sooner if it does.',
  },
};

/** The options of writing a text. */
export const GENERATION_OPTIONS: readonly Option[] = [...flagsOf(TABLE), ...flagsOf(LOOKUP)];
/** For a verb that can print them. */
export const LOGPROBS: readonly Option[] = flagsOf({ logprobs, promptLogprobs });

/**
 * In the order in which processors run, the card's own settings; they are in its text, its code
 * decodes greedily.
 */
export const CARD_SETTINGS =
  'The settings of the model card are --temperature 0.7 --top-k 50 --top-p 0.7 ' +
  '--repetition-penalty 1.1; its code, which has no do_sample, is greedy with ' +
  '--repetition-penalty 1.1 --max-length 128.';

/** For `generate`, which checks ranges; the ends of a reply are in addition to --stop. */
export function generationOptions(
  options: Options,
  { stop = [], stopTokenIds }: Partial<ReplyEnds> = {},
): GenerateOptions {
  const given = readFlags(options, TABLE);
  const hasLimit = given.maxNewTokens !== undefined || given.maxLength !== undefined;
  return {
    ...given,
    lookup: readOwnFlags(options, LOOKUP).lookup === 'on',
    maxNewTokens: hasLimit ? given.maxNewTokens : DEFAULT_NEW_TOKENS,
    stop: [...stop, ...(given.stop ?? [])],
    stopTokenIds: given.stopTokenIds ?? stopTokenIds,
  };
}

/** finish_reason as OpenAI's API has it: `stop` also for end of text. */
export function resultAsJson(
  { path, model }: Pick<LoadedModel, 'path' | 'model'>,
  result: GenerationResult,
) {
  return {
    text: result.text,
    tokens: result.tokens,
    finish_reason: result.finishReason === 'length' ? 'length' : 'stop',
    prompt_tokens: result.promptTokens,
    reused_tokens: result.reusedTokens,
    completion_tokens: result.tokens.length,
    timings: {
      prefill_seconds: result.timings.prefillSeconds,
      decode_seconds: result.timings.decodeSeconds,
    },
    lookup: result.lookup,
    seed: result.seed ?? null,
    model: path,
    kernels: model.engine.name,
  };
}
