/**
 * Before a verdict is believed, the oracle must refuse what is wrong: a stub, a constant, shuffled
 * rows, and a bug. An oracle that cannot fail is worth nothing (`docs/oracle.md`).
 */
import type { Floats } from '../../base/tensor.js';
import type { Budgets, Rows } from '../budget/budget.js';
import type { Observed } from '../observed/observed.js';
import { conforms } from '../result.js';
import { judge } from './judge.js';

/** @throws {Error} naming what was taken for right; that is a mistake of this program. */
export function selfTest(
  observed: readonly Observed[],
  truth: Rows,
  budgets: Budgets,
  bug?: { readonly id: string; readonly rows: Rows },
): void {
  const fakes: readonly (readonly [string, Rows])[] = [
    ['a stub of zeros', truth.map(rows => rows.map(row => row.map(() => 0)))],
    ['a constant', truth.map(rows => rows.map(row => row.map(() => row[0])))],
    ['rows in another order', truth.map(rotate)],
    ...(bug === undefined ? [] : [[`the bug ${bug.id}`, bug.rows] as const]),
  ];
  for (const [name, rows] of fakes) {
    const results = judge(replaced(observed, rows), truth, budgets);
    const isShuffled = rows.some(of => of.length > 1) || name !== 'rows in another order';
    if (isShuffled && results.every(({ verdict }) => conforms(verdict)))
      throw new Error(`the oracle took ${name} for right: its verdicts cannot be believed`);
  }
}

const rotate = <T>(rows: readonly T[]): readonly T[] => [...rows.slice(1), ...rows.slice(0, 1)];

const replaced = (observed: readonly Observed[], rows: Rows): Observed[] =>
  observed.map((one, t) => ({
    ...one,
    rows: one.rows.map((row, r) => ({ ...row, theirs: rows[t][r] as Floats })),
  }));
