/**
 * The workers: all of them get every job, and a job is done when all have answered.
 *
 * One job at a time; the next waits its turn. If a worker dies the others would wait for it for
 * ever, so they are ended too, and every job from then on is refused.
 */
import { LlamaError } from '../../../base/errors.js';
import { platform } from '../platform/here.js';
import type { Thread } from '../platform/platform.js';
import type { Control } from '../threads/control.js';
import type { Answer, Job, WorkerSetup } from './messages.js';

interface Pending {
  readonly answers: Answer[];
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: LlamaError) => void;
}

export class Pool {
  readonly #threads: readonly Thread<Job>[];
  readonly #control: Control;
  #pending: Pending | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #failure: LlamaError | undefined;
  #ended: Promise<unknown> | undefined;

  constructor(setups: readonly WorkerSetup[], control: Control) {
    this.#control = control;
    const events = {
      answer: (answer: Answer) => this.#take(answer),
      end: (reason: string) => this.#fail(reason),
    };
    this.#threads = setups.map(setup => platform.startThread<Job, Answer>(setup, events));
  }

  /** The answers of all workers, in no particular order. Rejects with WORKER_FAILED or DISPOSED. */
  run(job: Job, begin: () => void = () => {}): Promise<readonly Answer[]> {
    const result = this.#queue.then(() => this.#send(job, begin));
    this.#queue = result.catch(() => {});
    return result;
  }

  /** Throws WORKER_FAILED or DISPOSED if no job can be run any more. */
  checkAlive(): void {
    if (this.#failure) throw this.#failure;
  }

  async close(): Promise<void> {
    this.#failure ??= new LlamaError('DISPOSED', 'this model was closed; load it again');
    await this.#end();
  }

  #send(job: Job, begin: () => void): Promise<readonly Answer[]> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#control.begin();
    begin();
    return new Promise((resolve, reject) => {
      this.#pending = { answers: [], resolve, reject };
      for (const thread of this.#threads) thread.send(job);
    });
  }

  #take(answer: Answer): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (answer.kind === 'failed') {
      this.#fail(`a worker failed: ${answer.message}`);
      return;
    }
    pending.answers.push(answer);
    if (pending.answers.length < this.#threads.length) return;
    this.#pending = undefined;
    for (const thread of this.#threads) thread.rest();
    pending.resolve(pending.answers);
  }

  #fail(reason: string): void {
    this.#failure ??= new LlamaError(
      'WORKER_FAILED',
      `${reason}; the model cannot be used any more, load it again`,
    );
    void this.#end();
  }

  /** Once: every thread that is stopped says so, and would have all others stopped again. */
  #end(): Promise<unknown> {
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  async #stop(): Promise<void> {
    this.#control.break();
    const pending = this.#pending;
    this.#pending = undefined;
    if (this.#failure) pending?.reject(this.#failure);
    await Promise.all(this.#threads.map(thread => thread.stop()));
  }
}
