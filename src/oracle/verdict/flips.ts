/** Where another token is the likeliest, and by how much ours was before the second. */
import type { Floats } from '../../base/tensor.js';
import type { Observed } from '../observed/observed.js';
import type { Comparison } from '../result.js';

export function flipsOf({ rows }: Observed, truth: readonly Floats[]): Comparison['flips'] {
  return rows.flatMap(({ position, theirs, columns }, r) => {
    const ours = indexOfLargest(truth[r]);
    const other = indexOfLargest(theirs);
    if (ours === other) return [];
    const margin = truth[r][ours] - truth[r][other];
    return [{ position, ours: columns?.[ours] ?? ours, theirs: columns?.[other] ?? other, margin }];
  });
}

function indexOfLargest(row: Floats): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}
