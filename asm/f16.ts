/** IEEE f16 numbers, as keys and values are cached; packed weights store theirs otherwise (`half.ts`). */

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
  return sign | (((size + 0xfff + odd) >> 13) - (112 << 10)); // the two count exponents from 127 and from 15
}
