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
import { Lookup, type LookupTally } from './lookup/lookup.js';
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

const NO_LOGITS = new Float32Array(0);
const NO_LOOKUP: LookupTally = { proposed: 0, accepted: 0 };

/** A text that is being written; see the head of this file for how it is driven. */
export class Generation {
  readonly #settings: Settings;
  readonly #vocabSize: number;
  #sequence: TokenSequence;
  readonly #output: Output;
  readonly #constraint: TokenConstraint | undefined;
  /** Prompt and output. */
  readonly #ids: number[];
  readonly #promptTokens: number;
  readonly #promptLogprobs: PromptLogprobs | undefined;
  readonly #lookup: Lookup | undefined;
  readonly #timings = { queueSeconds: 0, prefillSeconds: 0, decodeSeconds: 0 };
  #reusedTokens = 0;
  /** What `rows` gave out, and `accept` has not had yet. */
  #pending: readonly number[] = [];
  /** The end of it that the text may not come to. */
  #proposed: readonly number[] = [];
  /** A pass failed, perhaps because of what was proposed. */
  #isCautious = false;
  /** What went wrong after steps that were right. */
  #failure: { readonly error: unknown } | undefined;
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
    const { stop, stopTokenIds, promptLogprobs, lookup } = settings;
    this.#settings = settings;
    this.#constraint = settings.constraint?.fork();
    this.#vocabSize = model.config.vocabSize;
    this.#ids = [...prompt];
    this.#promptTokens = prompt.length;
    if (promptLogprobs !== undefined)
      this.#promptLogprobs = new PromptLogprobs([...prompt], promptLogprobs);
    this.#output = new Output(tokenizer, prompt, stop, stopTokenIds);
    this.#sequence = settings.sequence ?? new TokenSequence(model);
    if (lookup && this.#sequence.canTruncate) this.#lookup = new Lookup(this.#ids);
  }

  /** Nothing is left to compute. */
  get isDone(): boolean {
    return this.#state === 'disposed' || this.hasEnded;
  }

  /** Its prompt is to be computed, or more than the last token: what it had to give back. */
  get isReading(): boolean {
    return this.#isInPrompt || this.#ids.length - this.#sequence.tokens.length > 1;
  }

  get #isInPrompt(): boolean {
    return this.#ids.length === this.#promptTokens;
  }

  /** All that there is to it was written, or is not to be. */
  get hasEnded(): boolean {
    return this.#output.end !== undefined;
  }

  /** Prompt and output so far. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** What was computed; undefined if that is somebody else's, or given back. */
  get held(): TokenSequence | undefined {
    const isOwn = this.#settings.sequence === undefined && this.#state !== 'disposed';
    return isOwn ? this.#sequence : undefined;
  }

  /** Nothing was computed yet, and what is known already need not be. */
  get takesPrefix(): boolean {
    return this.held?.tokens.length === 0 && this.#promptLogprobs === undefined;
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
   * chunk size; none at the end. The first call takes hold of option `sequence`. Among them are at
   * most `mostProposed` that the text may not come to, see option `lookup`.
   *
   * @throws what the last `accept` had to keep back, as there were steps before it
   */
  rows(most = Infinity, mostProposed = Infinity): readonly TextRow[] {
    if (this.isDone) return [];
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#state === 'new') this.#begin();
    const start = this.#sequence.tokens.length;
    const count = Math.min(most, this.#settings.chunkSize);
    const due = this.#ids.slice(start, start + count);
    this.#proposed = this.#propose(Math.min(mostProposed, count - due.length));
    this.#pending = [...due, ...this.#proposed];
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
    if (this.isDone || !this.#isInPrompt || layer === layers) return;
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
    const outputs: Floats[] = [];
    for (const [i, row] of wanted.entries()) {
      const scores = logits.subarray(i * width, (i + 1) * width); // [V]
      if (start + row < this.#promptTokens - 1) this.#promptLogprobs!.take(scores);
      else outputs.push(scores);
    }
    if (outputs.length > 0) return this.#write(outputs);
    const isRead = this.#sequence.tokens.length === this.#ids.length;
    return isRead ? [this.#endWithPrompt()] : [];
  }

  /**
   * After a pass that failed: takes back what was proposed, if anything was, as it may have been
   * the reason; then the next pass is without. Gives whether there was anything.
   */
  withdraw(): boolean {
    if (this.#proposed.length === 0) return false;
    this.#lookup?.learn(this.#proposed.length, 0);
    this.#proposed = [];
    this.#isCautious = true;
    return true;
  }

  /** Whether `error` is that its signal was aborted, which is to be no error. */
  takesAsEnd(error: unknown): boolean {
    const { signal, onAbort } = this.#settings;
    return onAbort === 'return' && signal?.aborted === true && error === signal.reason;
  }

  /** Ends the text where it is, with what was written so far; disposed of or not. */
  endAborted(): GenerationStep {
    const text = this.#output.abort();
    return { token: undefined, text, result: this.#result(this.#output.end!) };
  }

  /** Goes on from `positions`, its own from now on, which hold the first `length` of its tokens. */
  takePrefix(positions: CachedPositions, length: number): void {
    this.#sequence.dispose();
    this.#sequence = new TokenSequence({ createSequence: () => positions });
    this.#sequence.append(this.#ids.slice(0, length));
  }

  /**
   * Gives the memory back, between two passes; what was computed is computed again. What it took of
   * others before its first row is memory, too; what a sequence of somebody else holds is not its.
   */
  giveBack(): void {
    if (this.#state === 'begun' || this.held !== undefined) this.#sequence.truncate(0);
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
    if (position >= this.#ids.length - 1 && !this.#isAtLimit) return true;
    return this.#promptLogprobs?.wants(position) === true;
  }

  /** There is to be no other token; of a text that is not done, with maxNewTokens 0 only. */
  get #isAtLimit(): boolean {
    return this.#ids.length === this.#settings.limit;
  }

  /** What is computed beside the last token, no further than the last but one that there can be. */
  #propose(room: number): readonly number[] {
    if (this.isReading || this.#isCautious) return [];
    const most = Math.min(room, this.#settings.limit - this.#ids.length - 1);
    return this.#lookup?.propose(most) ?? [];
  }

  /** That the rows given out were computed. */
  #takeNote(): void {
    const clock = this.isReading ? 'prefillSeconds' : 'decodeSeconds';
    this.#timings[clock] += (performance.now() - this.#askedAt) / 1000;
    this.#sequence.append(this.#pending);
    this.#pending = [];
    this.#isCautious = false;
    if (this.#isInPrompt) this.#reportPrefill(0);
  }

  /**
   * From the logits of the last token and of those proposed after it, [V] each, to as many steps
   * as they are of this text: a row is if the step before it gave the token that it has.
   */
  #write(outputs: readonly Floats[]): readonly GenerationStep[] {
    const steps: GenerationStep[] = [];
    const proposed = this.#proposed;
    this.#proposed = [];
    try {
      for (const [i, logits] of outputs.entries()) {
        steps.push(this.#next(logits));
        if (this.isDone || steps[i].token !== proposed[i]) break;
      }
    } catch (error) {
      if (steps.length === 0) throw error;
      this.#failure = { error };
    } finally {
      this.#lookup?.learn(proposed.length, Math.max(0, steps.length - 1));
      this.#sequence.truncate(this.#ids.length - 1);
    }
    return steps;
  }

  #next(logits: Floats): GenerationStep {
    const { sampler, limit, onProgress } = this.#settings;
    const token = sampler.sample(logits, this.#ids, this.#constraint);
    const logprobs = this.#logprobs(logits, token);
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
      ...logprobs,
      ...(this.#output.end !== undefined && { result: this.#result(this.#output.end) }),
    };
  }

  /** Of the token that comes next; before it has come. */
  #logprobs(logits: Floats, token: number): StepLogprobs | undefined {
    const { sampler, logprobs, logprobsMode } = this.#settings;
    if (logprobs === undefined) return undefined;
    if (logprobsMode === 'raw') return logprobsOf(logits, token, logprobs);
    const scores = sampler.scores(logits, this.#ids, this.#constraint);
    const { logprob, topLogprobs } = logprobsOf(scores, token, logprobs);
    return { logprob, topLogprobs: topLogprobs.filter(each => each.logprob > -Infinity) };
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
      lookup: this.#lookup?.tally ?? NO_LOOKUP,
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
