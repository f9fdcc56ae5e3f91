/**
 * How far from the truth honest arithmetic may be: measured, for every row of every tensor.
 *
 *   e(s, r)  the distance of row r from the truth in the s-th drawn arithmetic
 *   scale(r) = √ mean_s e(s, r)²
 *   c        such that max_r e(s, r) / scale(r) > c for a part `falseAlarmRate` of arithmetics s
 *   budget(r) = c · scale(r)
 *
 * The maximum is over everything that is compared, so that the rate is that of a whole comparison.
 * In each arithmetic's own quotient the scale is that of all others: none judges itself. Maxima of
 * many quotients are distributed after Gumbel (Fisher & Tippett 1928), whose two
 * parameters are fitted by moments; that is what leads from a dozen samples to one in a thousand.
 *
 * Both are done twice: for the root mean square of a row, which sees that all of it is off, and for
 * its largest difference, which sees a single number. No scale is below half a unit in the last
 * place of the row's numbers, because everybody has to store them.
 */

import { sum } from '../../base/sum.js';
import type { Floats } from '../../base/tensor.js';
import { distance, size } from '../observed/row-error.js';

export interface RowBudget {
  readonly rms: number;
  readonly largest: number;
}

/** Budgets of the rows of tensors, in the order in which they were observed. */
export type Budgets = readonly (readonly RowBudget[])[];

/** Rows of tensors, as `ourRows` gives them. */
export type Rows = readonly (readonly Floats[])[];

const EULER = 0.5772156649;

/** What is left of the distance when the type that stores it is the only one who rounds. */
export type Unit = number;

export function measureBudgets(
  truth: Rows,
  samples: readonly Rows[],
  unit: Unit,
  falseAlarmRate: number,
): Budgets {
  const errors = samples.map(sample =>
    truth.map((rows, t) => rows.map((row, r) => distance(sample[t][r], row))),
  );
  const floors = truth.map(rows =>
    rows.map(row => {
      const { rms, largest } = size(row);
      return { rms: unit * rms, largest: unit * largest };
    }),
  );
  const scale = (of: keyof RowBudget, t: number, r: number, without?: number) => {
    const others = errors.filter((_, s) => s !== without);
    const square = sum(others.map(error => error[t][r][of] ** 2)) / others.length;
    return Math.max(Math.sqrt(square), floors[t][r][of]);
  };
  const highest = (of: keyof RowBudget) =>
    errors.map((error, s) =>
      largestOf(error, (row, t, r) => quotient(row[of], scale(of, t, r, s))),
    );
  const factors = {
    rms: gumbelQuantile(highest('rms'), falseAlarmRate / 2),
    largest: gumbelQuantile(highest('largest'), falseAlarmRate / 2),
  };
  return truth.map((rows, t) =>
    rows.map((_, r) => ({
      rms: factors.rms * scale('rms', t, r),
      largest: factors.largest * scale('largest', t, r),
    })),
  );
}

/** error / budget; nothing is within a budget of nothing. */
export const quotient = (error: number, budget: number): number =>
  error === 0 ? 0 : error / budget;

function largestOf<T>(
  rows: readonly (readonly T[])[],
  value: (row: T, t: number, r: number) => number,
): number {
  let largest = 0;
  for (const [t, of] of rows.entries())
    for (const [r, row] of of.entries()) largest = Math.max(largest, value(row, t, r));
  return largest;
}

/** What a part `rate` of such maxima is above; never below the largest one seen. */
function gumbelQuantile(maxima: readonly number[], rate: number): number {
  const mean = sum(maxima) / maxima.length;
  const variance = sum(maxima.map(x => (x - mean) ** 2)) / (maxima.length - 1);
  const beta = Math.sqrt(6 * variance) / Math.PI;
  const quantile = mean - EULER * beta - beta * Math.log(-Math.log(1 - rate));
  return Math.max(quantile, ...maxima);
}
