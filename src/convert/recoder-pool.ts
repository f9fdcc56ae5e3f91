/**
 * Threads that convert bytes from one number format to another. Quantizing takes far longer than
 * reading and writing; pieces are independent of each other, and are written in their order, so the
 * file is the same whatever the number of threads.
 */
import { LlamaError, type LlamaErrorCode } from '../base/errors.js';
import { startWorker } from '../base/worker.js';
import type { NumberDType } from '../files/rows.js';
import { type Recoder, recodeHere } from './recoder.js';

export interface RecodeJob {
  readonly bytes: Uint8Array;
  readonly from: NumberDType;
  readonly to: NumberDType;
}

export type RecodeAnswer =
  | { readonly bytes: Uint8Array }
  | { readonly code: LlamaErrorCode; readonly message: string };

/** Tests run the sources, workers cannot. */
const WORKER = 'dist/convert/recoder-worker.js';

export class RecoderPool implements Recoder {
  /** One that each thread works on, and one that is ready for it. */
  readonly atOnce: number;
  readonly #size: number;
  /** Started when first needed: copying needs none. */
  #threads: readonly Thread[] = [];
  #next = 0;

  /** With one thread, that is the caller's own. */
  constructor(threads: number) {
    this.#size = threads;
    this.atOnce = threads === 1 ? 1 : 2 * threads;
  }

  recode(bytes: Uint8Array, from: NumberDType, to: NumberDType): Promise<Uint8Array> {
    // that is quicker than to pass it on
    if (this.#size === 1 || to === 'F32') return recodeHere.recode(bytes, from, to);
    if (this.#threads.length === 0)
      this.#threads = Array.from({ length: this.#size }, () => new Thread());
    const thread = this.#threads[this.#next];
    // pieces are of one size, so each has as much to do as the others
    this.#next = (this.#next + 1) % this.#size;
    return thread.recode({ bytes, from, to });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(thread => thread.close()));
  }
}

interface Pending {
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: LlamaError) => void;
}

class Thread {
  readonly #worker = startWorker(WORKER);
  /** In the order of the jobs, which is that of the answers. */
  readonly #pending: Pending[] = [];
  #failure: LlamaError | undefined;

  constructor() {
    this.#worker.on('message', (answer: RecodeAnswer) => this.#take(answer));
    this.#worker.on('error', error => this.#fail(`a worker failed: ${error.message}`));
    this.#worker.on('exit', code => this.#fail(`a worker ended with exit code ${code}`));
  }

  recode(job: RecodeJob): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#pending.push({ resolve, reject });
      const { buffer } = job.bytes;
      // else somebody else may need the rest
      const isWhole = job.bytes.length === buffer.byteLength;
      this.#worker.postMessage(job, isWhole ? [buffer as ArrayBuffer] : []);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #take(answer: RecodeAnswer): void {
    const { resolve, reject } = this.#pending.shift()!;
    if ('bytes' in answer) resolve(answer.bytes);
    else reject(new LlamaError(answer.code, answer.message));
  }

  #fail(message: string): void {
    this.#failure ??= new LlamaError(
      'WORKER_FAILED',
      `${message}; nothing was written, start again`,
    );
    for (const { reject } of this.#pending.splice(0)) reject(this.#failure);
  }
}
