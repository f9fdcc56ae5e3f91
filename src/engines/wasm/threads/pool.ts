/**
 * The workers: all of them get every job, and a job is done when all have answered.
 *
 * One job at a time; the next waits its turn. If a worker dies the others would wait for it for
 * ever, so they are ended too, and every job from then on is refused.
 */
import { Worker } from 'node:worker_threads';
import { LlamaError } from '../../../base/errors.js';
import { artifact } from '../artifact.js';
import type { Control } from './control.js';
import type { Answer, Job, WorkerSetup } from './messages.js';

interface Pending {
  readonly answers: Answer[];
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: LlamaError) => void;
}

export class Pool {
  readonly #workers: readonly Worker[];
  readonly #control: Control;
  #pending: Pending | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #failure: LlamaError | undefined;

  constructor(setups: readonly WorkerSetup[], control: Control) {
    this.#control = control;
    // Not the program's own flags: a worker refuses some, such as --input-type, and runs what
    // --import names.
    this.#workers = setups.map(
      workerData => new Worker(artifact('threads/worker.js'), { workerData, execArgv: [] }),
    );
    for (const worker of this.#workers) {
      worker.unref(); // an idle pool does not keep the process alive
      worker.on('message', (answer: Answer) => this.#answered(answer));
      worker.on('error', error => this.#fail(`a worker failed: ${error.message}`));
      worker.on('exit', code => this.#fail(`a worker ended with exit code ${code}`));
    }
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
      for (const worker of this.#workers) {
        worker.ref();
        worker.postMessage(job);
      }
    });
  }

  #answered(answer: Answer): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (answer.kind === 'failed') {
      this.#fail(`a worker failed: ${answer.message}`);
      return;
    }
    pending.answers.push(answer);
    if (pending.answers.length < this.#workers.length) return;
    this.#pending = undefined;
    for (const worker of this.#workers) worker.unref();
    pending.resolve(pending.answers);
  }

  #fail(message: string): void {
    this.#failure ??= new LlamaError(
      'WORKER_FAILED',
      `${message}; the model cannot be used any more, load it again`,
    );
    void this.#end();
  }

  async #end(): Promise<void> {
    this.#control.break();
    const pending = this.#pending;
    this.#pending = undefined;
    if (this.#failure) pending?.reject(this.#failure);
    await Promise.all(this.#workers.map(worker => worker.terminate()));
  }
}
