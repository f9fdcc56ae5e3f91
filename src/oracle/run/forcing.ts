/** Forced mode: their numbers in the place of ours, so that each operation starts from those. */
import type { Floats, Tensor } from '../../base/tensor.js';
import type { RunOptions } from './run.js';
import type { Step } from './setup.js';

/** By the names of tensors, rows by the places of the text. */
export type Theirs = ReadonlyMap<string, ReadonlyMap<number, Floats>>;

export function forcing(theirs: Theirs): NonNullable<RunOptions['force']> {
  return (name: string, { shape, data }: Tensor, steps: readonly Step[]) => {
    const rows = theirs.get(name);
    // attention weights come after what they are for
    if (rows === undefined || name.endsWith('.probabilities')) return;
    const width = shape[1];
    for (const [r, { place }] of steps.entries()) {
      const row = place === undefined ? undefined : rows.get(place);
      if (row !== undefined) data.set(row, r * width);
    }
  };
}
