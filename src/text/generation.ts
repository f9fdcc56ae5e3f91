/**
 * One text that is being written, as a state machine: it says which rows it needs computed, takes
 * their logits, and gives the next token.
 *
 *     while (!generation.isDone) {
 *       const rows = generation.rows();          // a chunk of the prompt, or the last token
 *       const logits = …                         // a forward pass over them, and others' perhaps
 *       const step = generation.accept(logits);  // undefined: the prompt goes on
 *     }
 *
 * Who computes the rows, and with what else in the same pass, is the driver's business: `generate`
 * drives one, `scheduler.ts` many. The tokens do not depend on it, as logits do not.
 *
 * Not here: the prompt's format (`prompt.ts`), choosing a token (`sampling/`), what is shown
 * (`output.ts`).
 */
import { check } from '../base/errors.js';
import type { Floats } from '../base/tensor.js';
import { tokensDone } from '../model/chunks.js';
import {
  checkGenerateOptions,
  type GenerateOptions,
  type Settings,
  type TextConfig,
} from './options.js';
import { type End, Output, type StreamTokenizer } from './output.js';
import type { TokenConstraint } from './sampling/constraint.js';
import { logprobsOf, type StepLogprobs } from './sampling/logprobs.js';
import { type CachedPositions, type TextRow, TokenSequence } from './token-sequence.js';

/** What writing a text needs of a model, besides passes. */
export interface TextModel {
  readonly config: TextConfig;
  /** A new sequence of no positions. */
  createSequence(): CachedPositions;
}

/** What writing a text needs of a tokenizer; `src/tokenizer` is one. */
export interface TextTokenizer extends StreamTokenizer {
  /**
   * Ids from here on, if the model has more, are padding of its embedding and are never sampled:
   * the id stands for no text.
   */
  readonly vocabSize: number;
}

/**
 * With option `logprobs`, also those of the model itself: before penalty, temperature and filters.
 */
export interface GenerationStep extends Partial<StepLogprobs> {
  readonly token: number;
  /**
   * What can be shown now, often nothing: incomplete UTF-8 and what may become a stop string are
   * held back.
   */
  readonly text: string;
  /** In the last step, and only there. */
  readonly result?: GenerationResult;
}

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
  /** How many of the prompt's tokens `sequence` held already, and were not computed again. */
  readonly reusedTokens: number;
  /** Undefined when greedy. */
  readonly seed: number | undefined;
  readonly timings: Timings;
}

/** Time from asking for rows to having their logits. */
export interface Timings {
  /** The prompt; the first token follows from it. */
  readonly prefillSeconds: number;
  /** All tokens but the first. */
  readonly decodeSeconds: number;
}

/** A text that is being written; see the head of this file for how it is driven. */
export class Generation {
  readonly #settings: Settings;
  readonly #sequence: TokenSequence;
  readonly #output: Output;
  readonly #constraint: TokenConstraint | undefined;
  /** Prompt and output. */
  readonly #ids: number[];
  readonly #promptTokens: number;
  readonly #timings = { prefillSeconds: 0, decodeSeconds: 0 };
  #reusedTokens = 0;
  /** What `rows` gave out, and `accept` has not had yet. */
  #pending: readonly number[] = [];
  #askedAt = 0;
  #state: 'new' | 'begun' | 'disposed' = 'new';

  /**
   * Takes a text up without computing anything.
   *
   * @throws {LlamaError} BAD_OPTION; BAD_INPUT for no token or one outside the vocabulary;
   * CONTEXT_OVERFLOW if the prompt leaves no room for a token (nothing is ever truncated)
   */
  constructor(
    model: TextModel,
    tokenizer: TextTokenizer,
    prompt: readonly number[],
    options: GenerateOptions = {},
  ) {
    const settings = checkGenerateOptions(options, prompt, model.config, tokenizer.vocabSize);
    this.#settings = settings;
    this.#constraint = settings.constraint?.fork();
    this.#ids = [...prompt];
    this.#promptTokens = prompt.length;
    this.#output = new Output(tokenizer, prompt, settings.stop, settings.stopTokenIds);
    this.#sequence = settings.sequence ?? new TokenSequence(model);
  }

  /** Nothing is left to compute. */
  get isDone(): boolean {
    return this.#state === 'disposed' || this.#output.end !== undefined;
  }

  get isReadingPrompt(): boolean {
    return this.#ids.length === this.#promptTokens;
  }

  get signal(): AbortSignal | undefined {
    return this.#settings.signal;
  }

  /**
   * The rows to compute next, in the order of their positions: one or more, at most `most` and the
   * chunk size; none at the end. The first call takes hold of option `sequence`.
   */
  rows(most = Infinity): readonly TextRow[] {
    if (this.isDone) return [];
    if (this.#state === 'new') {
      this.#reusedTokens = this.#sequence.begin(this.#ids);
      this.#state = 'begun';
    }
    const start = this.#sequence.tokens.length;
    const count = Math.min(most, this.#settings.chunkSize);
    this.#pending = this.#ids.slice(start, start + count);
    this.#askedAt = performance.now();
    return this.#sequence.rows(this.#pending);
  }

  /** Whether the last of the rows given out is the last token, so that the next one follows. */
  get needsLogits(): boolean {
    return this.#sequence.tokens.length + this.#pending.length === this.#ids.length;
  }

  /** Tells `onProgress` how far the pass over a chunk of the prompt is. */
  reportLayer(layer: number, layers: number): void {
    if (this.isDone || !this.isReadingPrompt || layer === layers) return;
    this.#reportPrefill(tokensDone(this.#pending.length, layer, layers));
  }

  /**
   * Takes note that the rows were computed; if `needsLogits`, with the logits, [V], of the last
   * one, and gives the next token. Gives undefined while the prompt goes on.
   *
   * @throws {LlamaError} NOT_FINITE if there is no token to choose
   */
  accept(logits?: Floats): GenerationStep | undefined {
    const isNext = this.needsLogits;
    check(
      !isNext || logits !== undefined,
      'BAD_INPUT',
      () => 'the logits of the last row are needed',
    );
    const clock = this.isReadingPrompt ? 'prefillSeconds' : 'decodeSeconds';
    this.#timings[clock] += (performance.now() - this.#askedAt) / 1000;
    this.#sequence.append(this.#pending);
    this.#pending = [];
    if (this.isReadingPrompt) this.#reportPrefill(0);
    return isNext ? this.#next(logits!) : undefined;
  }

  /**
   * Ends the text where it is. Gives back the memory, or the sequence with what it holds to the one
   * who gave it.
   */
  dispose(): void {
    if (this.#state === 'disposed') return;
    if (this.#settings.sequence === undefined) this.#sequence.dispose();
    else if (this.#state === 'begun') this.#sequence.release();
    this.#state = 'disposed';
  }

  #next(logits: Floats): GenerationStep {
    const { sampler, limit, logprobs, onProgress } = this.#settings;
    const token = sampler.sample(logits, this.#ids, this.#constraint);
    this.#ids.push(token);
    const text = this.#output.push(token, this.#ids.length === limit);
    if (this.#output.end === undefined) this.#constraint?.advance(token);
    const promptTokens = this.#promptTokens;
    onProgress({
      stage: 'decode',
      done: this.#ids.length - promptTokens,
      total: limit - promptTokens,
    });
    return {
      token,
      text,
      ...(logprobs !== undefined && logprobsOf(logits, token, logprobs)),
      ...(this.#output.end !== undefined && { result: this.#result(this.#output.end) }),
    };
  }

  #result(end: End): GenerationResult {
    return {
      text: this.#output.text,
      tokens: this.#ids.slice(this.#promptTokens),
      ...end,
      promptTokens: this.#promptTokens,
      reusedTokens: this.#reusedTokens,
      seed: this.#settings.sampler.seed,
      timings: this.#timings,
    };
  }

  #reportPrefill(more: number): void {
    const done = this.#sequence.tokens.length + more;
    this.#settings.onProgress({ stage: 'prefill', done, total: this.#promptTokens });
  }
}
