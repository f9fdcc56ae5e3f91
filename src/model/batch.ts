/**
 * The sequences of one forward pass, from its call to its end: each of them succeeds or fails for
 * itself, and gets its positions only when the pass is over.
 */

import type { LlamaError } from '../base/errors.js';
import type { Tensor } from '../base/tensor.js';
import { disposedError, type EngineSequence } from './engine-sequence.js';
import type { Row } from './sequence.js';

export class Batch {
  readonly #failures = new Map<EngineSequence, LlamaError>();
  /** The length of each after the pass. */
  readonly #lengths = new Map<EngineSequence, number>();
  readonly #stop = new AbortController();
  #alive: number;

  /** Throws DISPOSED or BAD_INPUT, before any is touched, if one cannot be computed now. */
  constructor(rows: readonly Row<EngineSequence>[]) {
    for (const { sequence, position } of rows) this.#lengths.set(sequence, position + 1);
    this.#alive = this.#lengths.size;
    for (const sequence of this.#lengths.keys()) sequence.checkIdle();
    for (const sequence of this.#lengths.keys()) sequence.beginPass(() => this.#leave());
  }

  /** Cancels the pass: by `stop`, or because nobody is left who wants it. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether all sequences were disposed. */
  get isAbandoned(): boolean {
    return this.#alive === 0;
  }

  get failures(): ReadonlyMap<EngineSequence, LlamaError> {
    return this.#failures;
  }

  readonly stop = (reason: unknown): void => this.#stop.abort(reason);

  /** `callback`, but what it throws cancels the pass. */
  guard<A extends unknown[]>(callback: ((...args: A) => void) | undefined) {
    if (callback === undefined) return undefined;
    return (...args: A): void => {
      try {
        callback(...args);
      } catch (error) {
        this.stop(error);
      }
    };
  }

  /** The first failure of a sequence counts. */
  fail(sequence: EngineSequence, error: LlamaError): void {
    if (!this.#failures.has(sequence)) this.#failures.set(sequence, error);
  }

  failDisposed(): void {
    for (const sequence of this.#lengths.keys())
      if (sequence.isDisposed) this.fail(sequence, disposedError());
  }

  /** What failed has no logits. */
  clearFailed({ shape: [, width], data }: Tensor, sequenceOf: (row: number) => EngineSequence) {
    for (let row = 0; row < data.length / width; row++)
      if (this.#failures.has(sequenceOf(row))) data.fill(NaN, row * width, (row + 1) * width);
  }

  /** `succeeded`: those that did not fail get their positions; else all are as they were. */
  end(succeeded: boolean): void {
    for (const [sequence, length] of this.#lengths)
      sequence.endPass(succeeded && !this.#failures.has(sequence) ? length : undefined);
  }

  #leave(): void {
    this.#alive--;
    if (this.isAbandoned) this.stop(disposedError());
  }
}
