/**
 * f16 numbers, and how packed weights store them: with another exponent bias.
 *
 *   IEEE's: a sign, 5 exponent bits e, 10 fraction bits f: 2^(e−15) · (1 + f/1024), or 2^−24 · f,
 *   which is subnormal, if e = 0
 *
 *   stored here: the same fields: 2^(e−25) · (1 + f/1024), or 0 if e = f = 0
 *
 * Shifted into a float32 (`<< 13`), the stored bits are the number times 2^−102, exactly. An IEEE
 * f16 would need 2^−112, and its subnormals would be subnormal float32s on the way, which cost a
 * processor 100 cycles each: of weights with a standard deviation of 0.02, one in 400 is. Every f16
 * below 128 can be stored, subnormals too. Larger ones cannot; no weight of such a model is.
 */

/** Halfway from the largest f16 below 128 to 128, where the exponent bits end. */
const LIMIT: f32 = 128 - 0.03125;
/** Sign, exponent and fraction of a stored half, in the upper bits of a float32. */
export const HALF_FIELDS: u32 = 0x8fffe000;
/** 2^102 as a float32: what undoes the 2^−102. */
export const HALF_SCALE: u32 = (127 + 102) << 23;

/** What shifts a lower half, with its sign, to where the fields of a float32 are: as a product. */
export const LOW_HALF: u32 = 1 << 13;

/**
 * The lower halves of four pairs as float32. `shift`, `fields` and `scale` are the constants above.
 */
// @ts-ignore: decorator
@inline
export function lowHalves(pairs: v128, shift: v128, fields: v128, scale: v128): v128 {
  return f32x4.mul(v128.and(i32x4.dot_i16x8_s(pairs, shift), fields), scale);
}

/** The upper ones. */
// @ts-ignore: decorator
@inline
export function highHalves(pairs: v128, fields: v128, scale: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shr_s(pairs, 3), fields), scale);
}

/**
 * Each lane as the nearest f16 (ties to even), in the lower 16 bits as they are stored; `x` must be
 * one that can be stored.
 */
// @ts-ignore: decorator
@inline
export function storedHalf(x: v128): v128 {
  // From 2^e on f16s are multiples of 2^(e−10), below 2^−14 of 2^−24: as float32s are from 2^(e+13)
  // on.
  const binade = i32x4.max_s(v128.and(x, i32x4.splat(0x7f800000)), i32x4.splat(113 << 23));
  const coarse = i32x4.add(binade, i32x4.splat(13 << 23));
  const rounded = f32x4.sub(f32x4.add(f32x4.abs(x), coarse), coarse);
  const stored = i32x4.max_s(
    i32x4.sub(i32x4.shr_u(rounded, 13), i32x4.splat(102 << 10)),
    i32x4.splat(0),
  ); // only 0 is below 0
  return v128.or(stored, i32x4.shr_u(v128.and(x, i32x4.splat(0x80000000)), 16));
}

/** How many lanes cannot be stored: numbers whose nearest f16 is 128 or more, Infinity, NaN. */
// @ts-ignore: decorator
@inline
export function countUnstorable(x: v128): u32 {
  return 4 - popcnt(i32x4.bitmask(f32x4.lt(f32x4.abs(x), f32x4.splat(LIMIT))));
}
