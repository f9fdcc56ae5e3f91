/** The beginning of a text, in what was observed of it. */
import type { Evidence } from './suspect.js';

/** What was observed of the positions before `end`. */
export function untilPosition({ observed, truth, budgets }: Evidence, end: number): Evidence {
  const isBefore = observed.map(({ rows }) => rows.map(({ position }) => position < end));
  const cut = <T>(rows: readonly (readonly T[])[]) =>
    rows.map((of, t) => of.filter((_, r) => isBefore[t][r]));
  const rows = cut(observed.map(one => one.rows));
  const keep = (_: unknown, t: number) => rows[t].length > 0;
  return {
    observed: observed.map((one, t) => ({ ...one, rows: rows[t] })).filter(keep),
    truth: cut(truth).filter(keep),
    budgets: cut(budgets).filter(keep),
  };
}
