/** What comes out of writing a text: steps, and with the last of them a result. */
import type { LookupTally } from './lookup/lookup.js';
import type { End } from './output.js';
import type { StepLogprobs } from './sampling/logprobs.js';

/**
 * With option `logprobs`, also those of the model itself: before penalty, temperature and filters.
 */
export interface GenerationStep extends Partial<StepLogprobs> {
  /** Undefined only in a step that has a result alone: with `maxNewTokens: 0`, and of `abort`. */
  readonly token: number | undefined;
  /**
   * What can be shown now, often nothing: incomplete UTF-8 and what may become a stop string are
   * held back.
   */
  readonly text: string;
  /** In the last step, and only there. */
  readonly result?: GenerationResult;
}

/** A step with a token: every one but that of a text with `maxNewTokens: 0`, and of `abort`. */
export const hasToken = (
  step: GenerationStep,
): step is GenerationStep & { readonly token: number } => step.token !== undefined;

/** `finishReason` is `length` for maxNewTokens, maxLength and the end of the context alike. */
export interface GenerationResult extends End {
  /**
   * The texts of all steps: what follows the prompt's text, spaces included, up to the stop token
   * or stop string.
   */
  readonly text: string;
  /**
   * All tokens after the prompt. As in Hugging Face the stop token is one of them; so are those of
   * the stop string.
   */
  readonly tokens: readonly number[];
  readonly promptTokens: number;
  /**
   * With option `promptLogprobs`: of each token of the prompt, after those before it. The first
   * has none before it, and is undefined. If the text was aborted before its prompt was read, of
   * those tokens that were.
   */
  readonly promptLogprobs?: readonly (StepLogprobs | undefined)[];
  /** How many of the prompt's tokens were held already, and were not computed again. */
  readonly reusedTokens: number;
  /** What lookup decoding did, see option `lookup`. */
  readonly lookup: LookupTally;
  /** Undefined when greedy. */
  readonly seed: number | undefined;
  readonly timings: Timings;
}

/** Time from asking for rows to having their logits, and before. */
export interface Timings {
  /** In the queue of a scheduler; 0 without one. */
  readonly queueSeconds: number;
  /** The prompt, from which the first token follows, and what had to be computed again. */
  readonly prefillSeconds: number;
  /** All tokens but the first; several come of one pass where lookup decoding helps. */
  readonly decodeSeconds: number;
}
