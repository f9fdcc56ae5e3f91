/** What `generate` and `chat` have in common: options, and a result as JSON. */
import { LlamaError } from '../../base/errors.js';
import type { LoadedModel } from '../../load/model.js';
import type { GenerateOptions, GenerationResult } from '../../text/generate.js';
import type { Option, Options } from './options.js';

const DEFAULT_NEW_TOKENS = 256;

export const GENERATION_OPTIONS: readonly Option[] = [
  {
    name: 'max-new-tokens',
    value: 'N',
    help:
      `End after so many tokens. Default ${DEFAULT_NEW_TOKENS}, or until --max-length if that ` +
      'is given.',
  },
  {
    name: 'max-length',
    value: 'N',
    help: "End at so many tokens with the prompt's, as Hugging Face counts max_length.",
  },
  {
    name: 'temperature',
    value: 'T',
    help:
      'Above 0: draw at random; 1 is as the model says. Default 0: greedy, the likeliest ' +
      'token.',
  },
  { name: 'top-k', value: 'K', help: 'Draw from the K likeliest tokens. Default 0: from all.' },
  {
    name: 'top-p',
    value: 'P',
    help: 'Draw from the likeliest that have probability P together. Default 1: from all.',
  },
  {
    name: 'min-p',
    value: 'P',
    help: 'Not those less likely than P times the likeliest. Default 0: from all.',
  },
  {
    name: 'repetition-penalty',
    value: 'R',
    help: 'Above 1 makes tokens that are in the text already less likely. Default 1: off.',
  },
  {
    name: 'seed',
    value: 'S',
    help: 'Integer; the same seed draws the same tokens. Default: random, told by --json.',
  },
  {
    name: 'stop',
    value: 'STR',
    multiple: true,
    help: 'End before this text; may be given several times.',
  },
];

/**
 * In the order in which processors run, the card's own settings; they are in its text, its code
 * decodes greedily.
 */
export const CARD_SETTINGS =
  'The settings of the model card are --temperature 0.7 --top-k 50 --top-p 0.7 ' +
  '--repetition-penalty 1.1; its code, which has no do_sample, is greedy with ' +
  '--repetition-penalty 1.1 --max-length 128.';

/**
 * For `generate`; `stop` is in addition to those of the command line. Ranges are checked there: see
 * `named`.
 */
export function generationOptions(options: Options, stop: readonly string[]): GenerateOptions {
  const maxLength = options.integer('max-length');
  return {
    maxNewTokens:
      options.integer('max-new-tokens') ??
      (maxLength === undefined ? DEFAULT_NEW_TOKENS : undefined),
    maxLength,
    temperature: options.number('temperature'),
    topK: options.integer('top-k'),
    topP: options.number('top-p'),
    minP: options.number('min-p'),
    repetitionPenalty: options.number('repetition-penalty'),
    seed: options.integer('seed'),
    stop: [...stop, ...options.texts('stop')],
  };
}

/**
 * What `start` returns. Errors that have the name of an option, such as topK, get that of the
 * command line: --top-k.
 */
export function named<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof LlamaError)) throw error;
    const message = withFlag(error);
    throw message === error.message ? error : new LlamaError(error.code, message, { cause: error });
  }
}

function withFlag({ code, message }: LlamaError): string {
  // The option is the first word of a BAD_OPTION.
  if (code === 'BAD_OPTION') {
    return message.replace(
      /^\w+/,
      name => `--${name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)}`,
    );
  }
  const isTooShort = code === 'CONTEXT_OVERFLOW' && message.includes('maxLength');
  return isTooShort
    ? `${message.replace('maxLength', '--max-length')}, or give a larger --max-length`
    : message;
}

/** finish_reason as OpenAI's API has it: `stop` also for end of text. */
export function resultAsJson({ path, model }: LoadedModel, result: GenerationResult) {
  return {
    text: result.text,
    tokens: result.tokens,
    finish_reason: result.finishReason === 'length' ? 'length' : 'stop',
    prompt_tokens: result.promptTokens,
    completion_tokens: result.tokens.length,
    timings: {
      prefill_seconds: result.timings.prefillSeconds,
      decode_seconds: result.timings.decodeSeconds,
    },
    seed: result.seed ?? null,
    model: path,
    kernels: model.engine.name,
  };
}
