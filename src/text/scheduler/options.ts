/** The options of a scheduler, and those that a text has in one beside its own. */
import { boolean, integer, type OptionTable, object, type Range } from '../../base/options.js';
import type { GenerateOptions } from '../options.js';
import type { KnownTexts } from './prefixes.js';

/** How a scheduler divides its passes, and how many texts it takes. */
export interface SchedulerOptions {
  /**
   * Rows of a pass, 1 or more. With more, prompts are read faster; with fewer, texts that are being
   * decoded wait less while one is read. Default 128, as the WASM engine computes at a time.
   */
  readonly maxRows?: number | undefined;
  /**
   * How many texts are computed in turns, each holding its keys and values, 1 or more. Default 32.
   */
  readonly maxRunning?: number | undefined;
  /** How many more may wait for their turn, 0 or more; the next is refused. Default 512. */
  readonly maxQueue?: number | undefined;
  /**
   * Whether texts whose option `lookup` is on have it, as long as there are rows for it. Default
   * true.
   */
  readonly lookup?: boolean | undefined;
  /**
   * What was computed of texts, for those that begin in the same way: a `PrefixCache` of the same
   * model. A text with option `sequence` has no part in it. Default: nothing is kept.
   */
  readonly prefixCache?: KnownTexts | undefined;
}

export const SCHEDULER: OptionTable<SchedulerOptions> = {
  maxRows: { range: integer(1), default: 128 },
  maxRunning: { range: integer(1), default: 32 },
  maxQueue: { range: integer(0), default: 512 },
  lookup: { range: boolean, default: true },
  prefixCache: { range: object('a PrefixCache', value => 'take' in value && 'share' in value) },
};

/** What a text may have in a scheduler, beside what `generate` takes. */
export interface ScheduledOptions extends GenerateOptions {
  /**
   * Whose text it is. Users share the model fairly: one with ten texts does not push out one with
   * one. Default: one user for all that do not say.
   */
  readonly user?: string | undefined;
  /**
   * Keeps it apart in the prefix cache: only texts of the same salt share what they begin with, as
   * the time that a text takes tells whether somebody else's began so. Default: one for all.
   */
  readonly cacheSalt?: string | undefined;
  /**
   * Whether what the prefix cache knows of the prompt is taken. If not, all of it is computed; it
   * is kept for others in any case. Default true.
   */
  readonly cachePrompt?: boolean | undefined;
}

const text: Range = { is: 'a text', has: value => typeof value === 'string' };

export const SCHEDULED: OptionTable<Omit<ScheduledOptions, keyof GenerateOptions>> = {
  user: { range: text, default: '' },
  cacheSalt: { range: text, default: '' },
  cachePrompt: { range: boolean, default: true },
};
