/** Their rows beside ours and the budgets: a verdict for each tensor. */
import type { Floats } from '../../base/tensor.js';
import { type Budgets, quotient, type RowBudget, type Rows } from '../budget/budget.js';
import type { Observed, ObservedRow } from '../observed/observed.js';
import { distance } from '../observed/row-error.js';
import type { RowError, TensorResult, Verdict, WorstNumber } from '../result.js';

/** In the order in which the tensors were observed. */
export function judge(
  observed: readonly Observed[],
  truth: Rows,
  budgets: Budgets,
): TensorResult[] {
  return observed.map((one, t) => judgeTensor(one, truth[t], budgets[t]));
}

function judgeTensor(
  { name, rows, round }: Observed,
  truth: readonly Floats[],
  budgets: readonly RowBudget[],
): TensorResult {
  const errors = rows.map((row, r) => rowError(row, truth[r], budgets[r]));
  const maxRatio = errors.reduce((most, { ratio }) => Math.max(most, ratio), 0);
  const at = errors.findIndex(({ ratio }) => Object.is(ratio, maxRatio));
  return {
    name,
    verdict: verdictOf(rows, truth, maxRatio, round),
    maxRatio,
    worst: worstNumber(rows[at], truth[at]),
    ...norms(rows, truth),
    rows: errors,
  };
}

function rowError({ position, theirs }: ObservedRow, truth: Floats, budget: RowBudget): RowError {
  const { rms, largest } = distance(theirs, truth);
  const ratio = Math.max(quotient(rms, budget.rms), quotient(largest, budget.largest));
  return { position, error: rms, budget: budget.rms, ratio };
}

function verdictOf(
  rows: readonly ObservedRow[],
  truth: readonly Floats[],
  maxRatio: number,
  round: (x: number) => number,
): Verdict {
  if (rows.some(({ theirs }) => !theirs.every(Number.isFinite))) return 'INVALID';
  if (!(maxRatio <= 1)) return 'WRONG'; // NaN is no pass
  const isExact = rows.every(({ theirs }, r) => theirs.every((x, i) => x === round(truth[r][i])));
  return isExact ? 'EXACT' : 'WITHIN_BUDGET';
}

function worstNumber({ position, theirs, columns }: ObservedRow, truth: Floats): WorstNumber {
  const { column } = distance(theirs, truth);
  return {
    row: position,
    column: columns?.[column] ?? column,
    ours: truth[column],
    theirs: theirs[column],
  };
}

function norms(rows: readonly ObservedRow[], truth: readonly Floats[]) {
  let [difference, own, other] = [0, 0, 0];
  for (const [r, { theirs }] of rows.entries()) {
    for (let i = 0; i < theirs.length; i++) {
      difference += (theirs[i] - truth[r][i]) ** 2;
      own += truth[r][i] ** 2;
      other += theirs[i] ** 2;
    }
  }
  return { relL2: Math.sqrt(difference / own), normRatio: Math.sqrt(other / own) };
}
