/**
 * Which tensors were touched since the last barrier, so that there is a barrier exactly where one is needed: before reading what another
 * thread may be writing, and before overwriting what another thread may be reading.
 *
 * Every thread goes through the same operations in the same order and comes to the same answer.
 */
export class Hazards {
  private readonly read = new Set<object>();
  private readonly written = new Set<object>();

  /** True if threads must meet before an operation that reads `reads` and writes `writes`, which it is taken to do next. */
  needBarrier(reads: readonly object[], writes: readonly object[]): boolean {
    const conflict = reads.some(x => this.written.has(x)) || writes.some(x => this.written.has(x) || this.read.has(x));
    if (conflict) this.clear();
    for (const x of reads) this.read.add(x);
    for (const x of writes) this.written.add(x);
    return conflict;
  }

  /** Threads have met. */
  clear(): void {
    this.read.clear();
    this.written.clear();
  }
}
