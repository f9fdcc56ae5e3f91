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
 * has ended: what was computed of it is given back, and computed again. One that is alone waits for
 * what is being written to the disk. Only a text that has the memory for itself, and not enough,
 * fails with OUT_OF_MEMORY.
 */
import { onAbort } from '../../base/abort.js';
import { check, hasCode, LlamaError } from '../../base/errors.js';
import { type Complete, checkOptions, checkValues } from '../../base/options.js';
import { yieldToOthers } from '../../model/breathe.js';
import { type GenerateTokenizer, takeUp } from '../generate.js';
import { type GeneratedText, generatedText } from '../generated-text.js';
import { advance, type GenerateModel, type Outcome } from '../pass.js';
import type { GenerationStep } from '../result.js';
import type { Consumer, Job } from './job.js';
import { SCHEDULED, SCHEDULER, type ScheduledOptions, type SchedulerOptions } from './options.js';
import { Prefixes } from './prefixes.js';
import { Queue } from './queue.js';
import { proposedRows, Turns } from './turns.js';

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
   * middle of a pass too; with options `sequence` and `onAbort` when the pass has ended, if others
   * need that.
   *
   * @throws {LlamaError} at once what `generate` throws at once; QUEUE_FULL if `maxQueue` texts
   * wait already, and DISPOSED after `drain` or `close`: also in place of the first step, if it is
   * asked for later
   */
  generate(prompt: string | readonly number[], options?: ScheduledOptions): GeneratedText;
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

type Limits = Complete<Omit<SchedulerOptions, 'prefixCache'>>;

class SharedPasses implements Scheduler {
  readonly #model: GenerateModel;
  readonly #tokenizer: GenerateTokenizer;
  readonly #limits: Limits;
  readonly #queue = new Queue();
  readonly #turns = new Turns();
  readonly #prefixes: Prefixes;
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
    this.#limits = options as Limits;
    this.#prefixes = new Prefixes(options.prefixCache);
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  generate(prompt: string | readonly number[], options: ScheduledOptions = {}): GeneratedText {
    this.#checkRoom();
    const { user, cacheSalt, cachePrompt, ...own } = options;
    const scheduled = checkValues({ user, cacheSalt, cachePrompt }, SCHEDULED);
    const job: Job = {
      generation: takeUp(this.#model, this.#tokenizer, prompt, own),
      user: scheduled.user!,
      salt: scheduled.cacheSalt!,
      reusesKnown: scheduled.cachePrompt!,
      ready: [],
    };
    const steps = this.#steps(job, options.sequence !== undefined);
    return generatedText(job.generation, steps, job.ready);
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
      // Of a text that only ends, a pass may still bring steps that are told of it.
      const isAwaited = keepsSequence || generation.takesAsEnd(signal?.reason);
      if (isAwaited && this.#inPass.includes(job)) await this.#pass;
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
    if (job.generation.isDone) this.#prefixes.keepAll(job);
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
    const jobs = [...this.#asking.keys()].filter(job => this.#running.has(job));
    return this.#turns.order(this.#prefixes.readyOf(jobs, this.#running));
  }

  async #compute(jobs: readonly Job[]): Promise<void> {
    this.#inPass = jobs;
    this.#stop = new AbortController();
    try {
      await this.#giveKnown(jobs);
      await this.#take(await this.#advance(jobs, this.#stop.signal));
    } catch (error) {
      if (jobs.length === 1) this.#fail(jobs[0], error);
      else await this.#computeOneByOne(jobs);
    } finally {
      this.#inPass = [];
    }
  }

  async #computeOneByOne(jobs: readonly Job[]): Promise<void> {
    const isHere = (job: Job) => this.#asking.has(job) && this.#running.has(job);
    for (const job of jobs) if (isHere(job)) await this.#compute([job]);
  }

  /** Lets texts that begin have what is known of them. */
  async #giveKnown(jobs: readonly Job[]): Promise<void> {
    const news = jobs.filter(this.#prefixes.hasQuestion);
    if (news.length === 0) return;
    const given = news.map(job =>
      this.#prefixes.give(job).catch(error => {
        if (!isMemoryShort(error)) this.#fail(job, error);
      }),
    );
    await Promise.all(given);
  }

  /** One pass, and what came of it for each that had room. */
  async #advance(jobs: readonly Job[], signal: AbortSignal): Promise<readonly Computed[]> {
    const { maxRows: mostRows, lookup } = this.#limits;
    const mostProposed = lookup ? proposedRows(jobs, mostRows) : 0;
    const asking = jobs.filter(job => this.#asking.has(job));
    const jobOf = new Map(asking.map(job => [job.generation, job]));
    const reading = new Set(jobs.filter(({ generation }) => generation.isReading));
    const options = { mostRows, mostProposed, signal };
    const outcomes = await advance(this.#model, [...jobOf.keys()], options);
    return outcomes.map(outcome => {
      const job = jobOf.get(outcome.generation)!;
      return { ...outcome, job, hasRead: reading.has(job) };
    });
  }

  /** First what was computed, and then what can have no part in it any more. */
  async #take(computed: readonly Computed[]): Promise<void> {
    const read = computed.filter(({ hasRead }) => hasRead).map(({ job }) => job);
    this.#turns.noteRead(read);
    for (const { job, steps } of computed) if (steps.length > 0) this.#tell(job, steps);
    for (const job of read) this.#prefixes.sharePages(job);
    const failed = computed.filter(({ error }) => error !== undefined);
    const short = failed.filter(({ error }) => isMemoryShort(error));
    const hasRoom = short.length > 0 && (await this.#makeRoom());
    for (const { job, error } of failed)
      if (!(hasRoom && isMemoryShort(error))) this.#fail(job, error);
  }

  #tell(job: Job, steps: readonly GenerationStep[]): void {
    job.ready.push(...steps);
    this.#asking.get(job)?.resolve(job.ready.shift()!);
    this.#asking.delete(job);
  }

  #fail(job: Job, error: unknown): void {
    this.#asking.get(job)?.reject(error);
    this.#asking.delete(job);
  }

  /**
   * Takes memory from the prefix cache, else that of the youngest text, which may be one that found
   * none. Gives whether there can be enough: not if there is only one text, and none is written.
   */
  async #makeRoom(): Promise<boolean> {
    if (this.#prefixes.evict(this.#limits.maxRows)) return true;
    if (this.running === 1) return this.#prefixes.flush();
    const youngest = [...this.#running].at(-1)!;
    youngest.generation.giveBack();
    this.#prefixes.forget(youngest);
    this.#running.delete(youngest);
    this.#queue.putBack(youngest);
    this.#isMemoryShort = true;
    return true;
  }
}

/** What came of a pass for a text. */
interface Computed extends Outcome {
  readonly job: Job;
  /** A chunk of its prompt was in the pass. */
  readonly hasRead: boolean;
}

const isMemoryShort = (error: unknown): boolean => hasCode(error, 'OUT_OF_MEMORY');
