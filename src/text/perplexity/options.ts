/** The options of a perplexity: a table, and what must hold between them. */
import {
  abortSignal,
  badOption,
  callback,
  checkOption,
  checkOptions,
  integer,
  type OptionTable,
} from '../../base/options.js';
import { MIN_CTX_SIZE } from './windows.js';

/** A window of the text whose tokens have been scored. */
export interface ScoredChunk {
  /** Which of the text's tokens it reads: `start` to `end` − 1. */
  readonly start: number;
  readonly end: number;
  /**
   * −log p of its last tokens, [tokens scored], in nats: of those that it scores, in their order.
   */
  readonly nlls: Float64Array;
  /** Of all that was scored up to its end. */
  readonly perplexity: number;
}

/** How a text is cut and scored; `windows.ts` draws the three ways. */
export interface PerplexityOptions {
  /** Tokens that the model reads at a time, 3 or more. Default 512. */
  readonly ctxSize?: number | undefined;
  /**
   * Windows slide on by so many tokens, and every token but the first is scored once, with as many
   * before it as a window has: Hugging Face's way. At most `ctxSize`, and then the first token of
   * each window is not scored, having none before it. Default: no sliding.
   */
  readonly stride?: number | undefined;
  /**
   * Windows of `ctxSize` + half of this, of which each scores its last so many tokens: llama.cpp's
   * `--ppl-stride`. At most `ctxSize`. Default: chunks that do not overlap, each of which scores
   * its second half.
   */
  readonly pplStride?: number | undefined;
  /** At most so many windows, from the beginning of the text. Default: all. */
  readonly chunks?: number | undefined;
  /**
   * The id that stands in the place of the first token of each chunk, as llama.cpp has it for
   * models whose texts begin with BOS. Not with strides, neither here nor there. Default: none.
   */
  readonly bos?: number | undefined;
  /** Is told each window once it is scored. */
  readonly onChunk?: ((chunk: ScoredChunk) => void) | undefined;
  /** Cancels, within a pass; the reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

const stride = integer(1);

export const PERPLEXITY: OptionTable<PerplexityOptions> = {
  ctxSize: {
    range: integer(MIN_CTX_SIZE),
    default: 512,
    short: 'c',
    value: 'N',
    help: 'Tokens that the model reads at a time.',
  },
  stride: {
    range: stride,
    otherwise: 'chunks side by side',
    value: 'N',
    help:
      'As Hugging Face’s guide has it: windows of --ctx-size slide on by N tokens, and every ' +
      'token but the first is scored once; with N as large, not the first of each window.',
  },
  pplStride: {
    range: stride,
    otherwise: 'chunks side by side',
    value: 'N',
    help:
      'As llama-perplexity has it: windows of --ctx-size + N/2 tokens move by N, and the last N ' +
      'of each are scored.',
  },
  chunks: {
    range: integer(1),
    otherwise: 'all',
    value: 'N',
    help: 'Score the first N chunks or windows.',
  },
  bos: { range: integer(0) },
  onChunk: { range: callback, default: () => {} },
  signal: { range: abortSignal },
};

/** Options that were checked. */
export interface Settings extends PerplexityOptions {
  readonly ctxSize: number;
  readonly onChunk: (chunk: ScoredChunk) => void;
}

/** Throws BAD_OPTION, naming the option, its value and its range. */
export function checkPerplexityOptions(options: PerplexityOptions): Settings {
  const settings = checkOptions(options, PERPLEXITY) as Settings;
  const { ctxSize, bos } = settings;
  const given = (['stride', 'pplStride'] as const).filter(name => settings[name] !== undefined);
  if (given.length === 2)
    throw badOption('stride', 'stride and pplStride are two ways to cut a text; give one of them');
  for (const name of given) {
    const value = settings[name]!;
    checkOption(name, value, value <= ctxSize, `at most ctxSize, which is ${ctxSize}`);
    checkOption('bos', bos, bos === undefined, `left out with ${name}: windows keep their tokens`);
  }
  return settings;
}
