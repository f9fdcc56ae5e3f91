/** A bug under suspicion: what it would give, and how much of theirs that explains. */
import { type Budgets, quotient, type Rows } from '../budget/budget.js';
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
 * with each row in units of its budget. A tensor that does not differ must not differ by the bug.
 */
export function tryRows(
  suspect: Suspect,
  rows: Rows,
  { observed, truth, budgets }: Evidence,
): Trial {
  let [unexplained, tensors, left] = [0, 0, 0];
  for (const [t, { rows: theirs }] of observed.entries()) {
    let [own, other] = [0, 0];
    for (const [r, { theirs: row }] of theirs.entries()) {
      const budget = budgets[t][r];
      const after = distance(row, rows[t][r]);
      own += quotient(distance(row, truth[t][r]).rms, budget.rms) ** 2;
      other += quotient(after.rms, budget.rms) ** 2;
      const ratio = quotient(after.largest, budget.largest);
      left = Math.max(left, quotient(after.rms, budget.rms), ratio);
    }
    const isDifferent = own > theirs.length;
    if (isDifferent) tensors += 1;
    if (isDifferent || other > theirs.length)
      unexplained += Math.min(WORST, other / Math.max(own, theirs.length));
  }
  const explains = tensors === 0 ? 0 : 1 - unexplained / tensors;
  return { ...suspect, rows, explains: Number.isNaN(explains) ? -1 : explains, left };
}

/** Rows that a bug gives; where it gives none, as before a text that is cut, it changes nothing. */
export const filledFrom = (truth: Rows, rows: Rows): Rows =>
  rows.map((of, t) => of.map((row, r) => (Number.isNaN(row[0]) ? truth[t][r] : row)));

export const idOf = ({ parts }: Suspect): string =>
  parts.map(({ mutant }) => mutant.id).join(' + ');
