/** Sets of bytes, as lists of ranges in order, apart from each other. */

/** The bytes `from` … `to`, both included. */
export type ByteRange = readonly [from: number, to: number];

/** Ranges in order, with a gap between any two; equal sets are equal lists. */
export type ByteSet = readonly ByteRange[];

/** The set of all bytes that one of the ranges has. */
export function byteSet(ranges: readonly ByteRange[]): ByteSet {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

export function hasByte(set: ByteSet, byte: number): boolean {
  return set.some(([from, to]) => byte >= from && byte <= to);
}
