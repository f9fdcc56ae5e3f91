/** Barriers: wherever two threads could meet at one number and one of them writes it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hazards } from '../../../src/engines/wasm/threads/hazards.js';

interface Operation {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly rows: number | undefined;
}

const tensors = [{}, {}, {}, {}];
const THREADS = 2;

/**
 * Which of 12 numbers of a tensor a thread touches: its rows if the work is divided by rows, else
 * it might be any.
 */
function touched(thread: number, rows: number | undefined): number[] {
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  if (rows === undefined) return numbers;
  const [from, to] = [thread, thread + 1].map(t => Math.floor((rows * t) / THREADS) * (12 / rows));
  return numbers.slice(from, to);
}

/**
 * Whether thread 0 in one operation and thread 1 in another touch the same number, which one of
 * them writes.
 */
function collide(a: Operation, b: Operation): boolean {
  const shared = (xs: readonly number[], ys: readonly number[]) => xs.some(x => ys.includes(x));
  const pairs =
    shared(a.writes, b.writes) || shared(a.writes, b.reads) || shared(a.reads, b.writes);
  const numbers = [0, 1].some(t => shared(touched(t, a.rows), touched(1 - t, b.rows)));
  return pairs && numbers;
}

const operation = fc.record({
  reads: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  writes: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 2 }),
  rows: fc.constantFrom(undefined, 2, 3, 4, 6),
});

describe('barriers', () => {
  it('separate all operations in which threads could collide', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), operations => {
        const hazards = new Hazards();
        let since: Operation[] = [];
        for (const next of operations) {
          const [reads, writes] = [next.reads, next.writes].map(list => list.map(i => tensors[i]));
          if (hazards.needBarrier(reads, writes, next.rows)) since = [];
          expect(since.filter(earlier => collide(earlier, next))).toEqual([]);
          since.push(next);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('are spared between steps that divide the same rows: norm, quantization, sum', () => {
    const hazards = new Hazards();
    const [residual, normed, copy, out] = tensors;
    expect(hazards.needBarrier([residual], [normed], 3)).toBe(false);
    expect(hazards.needBarrier([normed], [copy], 3)).toBe(false);
    expect(hazards.needBarrier([copy], [out]), 'a matrix product reads every row').toBe(true);
    expect(hazards.needBarrier([copy], [residual]), 'and so does the next').toBe(false);
    expect(hazards.needBarrier([residual], [residual], 3)).toBe(true);
    expect(hazards.needBarrier([residual], [normed], 4), 'other rows').toBe(true);
  });
});
