/** Numbers in another order: those of each head, heads of each row, rows of each head. */
import type { Floats, Tensor } from '../../base/tensor.js';

/** Every run of `order.length` numbers of x: place j gets what was at `order[j]`. */
export function toOrder(x: Tensor, order: readonly number[]): void {
  eachRun(x, order.length, (run, before) => {
    for (const [at, from] of order.entries()) run[at] = before[from];
  });
}

/** Undoes `toOrder`. */
export function fromOrder(x: Tensor, order: readonly number[]): void {
  eachRun(x, order.length, (run, before) => {
    for (const [at, from] of order.entries()) run[from] = before[at];
  });
}

/** The order of single numbers, of which runs of `length` stand in `order`. */
export const orderOfRuns = (order: readonly number[], length: number): number[] =>
  order.flatMap(run => Array.from({ length }, (_, i) => run * length + i));

function eachRun(
  { data }: Tensor,
  length: number,
  change: (run: Floats, before: Floats) => void,
): void {
  for (let start = 0; start < data.length; start += length) {
    const run = data.subarray(start, start + length);
    change(run, run.slice());
  }
}
