/** Positions as columns of a heat map: each its own, or several together if there are many. */
import { groupDigits } from '../../../base/table.js';
import type { TensorResult } from '../../result.js';

/** As many as can still be told apart. */
const MOST = 128;

export interface Column {
  readonly from: number;
  readonly to: number;
}

/** All positions that any of the tensors has, in columns of as many each. */
export function columnsOf(tensors: readonly TensorResult[]): Column[] {
  const all = new Set(tensors.flatMap(({ rows }) => rows.map(({ position }) => position)));
  const positions = Float64Array.from(all).sort();
  const size = Math.ceil(positions.length / MOST);
  return Array.from({ length: Math.ceil(positions.length / Math.max(1, size)) }, (_, i) => {
    const own = positions.subarray(i * size, (i + 1) * size);
    return { from: own[0], to: own[own.length - 1] };
  });
}

/** The largest ratio of the tensor in each column; undefined where it has none. */
export function worstInColumns(
  { rows }: TensorResult,
  columns: readonly Column[],
): (number | undefined)[] {
  const worst = new Array<number | undefined>(columns.length).fill(undefined);
  for (const { position, ratio } of rows) {
    const column = columnAt(columns, position);
    worst[column] = Math.max(worst[column] ?? 0, ratio); // NaN, once one is there
  }
  return worst;
}

/** The column that has a position, by halving. */
export function columnAt(columns: readonly Column[], position: number): number {
  let [low, high] = [0, columns.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (columns[middle].to < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const showColumn = ({ from, to }: Column): string =>
  from === to ? groupDigits(from) : `${groupDigits(from)}–${groupDigits(to)}`;
