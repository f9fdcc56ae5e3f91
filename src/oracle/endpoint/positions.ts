/** Which places of a text are asked about. */
import { check } from '../../base/errors.js';

/** As many as are asked about where each takes a request. */
export const MOST_SINGLE = 64;

/** All places of a text of `length` tokens. */
export const allPositions = (length: number): number[] =>
  Array.from({ length }, (_, position) => position);

/** At most `count` of them, evenly spread, the first and the last among them. */
export function spreadPositions(length: number, count: number): number[] {
  if (length <= count) return allPositions(length);
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / (count - 1)));
}

/**
 * Ascending, each once.
 * @throws {LlamaError} BAD_INPUT for one that the text does not have
 */
export function orderedPositions(positions: readonly number[], length: number): number[] {
  check(positions.length > 0, 'BAD_INPUT', () => 'no positions are asked about; name one');
  for (const position of positions) {
    const isThere = Number.isInteger(position) && position >= 0 && position < length;
    check(isThere, 'BAD_INPUT', () => {
      return `position ${position} is not in the text of ${length} tokens, 0 to ${length - 1}`;
    });
  }
  return [...new Set(positions)].sort((a, b) => a - b);
}
