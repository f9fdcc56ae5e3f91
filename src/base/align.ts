/** Where things may begin. */

/** The first multiple of `to` that is not below `x`; exact to 2^53, unlike the bitwise way. */
export function alignTo(x: number, to: number): number {
  return Math.ceil(x / to) * to;
}
