/** Parts of a text. */

/** In UTF-16 units; where `start` is `end`, the place between two of them. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Whether one of `spans`, which are in order and do not overlap, overlaps the text from `start` to
 * `end`, or is a place inside it. Takes the logarithm of their number.
 */
export function overlapsAny(spans: readonly Span[], start: number, end: number): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle].end > start) high = middle;
    else low = middle + 1;
  }
  return low < spans.length && spans[low].start < end;
}
