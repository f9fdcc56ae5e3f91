/**
 * What a thread of the pool did and when, written down by `traced-worker.ts` into memory that the
 * main thread reads: a record of numbers for each call of a kernel and each wait at a barrier.
 */
import { KERNELS } from '../../src/engines/wasm/kernels/exports.js';

/** Room for the arguments of any kernel. */
const ARGUMENTS = 16;
const FIELDS = 3 + ARGUMENTS;
const RECORDS = 50_000;
export const TRACE_BYTES = (1 + RECORDS * FIELDS) * 8;

const NAMES = ['barrier', ...Object.keys(KERNELS)];

export interface Span {
  /** Of the kernel, or `barrier`. */
  readonly name: string;
  /** Milliseconds since the process began. */
  readonly start: number;
  readonly end: number;
  /** Of the kernel, in their order; zeros follow. */
  readonly args: readonly number[];
}

/** Spans in shared memory: one thread adds, another takes while the first is at rest. */
export class Trace {
  readonly #numbers: Float64Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer) {
    this.#numbers = new Float64Array(buffer);
  }

  /** Throws RangeError if there is no room left. */
  add(name: string, start: number, end: number, args: readonly number[]): void {
    const numbers = this.#numbers;
    const at = 1 + numbers[0] * FIELDS;
    if (at === numbers.length) throw new RangeError('a trace is full: take what is in it');
    numbers[0]++;
    numbers[at] = NAMES.indexOf(name);
    numbers[at + 1] = start;
    numbers[at + 2] = end;
    for (let i = 0; i < ARGUMENTS; i++) numbers[at + 3 + i] = args[i] ?? 0;
  }

  /** What was added since the last time, in its order. */
  take(): Span[] {
    const [count] = this.#numbers;
    this.#numbers[0] = 0;
    return Array.from({ length: count }, (_, i) => {
      const at = 1 + i * FIELDS;
      const [name, start, end, ...args] = this.#numbers.subarray(at, at + FIELDS);
      return { name: NAMES[name], start, end, args };
    });
  }
}
