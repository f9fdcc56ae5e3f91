/**
 * sine and cosine in float64, the same bits on every machine.
 *
 *   x = n·π/2 + r, |r| ≤ π/4 (π/2 in three parts, so that the reduction loses nothing: Cody &
 *   Waite, 1980) sin r = r − r³/3! + … + r¹⁷/17!, cos r = 1 − r²/2! + … + r¹⁶/16!, n mod 4 chooses
 *   which and its sign
 *
 * Numerics: r is kept as a sum of two doubles. The first part of π/2 has 33 bits, the second 33
 * more: their products with n are exact for |n| < 2^20, hence the limit |x| ≤ 1.6 million, 50 × the
 * largest angle of a 32,768-token context. Measured error (bench/math-error.ts): at most 0.78 ulp
 * over every one of the 2,097,152 angles that Llama-2-7B-32K can form.
 */

const TWO_OVER_PI = 0.6366197723675814;
const HALF_PI_1 = 1.5707963267341256;
const HALF_PI_2 = 6.077100506303966e-11;
const HALF_PI_3 = 2.0222662487959506e-21;

export const LARGEST_ANGLE = 1.6e6;

/** sin x, the same bits on every machine, with an error below 1 ulp. */
export function sin(x: number): number {
  const quadrant = reduce(x);
  const value = quadrant & 1 ? cosNearZero(high, low) : sinNearZero(high, low);
  return quadrant & 2 ? -value : value;
}

/** cos x, the same bits on every machine, with an error below 1 ulp. */
export function cos(x: number): number {
  const quadrant = reduce(x);
  const value = quadrant & 1 ? sinNearZero(high, low) : cosNearZero(high, low);
  return quadrant === 1 || quadrant === 2 ? -value : value;
}

/** The reduced argument r = high + low: written by `reduce`, read at once by its caller. */
let high = 0;
let low = 0;

/** Returns n mod 4. */
function reduce(x: number): number {
  if (!(Math.abs(x) <= LARGEST_ANGLE))
    throw new RangeError(`sin/cos: |x| must be at most ${LARGEST_ANGLE}, got ${x}`);
  const n = Math.round(x * TWO_OVER_PI);
  const a = x - n * HALF_PI_1; // exact
  const b = n * HALF_PI_2; // exact
  const difference = a - b;
  const bPart = a - difference;
  // a − b = difference + lost, exactly (Knuth's TwoSum)
  const lost = a - (difference + bPart) + (bPart - b);
  const rest = lost - n * HALF_PI_3;
  high = difference + rest;
  low = difference - high + rest;
  return n & 3;
}

/** sin(r + tail) for |r| ≤ π/4 and a tail below one unit in the last place of r. */
function sinNearZero(r: number, tail: number): number {
  const z = r * r;
  let sum = 1 / 355687428096000;
  sum = sum * z - 1 / 1307674368000;
  sum = sum * z + 1 / 6227020800;
  sum = sum * z - 1 / 39916800;
  sum = sum * z + 1 / 362880;
  sum = sum * z - 1 / 5040;
  sum = sum * z + 1 / 120;
  sum = sum * z - 1 / 6;
  return r + (r * z * sum + tail * (1 - z / 2));
}

/** cos(r + tail) for |r| ≤ π/4. */
function cosNearZero(r: number, tail: number): number {
  const z = r * r;
  let sum = 1 / 20922789888000;
  sum = sum * z - 1 / 87178291200;
  sum = sum * z + 1 / 479001600;
  sum = sum * z - 1 / 3628800;
  sum = sum * z + 1 / 40320;
  sum = sum * z - 1 / 720;
  sum = sum * z + 1 / 24;
  const half = z / 2;
  const head = 1 - half;
  return head + (1 - head - half + (z * z * sum - r * tail));
}
