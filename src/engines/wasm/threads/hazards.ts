/**
 * Which tensors were touched since the last barrier, so that there is a barrier exactly where one
 * is needed: before reading what another thread may be writing, and before overwriting what another
 * thread may be reading.
 *
 * Work that is divided by rows needs none after work that was divided by as many rows: each thread
 * meets only what is its own.
 *
 * Every thread goes through the same operations in the same order and comes to the same answer.
 */

/** Among how many rows the threads divided the work; undefined if it was divided in another way. */
type Rows = number | undefined;

export class Hazards {
  readonly #read = new Map<object, Rows>();
  readonly #written = new Map<object, Rows>();

  /**
   * True if threads must meet before an operation that reads `reads` and writes `writes`, which it
   * is taken to do next.
   */
  needBarrier(reads: readonly object[], writes: readonly object[], rows?: number): boolean {
    const clashes = (touched: Map<object, Rows>, x: object) =>
      touched.has(x) && (rows === undefined || touched.get(x) !== rows);
    const conflict =
      reads.some(x => clashes(this.#written, x)) ||
      writes.some(x => clashes(this.#written, x) || clashes(this.#read, x));
    if (conflict) this.clear();
    for (const x of reads)
      this.#read.set(x, this.#read.has(x) && this.#read.get(x) !== rows ? undefined : rows);
    for (const x of writes) this.#written.set(x, rows);
    return conflict;
  }

  /** Threads have met. */
  clear(): void {
    this.#read.clear();
    this.#written.clear();
  }
}
