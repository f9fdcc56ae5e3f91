/**
 * Products of activations of 8 bits with small weights of 0 … 127, which lie by fours: a lane has
 * four consecutive k of one output.
 *
 * By pairs: an int16 has the sum of every other pair of products, and wraps around. What it holds
 * at the end is right if the end itself fits in 16 bits. By fours (DOT4), where that is a single
 * instruction, sums are int32.
 *
 * 16 products of 127 · 15 fit, or eight of 127 · 31. With an offset, as in q4_0, q5_0 and q6_k, a
 * sum begins at what the offset adds (`quantize.ts`), and it is the difference that must fit.
 */
import { dot2, dot4 } from './block';

export const NIBBLES: u32 = 0x0f0f0f0f;
/** The fifth of each of four bytes' bits. */
export const FIFTH_BIT: u32 = 0x10101010;
/** 1 as two int16. */
export const ONES: u32 = 0x00010001;

/** sum + products of four signed bytes, the same for every output, and 16 small ones. */
// @ts-ignore: decorator
@inline
export function addProducts(sum: v128, x: v128, q: v128): v128 {
  return isDefined(DOT4) ? dot4(x, q, sum) : i16x8.add(sum, dot2(x, q));
}

/** What `addProducts` has summed, an int32 for each of four rows; `ones` is ONES in every lane. */
// @ts-ignore: decorator
@inline
export function total(sum: v128, ones: v128): v128 {
  return isDefined(DOT4) ? sum : i32x4.dot_i16x8_s(sum, ones);
}

/** The same times a factor of each output; `factors` is what `factorsOf` makes of them. */
// @ts-ignore: decorator
@inline
export function weighedTotal(sum: v128, factors: v128): v128 {
  return isDefined(DOT4) ? i32x4.mul(sum, factors) : i32x4.dot_i16x8_s(sum, factors);
}

/** Factors (int32 that fit in 16 bits) as `weighedTotal` takes them. */
// @ts-ignore: decorator
@inline
export function factorsOf(x: v128): v128 {
  if (isDefined(DOT4)) return x;
  return v128.or(v128.and(x, i32x4.splat(0xffff)), i32x4.shl(x, 16));
}

// @ts-ignore: decorator
@inline
export function low(q: v128, nibbles: v128): v128 {
  return v128.and(q, nibbles);
}

// @ts-ignore: decorator
@inline
export function high(q: v128, nibbles: v128): v128 {
  return v128.and(i16x8.shr_u(q, 4), nibbles);
}

/**
 * Four bits and a fifth, which lies `shift` bits below its place. (`fifths` has eight bits for each
 * byte; those of other numbers fall where `fifth`, FIFTH_BIT in every lane, has none.)
 */
// @ts-ignore: decorator
@inline
export function withFifth(four: v128, fifths: v128, shift: i32, fifth: v128): v128 {
  return v128.or(four, v128.and(i32x4.shl(fifths, shift), fifth));
}

/** What sums begin at, twice: for an offset of 16 instead of 8. */
// @ts-ignore: decorator
@inline
export function doubled(offset: v128): v128 {
  return isDefined(DOT4) ? i32x4.add(offset, offset) : i16x8.add(offset, offset);
}

/** What sums begin at, an eighth of it: for an offset of 4 instead of 32. */
// @ts-ignore: decorator
@inline
export function eighth(offset: v128): v128 {
  return isDefined(DOT4) ? i32x4.shr_s(offset, 3) : i16x8.shr_s(offset, 3);
}
