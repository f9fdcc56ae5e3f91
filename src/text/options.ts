/** The options of writing a text: a table, and what must hold between them. */

import { check, LlamaError } from '../base/errors.js';
import {
  abortSignal,
  badOption,
  boolean,
  type Complete,
  callback,
  checkOptions,
  idList,
  integer,
  isIntegerFrom,
  listOf,
  type OptionTable,
  object,
  oneOf,
} from '../base/options.js';
import { CHUNK_SIZE } from '../model/chunks.js';
import type { LlamaConfig } from '../model/config.js';
import { describeLimit } from '../model/context.js';
import { defaultStopTokenIds } from './prompt.js';
import type { TokenConstraint } from './sampling/constraint.js';
import { MAX_TOP_LOGPROBS } from './sampling/logprobs.js';
import { SAMPLING, type SamplingOptions } from './sampling/options.js';
import { createSampler, type Sampler } from './sampling/sampler.js';
import { TokenSequence } from './token-sequence.js';

/** How a text is written: where it ends, how tokens are chosen, and what is told meanwhile. */
export interface GenerateOptions extends SamplingOptions {
  /**
   * At most so many tokens after the prompt, 1 or more; with `promptLogprobs` 0, too: then there is
   * one step, which has no token. Default: until a stop, or the end of the context.
   */
  readonly maxNewTokens?: number | undefined;
  /**
   * At most so many tokens with the prompt, as Hugging Face counts max_length. If both are given,
   * both hold.
   */
  readonly maxLength?: number | undefined;
  /** Texts that end the output; neither they nor anything after them is shown. Default: none. */
  readonly stop?: readonly string[] | undefined;
  /** Tokens that end the output. Default: end of text and BOS, see `defaultStopTokenIds`. */
  readonly stopTokenIds?: readonly number[] | undefined;
  /**
   * Log-probabilities with every step: of the token, and of so many likeliest ones, 0 … 20.
   * Default: none.
   */
  readonly logprobs?: number | undefined;
  /**
   * Of what `logprobs` are: `raw`, of the model's own logits; or `processed`, of the scores that a
   * token is drawn from, after penalties, bans, temperature and filters, and then a token that they
   * removed is not among the likeliest. Those of the prompt are raw in any case. Default raw.
   */
  readonly logprobsMode?: 'raw' | 'processed' | undefined;
  /**
   * Log-probabilities with the result: of every token of the prompt after those before it, and of
   * so many likeliest ones, 0 … 20. All of the prompt is computed, also what is held of it already.
   * Default: none.
   */
  readonly promptLogprobs?: number | undefined;
  /**
   * Whether tokens that the text may go on with, as it did where its last ones stood before, are
   * computed ahead, in the same pass, and kept if it comes to them. The text is the same, sooner
   * if it repeats what is in prompt or output. Default true.
   */
  readonly lookup?: boolean | undefined;
  /**
   * Where the text is computed: what it holds of the prompt's beginning is not computed again, the
   * rest is truncated, and at the end it holds this text. Default: a new one, freed at the end.
   */
  readonly sequence?: TokenSequence | undefined;
  /**
   * What the output must be, such as JSON. It ends with a stop token, of which there must be one,
   * where it is complete; at a limit or a stop string it may be cut off. The text is written on a
   * fork, which begins where this constraint stands. Default: anything.
   */
  readonly constraint?: TokenConstraint | undefined;
  /** Prompt tokens per forward pass: more is faster, and takes more memory. Default 512. */
  readonly chunkSize?: number | undefined;
  /** Ends the text between two passes, and a pass as soon as it can. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What an aborted signal is: an error, its reason, which is thrown; or an end, with a last step
   * that has no token, and whose result has what was written so far. Default throw.
   */
  readonly onAbort?: 'throw' | 'return' | undefined;
  /** Called after each chunk of the prompt and each token of the output. */
  readonly onProgress?: ((progress: GenerateProgress) => void) | undefined;
}

/** How far a text is: in its prompt, then in its output. */
export interface GenerateProgress {
  readonly stage: 'prefill' | 'decode';
  /** Tokens, of the prompt or of the output. */
  readonly done: number;
  /** When decoding: at most so many. */
  readonly total: number;
  /** Of a prompt: how many of those that are done were held already, and not computed again. */
  readonly reused?: number;
}

export const GENERATION: OptionTable<GenerateOptions> = {
  maxNewTokens: {
    range: { ...integer(0), is: 'an integer, 1 or more' },
    otherwise: 'until it stops, or the context is full',
    value: 'N',
    help: 'End after so many tokens.',
  },
  maxLength: {
    range: integer(1),
    value: 'N',
    help: "End at so many tokens with the prompt's, as Hugging Face counts max_length.",
  },
  ...SAMPLING,
  stop: {
    range: {
      kind: 'texts',
      ...listOf('non-empty strings', item => typeof item === 'string' && item !== ''),
    },
    default: [],
    value: 'STR',
    help: 'End before this text; may be given several times.',
  },
  stopTokenIds: {
    range: idList,
    otherwise: 'end of text, as config.json has it, and BOS',
    value: 'IDS',
    help: 'End at one of these tokens, such as 2,32001.',
  },
  logprobs: {
    range: integer(0, MAX_TOP_LOGPROBS),
    value: 'N',
    help:
      'With --json: log-probabilities of each token, and of the N likeliest, 0 to 20, as the ' +
      'model alone has it.',
  },
  promptLogprobs: {
    range: integer(0, MAX_TOP_LOGPROBS),
    value: 'N',
    help:
      'With --json: the same of each token of the prompt; with --max-new-tokens 0 of the prompt ' +
      'alone.',
  },
  logprobsMode: { range: oneOf(['raw', 'processed']), default: 'raw' },
  lookup: { range: boolean, default: true },
  sequence: { range: object('a TokenSequence', value => value instanceof TokenSequence) },
  constraint: { range: object('a TokenConstraint', isConstraint) },
  chunkSize: { range: integer(1), default: CHUNK_SIZE },
  signal: { range: abortSignal },
  onAbort: { range: oneOf(['throw', 'return']), default: 'throw' },
  onProgress: { range: callback, default: () => {} },
};

function isConstraint(value: object): boolean {
  const methods = ['forbid', 'advance', 'fork'] as const;
  return methods.every(name => typeof (value as TokenConstraint)[name] === 'function');
}

/** What checking needs to know of a model. */
export type TextConfig = Pick<
  LlamaConfig,
  'vocabSize' | 'maxPositionEmbeddings' | 'isLimitRaised' | 'eosTokenIds' | 'bosTokenId'
> &
  Partial<Pick<LlamaConfig, 'ropeScaling'>>;

/** Options that were checked. */
export interface Settings
  extends Pick<
      GenerateOptions,
      'logprobs' | 'promptLogprobs' | 'sequence' | 'constraint' | 'signal'
    >,
    Complete<
      Pick<
        GenerateOptions,
        'stop' | 'stopTokenIds' | 'logprobsMode' | 'lookup' | 'chunkSize' | 'onAbort' | 'onProgress'
      >
    > {
  readonly sampler: Sampler;
  /** Tokens, with the prompt's, at which to end. */
  readonly limit: number;
}

/**
 * Checks the options of `generate` beside its prompt, and fills in defaults.
 *
 * @param vocabSize how many ids have a text: the tokenizer's; the model may have more
 * @throws {LlamaError} BAD_OPTION, BAD_INPUT, CONTEXT_OVERFLOW: as `generate` says
 */
export function checkGenerateOptions(
  options: GenerateOptions,
  prompt: readonly number[],
  config: TextConfig,
  vocabSize = config.vocabSize,
): Settings {
  const given = checkOptions(options, GENERATION);
  const stopTokenIds = options.stopTokenIds ?? defaultStopTokenIds(config);
  const { logitBias = {}, badWordsIds = [] } = given;
  checkIds('stopTokenIds', stopTokenIds, config);
  checkIds('logitBias', Object.keys(logitBias).map(Number), config);
  checkIds('badWordsIds', badWordsIds.flat(), config);
  checkLeast(given);
  checkEnds(given, stopTokenIds);
  checkPrompt(prompt, config);
  const { stop, logprobs, promptLogprobs, sequence, constraint } = given;
  const { logprobsMode, lookup, chunkSize, signal, onAbort, onProgress } = given;
  return {
    stop: stop!,
    stopTokenIds,
    logprobs,
    promptLogprobs,
    logprobsMode: logprobsMode!,
    lookup: lookup!,
    sequence,
    constraint,
    chunkSize: chunkSize!,
    signal,
    onAbort: onAbort!,
    onProgress: onProgress!,
    sampler: createSampler(samplingOptions(options), {
      vocabSize,
      stopTokenIds,
      promptTokens: prompt.length,
    }),
    limit: limitOf(given, prompt.length, config),
  };
}

function samplingOptions(options: GenerateOptions): SamplingOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in SAMPLING));
}

function checkIds(option: string, ids: readonly number[], { vocabSize }: TextConfig): void {
  const bad = ids.find(id => id >= vocabSize);
  if (bad === undefined) return;
  throw badOption(
    option,
    `${option} has token ${bad}, and the model's vocabulary is 0 … ${vocabSize - 1}`,
  );
}

/** That there can be as many tokens as there must be, and that something is computed. */
function checkLeast(options: GenerateOptions): void {
  if (options.maxNewTokens === 0 && options.promptLogprobs === undefined) {
    throw badOption(
      'maxNewTokens',
      'maxNewTokens is 0; it must be an integer, 1 or more; 0 is for promptLogprobs',
    );
  }
  const pairs = [
    ['minLength', 'maxLength'],
    ['minNewTokens', 'maxNewTokens'],
  ] as const;
  for (const [least, most] of pairs) {
    const [low = 0, high = Infinity] = [options[least], options[most]];
    if (low > high) {
      throw badOption(least, `${least} is ${low}; it must be at most ${most}, which is ${high}`);
    }
  }
}

/** That a text that is held to a constraint can end. */
function checkEnds({ constraint }: GenerateOptions, stopTokenIds: readonly number[]): void {
  if (constraint === undefined || stopTokenIds.length > 0) return;
  throw badOption(
    'stopTokenIds',
    'stopTokenIds is [], and a text with a constraint ends with a stop token; give one',
  );
}

function checkPrompt(ids: readonly number[], { vocabSize }: TextConfig): void {
  check(
    ids.length > 0,
    'BAD_INPUT',
    () => 'the prompt has no token to continue from; begin it with BOS',
  );
  const bad = ids.find(id => !isIntegerFrom(id, 0, vocabSize - 1));
  check(
    bad === undefined,
    'BAD_INPUT',
    () => `prompt token ${bad} is not in the vocabulary, 0 … ${vocabSize - 1}`,
  );
}

/** Tokens, with the prompt's, at which a text ends. */
function limitOf(
  { maxNewTokens = Infinity, maxLength = Infinity }: GenerateOptions,
  promptTokens: number,
  config: TextConfig,
): number {
  const { maxPositionEmbeddings } = config;
  const least = promptTokens + Math.min(1, maxNewTokens);
  check(
    least <= maxPositionEmbeddings,
    'CONTEXT_OVERFLOW',
    () => `the prompt has ${promptTokens} tokens, no room for a reply; ${describeLimit(config)}`,
  );
  checkRoom(promptTokens, least, maxLength);
  return Math.min(maxPositionEmbeddings, maxLength, promptTokens + maxNewTokens);
}

function checkRoom(promptTokens: number, least: number, maxLength: number): void {
  if (least <= maxLength) return;
  throw new LlamaError(
    'CONTEXT_OVERFLOW',
    `the prompt has ${promptTokens} tokens, and ${maxLength} is maxLength, which counts the ` +
      'prompt; no room is left for output: shorten the prompt, or give a larger maxLength',
    { option: 'maxLength' },
  );
}
