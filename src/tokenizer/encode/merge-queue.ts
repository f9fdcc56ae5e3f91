/**
 * A priority queue of (rank, position): lowest rank first, of equal ranks the lowest position. A
 * binary heap (Williams, CACM 7(6), 1964) whose keys are rank · n + position, exact in a double as
 * long as ranks · n < 2^53.
 */
import { type MergeTable, NO_MERGE } from '../model/merge-table.js';

export class MergeQueue {
  /** Of what `pop` took out last. */
  rank = 0;
  position = 0;
  readonly #heap: Float64Array;
  readonly #n: number;
  #size = 0;

  /**
   * Holds the merges of `found` (by position; NO_MERGE for none) and has room for those that n − 1
   * merges bring forth.
   */
  constructor(found: Int32Array, { rank }: MergeTable) {
    this.#n = found.length;
    // Each merge takes one entry out and puts two in at most.
    this.#heap = new Float64Array(2 * found.length);
    for (let i = 0; i < found.length; i++) {
      if (found[i] !== NO_MERGE) this.#heap[this.#size++] = rank[found[i]] * this.#n + i;
    }
    for (let i = (this.#size >> 1) - 1; i >= 0; i--) this.#sink(i, this.#heap[i]);
  }

  push(rank: number, position: number): void {
    this.#rise(this.#size++, rank * this.#n + position);
  }

  /** Takes out the first, into `rank` and `position`; false if there is none. */
  pop(): boolean {
    if (this.#size === 0) return false;
    const key = this.#heap[0];
    this.rank = Math.floor(key / this.#n);
    this.position = key - this.rank * this.#n;
    const last = this.#heap[--this.#size];
    if (this.#size > 0) this.#sink(0, last);
    return true;
  }

  /** Puts `key` at `at` or, while it is less than the entry above, higher. */
  #rise(at: number, key: number): void {
    const heap = this.#heap;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above] <= key) break;
      heap[at] = heap[above];
      at = above;
    }
    heap[at] = key;
  }

  /** Puts `key` at `at` or, while one of the two entries below is less, lower. */
  #sink(at: number, key: number): void {
    const heap = this.#heap;
    const size = this.#size;
    for (let below = 2 * at + 1; below < size; below = 2 * at + 1) {
      if (below + 1 < size && heap[below + 1] < heap[below]) below++;
      if (heap[below] >= key) break;
      heap[at] = heap[below];
      at = below;
    }
    heap[at] = key;
  }
}
