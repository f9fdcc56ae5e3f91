/**
 * One text that is being written, as a state machine: it says which rows it needs computed, takes
 * their logits, and gives the next token.
 *
 *     while (!generation.isDone) {
 *       const rows = generation.rows();           // a chunk of the prompt, or the last token
 *       const logits = …                          // of rows `logitsFor`, from a forward pass
 *       const steps = generation.accept(logits);  // none while the prompt goes on
 *     }
 *
 * Who computes the rows, and with what else in the same pass, is the driver's business: `generate`
 * drives one, `scheduler/` many. The tokens do not depend on it, as logits do not.
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
import { PromptLogprobs } from './prompt-logprobs.js';
import type { GenerationResult, GenerationStep } from './result.js';
import type { TokenConstraint } from './sampling/constraint.js';
import { logprobsOf } from './sampling/logprobs.js';
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

const NO_LOGITS = new Float32Array(0);

/** A text that is being written; see the head of this file for how it is driven. */
export class Generation {
  readonly #settings: Settings;
  readonly #vocabSize: number;
  readonly #sequence: TokenSequence;
  readonly #output: Output;
  readonly #constraint: TokenConstraint | undefined;
  /** Prompt and output. */
  readonly #ids: number[];
  readonly #promptTokens: number;
  readonly #promptLogprobs: PromptLogprobs | undefined;
  readonly #timings = { queueSeconds: 0, prefillSeconds: 0, decodeSeconds: 0 };
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
    const { stop, stopTokenIds, promptLogprobs } = settings;
    this.#settings = settings;
    this.#constraint = settings.constraint?.fork();
    this.#vocabSize = model.config.vocabSize;
    this.#ids = [...prompt];
    this.#promptTokens = prompt.length;
    if (promptLogprobs !== undefined)
      this.#promptLogprobs = new PromptLogprobs([...prompt], promptLogprobs);
    this.#output = new Output(tokenizer, prompt, stop, stopTokenIds);
    this.#sequence = settings.sequence ?? new TokenSequence(model);
  }

  /** Nothing is left to compute. */
  get isDone(): boolean {
    return this.#state === 'disposed' || this.#output.end !== undefined;
  }

  /** More than its last token is to be computed: its prompt, or what it had to give back. */
  get isReading(): boolean {
    return this.#ids.length === this.#promptTokens;
  }

  get signal(): AbortSignal | undefined {
    return this.#settings.signal;
  }

  /** Takes note that the text had to wait until it was taken up, for its timings. */
  noteWaiting(seconds: number): void {
    this.#timings.queueSeconds += seconds;
  }

  /**
   * The rows to compute next, in the order of their positions: one or more, at most `most` and the
   * chunk size; none at the end. The first call takes hold of option `sequence`.
   */
  rows(most = Infinity): readonly TextRow[] {
    if (this.isDone) return [];
    if (this.#state === 'new') this.#begin();
    const start = this.#sequence.tokens.length;
    const count = Math.min(most, this.#settings.chunkSize);
    this.#pending = this.#ids.slice(start, start + count);
    this.#askedAt = performance.now();
    return this.#sequence.rows(this.#pending);
  }

  /** Which of the rows given out need logits, as indices into them; `accept` wants these. */
  get logitsFor(): readonly number[] {
    const start = this.#sequence.tokens.length;
    return [...this.#pending.keys()].filter(i => this.#wantsLogits(start + i));
  }

  /** Tells `onProgress` how far the pass over a chunk of the prompt is. */
  reportLayer(layer: number, layers: number): void {
    if (this.isDone || !this.isReading || layer === layers) return;
    this.#reportPrefill(tokensDone(this.#pending.length, layer, layers));
  }

  /**
   * Takes note that the rows were computed, with the logits, [logitsFor.length, V], of those that
   * need them, and gives the next tokens; none while the prompt goes on.
   *
   * @throws {LlamaError} NOT_FINITE if there is no token to choose, BAD_OPTION if that is the
   * options' doing
   */
  accept(logits: Floats = NO_LOGITS): readonly GenerationStep[] {
    const start = this.#sequence.tokens.length;
    const wanted = this.logitsFor;
    const width = this.#vocabSize;
    check(
      logits.length === wanted.length * width,
      'BAD_INPUT',
      () => `the logits of ${wanted.length} rows are needed; these are ${logits.length} numbers`,
    );
    this.#takeNote();
    const steps: GenerationStep[] = [];
    for (const [i, row] of wanted.entries()) {
      const scores = logits.subarray(i * width, (i + 1) * width); // [V]
      if (start + row < this.#promptTokens - 1) this.#promptLogprobs!.take(scores);
      else steps.push(this.#next(scores));
    }
    const isRead = this.#sequence.tokens.length === this.#ids.length;
    return isRead && this.#isAtLimit ? [this.#endWithPrompt()] : steps;
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

  #begin(): void {
    // What is not computed has no logits.
    const most = this.#promptLogprobs === undefined ? this.#promptTokens - 1 : 0;
    this.#reusedTokens = this.#sequence.begin(this.#ids, most);
    this.#state = 'begun';
  }

  #wantsLogits(position: number): boolean {
    const isLast = position === this.#ids.length - 1;
    if (isLast && !this.#isAtLimit) return true;
    return this.#promptLogprobs?.wants(position) === true;
  }

  /** There is to be no other token; of a text that is not done, with maxNewTokens 0 only. */
  get #isAtLimit(): boolean {
    return this.#ids.length === this.#settings.limit;
  }

  /** That the rows given out were computed. */
  #takeNote(): void {
    const clock = this.isReading ? 'prefillSeconds' : 'decodeSeconds';
    this.#timings[clock] += (performance.now() - this.#askedAt) / 1000;
    this.#sequence.append(this.#pending);
    this.#pending = [];
    if (this.isReading) this.#reportPrefill(0);
  }

  #next(logits: Floats): GenerationStep {
    const { sampler, limit, logprobs, onProgress } = this.#settings;
    const token = sampler.sample(logits, this.#ids, this.#constraint);
    this.#ids.push(token);
    const text = this.#output.push(token, this.#isAtLimit);
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

  /** Of a prompt that nothing is to follow. */
  #endWithPrompt(): GenerationStep {
    this.#output.end = { finishReason: 'length', stoppedBy: undefined };
    return { token: undefined, text: '', result: this.#result(this.#output.end) };
  }

  #result(end: End): GenerationResult {
    return {
      text: this.#output.text,
      tokens: this.#ids.slice(this.#promptTokens),
      ...end,
      promptTokens: this.#promptTokens,
      ...(this.#promptLogprobs !== undefined && { promptLogprobs: this.#promptLogprobs.all }),
      reusedTokens: this.#reusedTokens,
      seed: this.#settings.sampler.seed,
      timings: this.#timings,
    };
  }

  #reportPrefill(more: number): void {
    const done = this.#sequence.tokens.length + more;
    const reused = this.#reusedTokens;
    this.#settings.onProgress({ stage: 'prefill', done, total: this.#promptTokens, reused });
  }
}
