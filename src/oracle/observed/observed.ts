/**
 * What somebody gave of a tensor, row by row, and what of ours is to be compared with it.
 *
 * A file has whole rows; a server tells the log-probabilities of some tokens only, so that ours are
 * taken from the logits and looked at for the same tokens.
 */
import type { Floats } from '../../base/tensor.js';
import { logSumExp } from '../../text/sampling/logprobs.js';
import type { Traced, Wanted } from '../run/run.js';

/** Their numbers of one position. */
export interface ObservedRow {
  /** The position of the text. */
  readonly position: number;
  readonly theirs: Floats;
  /** Which columns of the tensor these are; all of them if not given. */
  readonly columns?: readonly number[];
}

/** Their numbers of one tensor. */
export interface Observed {
  /** By `src/model/trace.ts`. */
  readonly name: string;
  readonly rows: readonly ObservedRow[];
  /** Log-probabilities instead of logits. */
  readonly isNormalized?: boolean;
  /** Whether numbers are stored as float32, bf16 or f16: what EXACT rounds ours to. */
  readonly round: (x: number) => number;
}

/** Rows that a run must give for what was observed. */
export const wantedOf = (observed: readonly Observed[]): Wanted =>
  new Map(observed.map(({ name, rows }) => [name, rows.map(({ position }) => position)]));

/** Our row of every observed one. */
export function ourRows({ name, rows, isNormalized }: Observed, traced: Traced): Floats[] {
  const tensor = traced.get(name);
  if (tensor === undefined) throw new Error(`nothing was traced of ${name}`);
  const width = tensor.data.length / rows.length;
  return rows.map(({ columns }, i) => {
    const row = tensor.data.subarray(i * width, (i + 1) * width);
    const shift = isNormalized ? logSumExp(row) : 0;
    if (columns === undefined && shift === 0) return row;
    const picked = columns ?? row.keys();
    return Float64Array.from(picked, column => row[column] - shift);
  });
}
