/** A bug under suspicion: what it would give, and how much of theirs that explains. */
import type { Floats } from '../../base/tensor.js';
import { type Budgets, quotient, type RowBudget, type Rows } from '../budget/budget.js';
import type { Mutant, Variant } from '../mutants/mutant.js';
import type { Observed } from '../observed/observed.js';
import { distance } from '../observed/row-error.js';

/** One bug, or two at once. */
export interface Suspect {
  readonly parts: readonly { readonly mutant: Mutant; readonly variant: Variant }[];
}

export interface Trial extends Suspect {
  /** What it gives of what was observed. */
  readonly rows: Rows;
  /** The part of the squared difference that it accounts for: 1 is all, below 0 it is worse. */
  readonly explains: number;
  /** What is left, as error / budget where that is largest. */
  readonly left: number;
}

/** What was observed, beside the truth; a difference counts by its budget. */
export interface Evidence {
  readonly observed: readonly Observed[];
  readonly truth: Rows;
  readonly budgets: Budgets;
}

/** How much of a tensor's difference may come back where a bug does not fit. */
const WORST = 2;

/**
 * The mean over the tensors that differ, of
 *
 *   1 − Σ ‖theirs − suspect‖² / Σ ‖theirs − truth‖²
 *
 * with each row in units of its budget. Rows that differ neither by what they have nor by the bug
 * are left out: in coarse types many of them would hide the few that differ. A tensor that does not
 * differ must not differ by the bug.
 */
export function tryRows(
  suspect: Suspect,
  rows: Rows,
  { observed, truth, budgets }: Evidence,
): Trial {
  let [unexplained, tensors, left] = [0, 0, 0];
  for (const [t, { rows: theirs }] of observed.entries()) {
    let [own, other] = [0, 0];
    let [isDifferent, isTouched] = [false, false];
    for (const [r, { theirs: row }] of theirs.entries()) {
      const before = ratios(row, truth[t][r], budgets[t][r]);
      const after = ratios(row, rows[t][r], budgets[t][r]);
      left = Math.max(left, after.worst);
      const isWithin = before.worst <= 1 && after.worst <= 1;
      if (isWithin) continue;
      own += before.rms ** 2;
      other += after.rms ** 2;
      if (!(before.worst <= 1)) isDifferent = true;
      isTouched = true;
    }
    if (isDifferent) tensors += 1;
    if (isTouched) unexplained += Math.min(WORST, other / Math.max(own, 1));
  }
  const explains = tensors === 0 ? 0 : 1 - unexplained / tensors;
  return { ...suspect, rows, explains: Number.isNaN(explains) ? -1 : explains, left };
}

function ratios(row: Floats, other: Floats, budget: RowBudget) {
  const { rms, largest } = distance(row, other);
  const ratio = quotient(rms, budget.rms);
  return { rms: ratio, worst: Math.max(ratio, quotient(largest, budget.largest)) };
}

/** Rows that a bug gives; where it gives none, as before a text that is cut, it changes nothing. */
export const filledFrom = (truth: Rows, rows: Rows): Rows =>
  rows.map((of, t) => of.map((row, r) => (Number.isNaN(row[0]) ? truth[t][r] : row)));

export const idOf = ({ parts }: Suspect): string =>
  parts.map(({ mutant }) => mutant.id).join(' + ');
