/** Which texts have rows in which pass. */
import type { FakeModel } from '../../support/fake-model.js';

/** How many rows each text, by its number, has in each pass that is to come. */
export function watch(model: FakeModel): Map<number, number>[] {
  const passes: Map<number, number>[] = [];
  const forward = model.forward.bind(model);
  model.forward = (rows, options) => {
    const counts = new Map<number, number>();
    for (const { sequence } of rows) {
      const which = model.sequences.indexOf(sequence as never);
      counts.set(which, (counts.get(which) ?? 0) + 1);
    }
    passes.push(counts);
    return forward(rows, options);
  };
  return passes;
}

/** A line for each pass, such as `0: 1, 1: 7`. */
export const table = (passes: readonly Map<number, number>[]): string[] =>
  passes.map(counts => [...counts].map(([text, rows]) => `${text}: ${rows}`).join(', '));
