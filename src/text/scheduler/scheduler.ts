/**
 * Many texts at once on one model: continuous batching. A pass reads the weights from memory once
 * for all of its rows, so that eight texts together take little longer than one; texts come and go
 * between passes. What each says is what it says alone, to the bit.
 *
 * Fairness. A pass has at most `maxRows` rows. First come the texts that are being decoded, a row
 * each, so that none waits while a long prompt is read: that gets the rows that are left, chunk by
 * chunk, and the prompts of different users take turns (`turns.ts`). If more texts are decoded than
 * there are rows, they take turns, and prompts wait until some have ended. There are at most
 * `maxRunning` texts in all this, and `maxQueue` that wait (`queue.ts`).
 *
 * A text is computed only while its consumer waits for a step: one that is slow has nothing
 * computed ahead, keeps nobody waiting, and joins the next pass when it asks.
 *
 * What ends one text (its signal, its consumer, an error of its own) ends no other. If a pass fails
 * as a whole, its texts are computed one by one, and whose fault it was shows.
 *
 * Memory. If there is none for the keys and values of a text, the youngest one waits until another
 * has ended: what was computed of it is given back, and computed again. Only a text that has the
 * memory for itself, and not enough, fails with OUT_OF_MEMORY.
 */
import { onAbort } from '../../base/abort.js';
import { check, LlamaError } from '../../base/errors.js';
import { type Complete, checkOptions, checkValues } from '../../base/options.js';
import { yieldToOthers } from '../../model/breathe.js';
import { type GenerateTokenizer, takeUp } from '../generate.js';
import { advance, type GenerateModel, type Outcome } from '../pass.js';
import type { GenerationStep } from '../result.js';
import type { Consumer, Job } from './job.js';
import { SCHEDULED, SCHEDULER, type ScheduledOptions, type SchedulerOptions } from './options.js';
import { Queue } from './queue.js';
import { Turns } from './turns.js';

/** Many texts at once on one model; `createScheduler` makes one. */
export interface Scheduler {
  /** How many texts are computed in turns now. */
  readonly running: number;
  /** How many wait until one of these has ended. */
  readonly waiting: number;
  /**
   * Continues `prompt` as the function `generate` does, with the same options, steps and errors, in
   * passes that it shares with the other texts of this scheduler. The text takes its place when
   * its first step is asked for.
   *
   * Leaving the loop early frees the text's memory. An aborted signal ends this text alone, in the
   * middle of a pass too; with option `sequence` when the pass has ended, if others need that.
   *
   * @throws {LlamaError} at once what `generate` throws at once; QUEUE_FULL if `maxQueue` texts
   * wait already, and DISPOSED after `drain` or `close`: also in place of the first step, if it is
   * asked for later
   */
  generate(
    prompt: string | readonly number[],
    options?: ScheduledOptions,
  ): AsyncGenerator<GenerationStep, void, undefined>;
  /** Takes no more texts; resolves when those that it has have ended, in their own time. */
  drain(): Promise<void>;
  /** Takes no more texts, and ends those that it has with DISPOSED. The model stays open. */
  close(): void;
}

/**
 * Continues many prompts at once on one model, in shared passes: each gets the tokens that it gets
 * alone, and together they take little longer than one.
 *
 * @throws {LlamaError} BAD_OPTION
 */
export function createScheduler(
  model: GenerateModel,
  tokenizer: GenerateTokenizer,
  options: SchedulerOptions = {},
): Scheduler {
  return new SharedPasses(model, tokenizer, checkOptions(options, SCHEDULER));
}

class SharedPasses implements Scheduler {
  readonly #model: GenerateModel;
  readonly #tokenizer: GenerateTokenizer;
  readonly #limits: Complete<SchedulerOptions>;
  readonly #queue = new Queue();
  readonly #turns = new Turns();
  /** Those that were taken up, the oldest first. */
  readonly #running = new Set<Job>();
  /** Texts whose next step is waited for, in the order in which they asked. */
  readonly #asking = new Map<Job, Consumer>();
  /** What the pass was begun for; some may have been cancelled since. */
  #inPass: readonly Job[] = [];
  #stop = new AbortController();
  /** Ends with the pass. */
  #pass = Promise.resolve();
  #isComputing = false;
  /** A text had to give its memory back; until one ends there is none for another. */
  #isMemoryShort = false;
  #isOpen = true;
  readonly #end = new AbortController();
  /** Who waits for the last text to end. */
  #drained: (() => void)[] = [];

  constructor(model: GenerateModel, tokenizer: GenerateTokenizer, options: SchedulerOptions) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#limits = options as Complete<SchedulerOptions>;
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  generate(
    prompt: string | readonly number[],
    options: ScheduledOptions = {},
  ): AsyncGenerator<GenerationStep, void, undefined> {
    this.#checkRoom();
    const { user, ...own } = options;
    const scheduled = checkValues({ user }, SCHEDULED);
    const generation = takeUp(this.#model, this.#tokenizer, prompt, own);
    const job = { generation, user: scheduled.user!, ready: [] };
    return this.#steps(job, options.sequence !== undefined);
  }

  drain(): Promise<void> {
    this.#isOpen = false;
    return new Promise(resolve => {
      this.#drained.push(resolve);
      this.#tellDrained();
    });
  }

  close(): void {
    this.#isOpen = false;
    const reason = new LlamaError('DISPOSED', 'the scheduler was closed before the text ended');
    this.#end.abort(reason);
    for (const job of [...this.#asking.keys()]) this.#cancel(job, reason);
  }

  async *#steps(job: Job, keepsSequence: boolean): AsyncGenerator<GenerationStep, void, undefined> {
    const { generation, ready } = job;
    const { signal } = generation;
    signal?.throwIfAborted();
    this.#enter(job);
    const off = onAbort(signal, () => this.#cancel(job, signal!.reason));
    try {
      while (ready.length > 0 || !generation.isDone) {
        signal?.throwIfAborted();
        this.#end.signal.throwIfAborted();
        yield ready.shift() ?? (await this.#next(job));
      }
    } finally {
      off();
      this.#leave(job);
      if (keepsSequence && this.#inPass.includes(job)) await this.#pass;
    }
  }

  #checkRoom(): void {
    check(this.#isOpen, 'DISPOSED', () => 'the scheduler was closed, and takes no more texts');
    const { maxRunning, maxQueue } = this.#limits;
    check(
      this.running + this.waiting < maxRunning + maxQueue,
      'QUEUE_FULL',
      () =>
        `${this.running} texts are running and ${this.waiting} wait; maxRunning is ` +
        `${maxRunning} and maxQueue ${maxQueue}: try again when some have ended`,
    );
  }

  #enter(job: Job): void {
    this.#checkRoom();
    this.#queue.push(job);
    this.#takeUp();
  }

  #leave(job: Job): void {
    job.generation.dispose();
    this.#queue.remove(job);
    if (this.#running.delete(job)) this.#isMemoryShort = false;
    this.#takeUp();
    this.#tellDrained();
  }

  /** Lets texts in as long as there is room. */
  #takeUp(): void {
    const isFull = () => this.running === this.#limits.maxRunning || this.#isMemoryShort;
    while (this.waiting > 0 && !isFull()) this.#running.add(this.#queue.take(this.#running));
    this.#wake();
  }

  #tellDrained(): void {
    if (this.#isOpen || this.running + this.waiting > 0) return;
    for (const resolve of this.#drained) resolve();
    this.#drained = [];
  }

  #next(job: Job): Promise<GenerationStep> {
    return new Promise((resolve, reject) => {
      this.#asking.set(job, { resolve, reject });
      this.#wake();
    });
  }

  #cancel(job: Job, reason: unknown): void {
    this.#asking.get(job)?.reject(reason);
    this.#asking.delete(job);
    if (!this.#inPass.some(other => this.#asking.has(other))) this.#stop.abort(reason);
  }

  #wake(): void {
    if (!this.#isComputing && this.#inTurn().length > 0) void this.#run();
  }

  /** One pass after the other, while anybody waits. */
  async #run(): Promise<void> {
    this.#isComputing = true;
    await yieldToOthers();
    for (let jobs = this.#inTurn(); jobs.length > 0; jobs = this.#inTurn()) {
      this.#pass = this.#compute(jobs);
      await this.#pass;
      await yieldToOthers(); // whoever has got a step asks for the next
    }
    this.#isComputing = false;
  }

  #inTurn(): readonly Job[] {
    return this.#turns.order([...this.#asking.keys()].filter(job => this.#running.has(job)));
  }

  async #compute(jobs: readonly Job[]): Promise<void> {
    this.#inPass = jobs;
    this.#stop = new AbortController();
    const jobOf = new Map(jobs.map(job => [job.generation, job]));
    const reading = new Set(jobs.filter(({ generation }) => generation.isReading));
    try {
      const { signal } = this.#stop;
      const mostRows = this.#limits.maxRows;
      const outcomes = await advance(this.#model, [...jobOf.keys()], { mostRows, signal });
      const computed = outcomes.map(outcome => jobOf.get(outcome.generation)!);
      this.#turns.noteRead(computed.filter(job => reading.has(job)));
      for (const [i, outcome] of outcomes.entries()) this.#tell(computed[i], outcome);
    } catch (error) {
      if (jobs.length === 1) this.#tell(jobs[0], { steps: [], error });
      else await this.#computeOneByOne(jobs);
    } finally {
      this.#inPass = [];
    }
  }

  async #computeOneByOne(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) if (this.#asking.has(job)) await this.#compute([job]);
  }

  /** Without steps and error its prompt goes on, and so does the waiting. */
  #tell(job: Job, { steps, error }: Pick<Outcome, 'steps' | 'error'>): void {
    const consumer = this.#asking.get(job);
    if (consumer === undefined) return;
    if (error !== undefined) {
      if (isMemoryShort(error) && this.#makeRoom()) return;
      this.#asking.delete(job);
      consumer.reject(error);
    } else if (steps.length > 0) {
      this.#asking.delete(job);
      job.ready.push(...steps.slice(1));
      consumer.resolve(steps[0]);
    }
  }

  /** Whether a text that found no memory may try again. */
  #makeRoom(): boolean {
    return false;
  }
}

const isMemoryShort = (error: unknown): boolean =>
  error instanceof LlamaError && error.code === 'OUT_OF_MEMORY';
