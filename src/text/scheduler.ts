/**
 * Many texts at once, on one model: continuous batching. Weights are read from memory once for all
 * rows of a pass, so that eight texts together take little longer than one; texts come and go
 * between two passes. What each says is what it says alone, to the bit.
 *
 *     const scheduler = new Scheduler(model, tokenizer);
 *     await Promise.all(prompts.map(async prompt => {
 *       for await (const step of scheduler.generate(prompt, { maxNewTokens: 100 })) …
 *     }));
 *
 * Fairness. A pass has at most `maxRows` rows. First come the texts that are being decoded, a row
 * each, so that none of them waits while a long prompt is read: that gets what is left, chunk by
 * chunk, and prompts are read in the order in which they came. If more texts are decoded than there
 * are rows, they take turns, and prompts wait until some of them have ended.
 *
 * A text is computed only while its step is waited for. Nothing is computed ahead of a consumer
 * that is slow, it keeps nobody waiting, and it joins the next pass when it asks.
 *
 * What ends one text (its signal, its consumer, an error that is its own) ends no other. If a pass
 * fails as a whole, its texts are computed one by one, and whose fault it was shows.
 *
 * Not here: how many texts there may be. Each takes memory for its keys and values; when there is
 * no more, the text that needs it fails with OUT_OF_MEMORY.
 */
import { checkOptions, integer, type OptionTable } from '../base/options.js';
import { yieldToOthers } from '../model/breathe.js';
import { type GenerateTokenizer, takeUp } from './generate.js';
import type { Generation, GenerationStep } from './generation.js';
import type { GenerateOptions } from './options.js';
import { advance, type GenerateModel, type Outcome } from './pass.js';

/** How a `Scheduler` divides its passes. */
export interface SchedulerOptions {
  /**
   * Rows of a pass, 1 or more. More read prompts faster; with fewer, those who are being answered
   * wait less between two tokens while a prompt is read. Default 128.
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
  /** Those of them that the pass is computing, and what were given up since. */
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
   * Continues `prompt` as the function `generate` does, with the same options, steps and errors;
   * the text is computed together with all others of this scheduler.
   *
   * Leaving the loop early frees the text's memory. An aborted signal ends this text alone, in the
   * middle of a pass too; if it was given a `sequence`, others share the pass and need it, it is
   * rejected when the pass has ended.
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
    const cancel = () => this.#cancel(generation, signal!.reason);
    signal?.addEventListener('abort', cancel);
    try {
      while (!generation.isDone) {
        signal?.throwIfAborted();
        yield await this.#next(generation);
      }
    } finally {
      signal?.removeEventListener('abort', cancel);
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
