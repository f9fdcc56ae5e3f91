/**
 * IEEE f16 numbers, as keys and values are cached; packed weights store theirs otherwise
 * (`half.ts`).
 */

/** Halfway from 65,504, the largest f16, to the 65,536 that would be next. */
const LIMIT: u32 = 0x477ff000; // 65,520
const SMALLEST_NORMAL: u32 = 0x38800000; // 2^−14

/** Whether no f16 is near `x`: its size is 65,520 or more, or it is NaN. */
// @ts-ignore: decorator
@inline
export function isBeyondF16(x: f32): bool {
  return (reinterpret<u32>(x) & 0x7fffffff) >= LIMIT;
}

/** The bits of the f16 nearest to `x`, ties to even. */
// @ts-ignore: decorator
@inline
export function f16Bits(x: f32): u32 {
  const sign = (reinterpret<u32>(x) >> 16) & 0x8000;
  const size = reinterpret<u32>(x) & 0x7fffffff;
  if (size < SMALLEST_NORMAL) {
    // Multiples of 2^−24: one unit in the last place of a float32 between 0.5 and 1.
    return sign | (reinterpret<u32>(reinterpret<f32>(size) + 0.5) - reinterpret<u32>(<f32>0.5));
  }
  const odd = (size >> 13) & 1;
  // the two count exponents from 127 and from 15
  return sign | (((size + 0xfff + odd) >> 13) - (112 << 10));
}

/**
 * Exponent and fraction of an f16, moved into the fields of a float32, are 2¹¹² too small, because
 * the two count exponents from 15 and from 127. The product is exact, of subnormal numbers too.
 * Infinity and NaN (exponent field 31) would become numbers from 2¹⁶ on, which no f16 is: there the
 * exponent field becomes that of float32's Infinity and NaN.
 */
// @ts-ignore: decorator
@inline
export function fromF16(bits: v128): v128 {
  const size = f32x4.mul(
    i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13),
    i32x4.splat((127 + 112) << 23), // 2¹¹²
  );
  const special = v128.and(f32x4.ge(size, f32x4.splat(65536)), i32x4.splat(0x7f800000));
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16);
  return v128.or(v128.or(size, special), sign);
}
