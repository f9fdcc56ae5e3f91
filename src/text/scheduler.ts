/**
 * Many texts at once on one model: continuous batching. A pass reads the weights from memory once
 * for all of its rows, so that eight texts together take little longer than one; texts come and go
 * between passes. What each says is what it says alone, to the bit.
 *
 * Fairness. A pass has at most `maxRows` rows. First come the texts that are being decoded, a row
 * each, so that none waits while a long prompt is read: that gets the rows that are left, chunk by
 * chunk. Prompts are read in the order in which they came. If more texts are decoded than there are
 * rows, they take turns, and prompts wait until some have ended.
 *
 * A text is computed only while its consumer waits for a step: one that is slow has nothing
 * computed ahead, keeps nobody waiting, and joins the next pass when it asks.
 *
 * What ends one text (its signal, its consumer, an error of its own) ends no other. If a pass fails
 * as a whole, its texts are computed one by one, and whose fault it was shows.
 *
 * Not here: how many texts there may be. The one for whose keys and values there is no memory fails
 * with OUT_OF_MEMORY.
 */
import { onAbort } from '../base/abort.js';
import { checkOptions, integer, type OptionTable } from '../base/options.js';
import { yieldToOthers } from '../model/breathe.js';
import { type GenerateTokenizer, takeUp } from './generate.js';
import type { Generation, GenerationStep } from './generation.js';
import type { GenerateOptions } from './options.js';
import { advance, type GenerateModel, type Outcome } from './pass.js';

/** How a `Scheduler` divides its passes. */
export interface SchedulerOptions {
  /**
   * Rows of a pass, 1 or more. With more, prompts are read faster; with fewer, texts that are being
   * decoded wait less while one is read. Default 128, as the WASM engine computes at a time.
   */
  readonly maxRows?: number | undefined;
}

const SCHEDULER: OptionTable<SchedulerOptions> = {
  maxRows: { range: integer(1), default: 128 },
};

/** Who waits for the next step of a text. */
interface Consumer {
  resolve(step: GenerationStep): void;
  reject(error: unknown): void;
}

/**
 * Continues many prompts at once on one model, in shared passes: each gets the tokens that it gets
 * alone, and together they take little longer than one.
 */
export class Scheduler {
  readonly #model: GenerateModel;
  readonly #tokenizer: GenerateTokenizer;
  readonly #maxRows: number;
  /** Texts whose next step is waited for, in the order in which they asked. */
  readonly #waiting = new Map<Generation, Consumer>();
  /** What the pass was begun for; some may have been cancelled since. */
  #inPass: readonly Generation[] = [];
  #stop = new AbortController();
  /** Ends with the pass. */
  #pass = Promise.resolve();
  #isRunning = false;

  /** @throws {LlamaError} BAD_OPTION */
  constructor(model: GenerateModel, tokenizer: GenerateTokenizer, options: SchedulerOptions = {}) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#maxRows = checkOptions(options, SCHEDULER).maxRows!;
  }

  /**
   * Continues `prompt` as the function `generate` does, with the same options, steps and errors, in
   * passes that it shares with the other texts of this scheduler.
   *
   * Leaving the loop early frees the text's memory. An aborted signal ends this text alone, in the
   * middle of a pass too; with option `sequence` when the pass has ended, if others need that.
   */
  generate(
    prompt: string | readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<GenerationStep, void, undefined> {
    const generation = takeUp(this.#model, this.#tokenizer, prompt, options);
    return this.#steps(generation, options.sequence !== undefined);
  }

  async *#steps(
    generation: Generation,
    keepsSequence: boolean,
  ): AsyncGenerator<GenerationStep, void, undefined> {
    const { signal } = generation;
    const off = onAbort(signal, () => this.#cancel(generation, signal!.reason));
    try {
      while (!generation.isDone) {
        signal?.throwIfAborted();
        yield await this.#next(generation);
      }
    } finally {
      off();
      generation.dispose();
      if (keepsSequence && this.#inPass.includes(generation)) await this.#pass;
    }
  }

  #next(generation: Generation): Promise<GenerationStep> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(generation, { resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  #cancel(generation: Generation, reason: unknown): void {
    this.#waiting.get(generation)?.reject(reason);
    this.#waiting.delete(generation);
    if (!this.#inPass.some(other => this.#waiting.has(other))) this.#stop.abort(reason);
  }

  /** One pass after the other, while anybody waits. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    await yieldToOthers();
    while (this.#waiting.size > 0) {
      this.#pass = this.#compute(this.#inTurn());
      await this.#pass;
      await yieldToOthers(); // whoever has got a step asks for the next
    }
    this.#isRunning = false;
  }

  #inTurn(): Generation[] {
    const texts = [...this.#waiting.keys()];
    const decoding = texts.filter(text => !text.isReadingPrompt);
    return [...decoding, ...texts.filter(text => text.isReadingPrompt)];
  }

  async #compute(texts: readonly Generation[]): Promise<void> {
    this.#inPass = texts;
    this.#stop = new AbortController();
    try {
      const { signal } = this.#stop;
      const outcomes = await advance(this.#model, texts, { mostRows: this.#maxRows, signal });
      for (const outcome of outcomes) this.#tell(outcome);
    } catch (error) {
      if (texts.length === 1) this.#tell({ generation: texts[0], error });
      else await this.#computeOneByOne(texts);
    } finally {
      this.#inPass = [];
    }
  }

  async #computeOneByOne(texts: readonly Generation[]): Promise<void> {
    for (const text of texts) if (this.#waiting.has(text)) await this.#compute([text]);
  }

  /** Without step and error its prompt goes on, and so does the waiting. */
  #tell({ generation, step, error }: Outcome): void {
    const consumer = this.#waiting.get(generation);
    if (consumer === undefined || (step === undefined && error === undefined)) return;
    this.#waiting.delete(generation);
    if (step !== undefined) consumer.resolve(step);
    else consumer.reject(error);
  }
}
