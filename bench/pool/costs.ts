/** What kernels cost, from calls that were timed: a line per kind, so much and so much a number. */
import type { Work } from './work.js';

/** What the clock of a trace cannot tell from nothing, in microseconds. */
const TICK = 0.25;

/** A call, and its microseconds. */
export interface Timed {
  readonly work: Work;
  readonly time: number;
}

/**
 * Microseconds of any call of kinds that were measured. The lines have the least squares of
 * relative errors: small pieces count as much as large ones. Throws if a kind was not measured.
 */
export function costsFrom(calls: readonly Timed[]): (work: Work) => number {
  const kinds = new Set(calls.map(({ work }) => work.kind));
  const lines = new Map(
    [...kinds].map(kind => [kind, lineOf(calls.filter(({ work }) => work.kind === kind))]),
  );
  return ({ kind, numbers }) => {
    const line = lines.get(kind);
    if (line === undefined) throw new Error(`${kind} was not measured`);
    return line.call + line.number * numbers;
  };
}

/** Through the origin if all calls are of one size, or the line would begin below it. */
function lineOf(calls: readonly Timed[]): { readonly call: number; readonly number: number } {
  let [n, x, xx, y, xy] = [0, 0, 0, 0, 0];
  for (const { work, time } of calls) {
    const weight = 1 / Math.max(time, TICK) ** 2;
    n += weight;
    x += weight * work.numbers;
    xx += weight * work.numbers ** 2;
    y += weight * time;
    xy += weight * work.numbers * time;
  }
  const determinant = n * xx - x * x;
  const call = determinant > 1e-9 * n * xx ? (y * xx - x * xy) / determinant : 0;
  const number = (xy - Math.max(0, call) * x) / xx;
  return { call: Math.max(0, call), number };
}
