/**
 * The life of a sequence, the same in every engine: what may be done to it, and when. What it holds
 * and where is the engine's business.
 */

import { check, LlamaError } from '../base/errors.js';
import { PAGE_POSITIONS, type Sequence } from './sequence.js';

/** A sequence, and who may use it when: what is the same in every engine. */
export abstract class EngineSequence implements Sequence {
  /** Who created it, and alone can compute it. */
  readonly engine: object;
  #length = 0;
  #disposed = false;
  /** While a pass computes it: what is to be done when it is disposed. */
  #onDispose: (() => void) | undefined;

  constructor(engine: object) {
    this.engine = engine;
  }

  get length(): number {
    return this.#length;
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  truncate(length: number): void {
    this.checkIdle();
    check(
      Number.isInteger(length) && length >= 0 && length <= this.#length,
      'BAD_INPUT',
      () =>
        `cannot truncate a sequence of ${this.#length} positions to ${length}; give an integer ` +
        `from 0 to ${this.#length}`,
    );
    this.#length = length;
    this.forget(length);
  }

  fork(): Sequence {
    this.#checkAlive();
    const twin = this.copy();
    twin.#length = this.#length;
    return twin;
  }

  append(other: Sequence, end: number): void {
    this.checkIdle();
    const isOwn = other instanceof EngineSequence && other.engine === this.engine;
    check(isOwn, 'BAD_INPUT', () => 'both sequences must be of the same model; compute it here');
    other.#checkAlive();
    check(
      Number.isInteger(end) && end >= this.#length && end <= other.#length,
      'BAD_INPUT',
      () =>
        `cannot continue a sequence of ${this.#length} positions up to ${end} with one of ` +
        `${other.#length}; give an integer from the one to the other`,
    );
    this.#checkWhole();
    this.take(other, end);
    this.#length = end;
  }

  abstract readonly isShared: boolean;
  abstract readonly pageBytes: number;

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#length = 0;
    if (this.#onDispose) this.#onDispose();
    else this.forget(0);
  }

  /** Throws DISPOSED, or BAD_INPUT while a pass computes it. */
  checkIdle(): void {
    this.#checkAlive();
    check(
      this.#onDispose === undefined,
      'BAD_INPUT',
      () => 'a forward pass is computing this sequence, one at a time; wait for it to end',
    );
  }

  /** From here on it keeps all that it holds, until `endPass`. */
  beginPass(onDispose: () => void): void {
    this.checkIdle();
    this.#onDispose = onDispose;
  }

  /** `length`: what it has now, if the pass succeeded. */
  endPass(length = this.#length): void {
    this.#onDispose = undefined;
    if (!this.#disposed) this.#length = length;
    this.forget(this.#length);
  }

  /** Another sequence that holds positions 0 … length − 1 of this one. */
  protected abstract copy(): EngineSequence;

  /** Holds positions length … end − 1 of `other`, too. */
  protected abstract take(other: EngineSequence, end: number): void;

  /** Positions from `length` on are not wanted any more: gives their memory back. */
  protected abstract forget(length: number): void;

  #checkWhole(): void {
    check(
      this.#length % PAGE_POSITIONS === 0,
      'BAD_INPUT',
      () =>
        `a sequence of ${this.#length} positions ends within a page; truncate it to a multiple ` +
        `of ${PAGE_POSITIONS}`,
    );
  }

  #checkAlive(): void {
    if (this.#disposed) throw disposedError();
  }
}

export const disposedError = () =>
  new LlamaError('DISPOSED', 'this sequence was disposed; create a new one');
