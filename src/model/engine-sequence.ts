/**
 * The life of a sequence, the same in every engine: what may be done to it, and when. What it holds
 * and where is the engine's business.
 */

import { check, LlamaError } from '../base/errors.js';
import { PAGE_POSITIONS, type PageParts, type Sequence } from './sequence.js';

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
    this.#checkPages(this.#length, this.#length, true);
    this.take(other, end);
    this.#length = end;
  }

  exportPages(from: number, end: number): readonly PageParts[] {
    this.#checkAlive();
    this.#checkPages(from, end, end <= this.#length);
    return this.partsOf(from, end);
  }

  async importPages(
    end: number,
    fill: (pages: readonly PageParts[]) => Promise<void>,
  ): Promise<void> {
    this.checkIdle();
    this.#checkPages(this.#length, end, true);
    this.beginPass(() => {});
    let length: number | undefined;
    try {
      this.reserve(end);
      await fill(this.partsOf(this.#length, end));
      length = end;
    } finally {
      this.endPass(length);
    }
    this.#checkAlive();
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

  /** Makes room for positions length … end − 1. Throws OUT_OF_MEMORY. */
  protected abstract reserve(end: number): void;

  /** The memory of positions from … end − 1, whole pages that there is room for. */
  protected abstract partsOf(from: number, end: number): PageParts[];

  /** Positions from `length` on are not wanted any more: gives their memory back. */
  protected abstract forget(length: number): void;

  /** That pages begin at `from` and at `end`, the one before the other. */
  #checkPages(from: number, end: number, isHere: boolean): void {
    const isWhole = from % PAGE_POSITIONS === 0 && end % PAGE_POSITIONS === 0;
    check(
      isWhole && from >= 0 && from <= end && isHere,
      'BAD_INPUT',
      () =>
        `positions ${from} to ${end} are no whole pages of a sequence of ${this.#length}; give ` +
        `multiples of ${PAGE_POSITIONS}`,
    );
  }

  #checkAlive(): void {
    if (this.#disposed) throw disposedError();
  }
}

export const disposedError = () =>
  new LlamaError('DISPOSED', 'this sequence was disposed; create a new one');
