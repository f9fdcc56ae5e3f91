/**
 * e^x of four floats.
 *
 *   x = k·ln 2 + r,  |r| ≤ ½ ln 2
 *   e^x = 2^k · (1 + (r + r²·(1/2! + r/3! + … + r⁵/7!)))
 *
 * Numerics: `src/ops/exp32.ts` takes the same steps in TypeScript, gives the same bits, and says
 * how far they are from e^x. Products are rounded before they are added. Overflow gives Infinity,
 * results below 2⁻¹²⁶ are subnormal, those below 2⁻¹⁵⁰ zero; NaN stays NaN.
 */

/**
 * Adding it to a number near 0 rounds that to an integer k: the sum is above 2²³, where floats are
 * 1 apart. Its low bits are then k + 254, which is the two exponents (k1 + 127) + (k2 + 127) of 2^k
 * = 2^k1 · 2^k2. Cheaper than `nearest` and `trunc_sat`.
 */
const ROUND_TO_INTEGER: f32 = 12582912 + 254; // 1.5 · 2²³ + 254

// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  // e^89 is Infinity and e^−104 is 0. The order of the operands lets NaN through.
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-104));
  const shifted = f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(ROUND_TO_INTEGER));
  const k = f32x4.sub(shifted, f32x4.splat(ROUND_TO_INTEGER));
  // ln 2 in two parts: the first has 15 bits, so its product with k is exact.
  const r = f32x4.sub(
    f32x4.sub(x, f32x4.mul(k, f32x4.splat(0.693145751953125))),
    f32x4.mul(k, f32x4.splat(1.42860677e-6)),
  );
  let series = f32x4.splat(1 / 5040.0);
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1 / 720.0));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1 / 120.0));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1 / 24.0));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1 / 6.0));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1 / 2.0));
  const y = f32x4.add(f32x4.splat(1), f32x4.add(r, f32x4.mul(f32x4.mul(r, r), series)));
  // In two factors, neither of which overflows or is subnormal: the second product is the only one
  // that rounds.
  const exponents = i32x4.shl(shifted, 10); // without the bits of 1.5 · 2²³
  const half = i32x4.shr_u(exponents, 11);
  const otherHalf = i32x4.sub(i32x4.shr_u(exponents, 10), half);
  return f32x4.mul(f32x4.mul(y, i32x4.shl(half, 23)), i32x4.shl(otherHalf, 23));
}

/** e^x of one float. */
// @ts-ignore: decorator
@inline
export function expOne(x: f32): f32 {
  return f32x4.extract_lane(exp(f32x4.splat(x)), 0);
}

/** out = e^x over `from … to` floats, both multiples of 4. */
export function expRange(out: usize, x: usize, from: u32, to: u32): void {
  for (let offset = (<usize>from) << 2, end = (<usize>to) << 2; offset < end; offset += 16) {
    v128.store(out + offset, exp(v128.load(x + offset)));
  }
}
