/**
 * Products of activations of 8 bits with weights of 4 bits, two of which share a byte.
 *
 * A pair of products is at most 2 · 127 · 15 = 3,810, and a lane meets eight pairs in a block of
 * 32: 30,480 fits in an int16. So pairs are summed as int16, two instructions for 16 products.
 * Where the dot product over four bytes is a single instruction (DOT4), sums are int32, and it
 * takes but one.
 */
import { dot2, dot4 } from './block';

export const NIBBLES: u32 = 0x0f0f0f0f;

/**
 * sum + products of four signed bytes, four times over, and 16 small ones: summed by fours as
 * int32, or by twos as int16.
 */
// @ts-ignore: decorator
@inline
export function addProducts(sum: v128, x: v128, q: v128): v128 {
  return isDefined(DOT4) ? dot4(x, q, sum) : i16x8.add(sum, dot2(x, q));
}

/** What `addProducts` has summed, an int32 for each of four rows. */
// @ts-ignore: decorator
@inline
export function total(sum: v128): v128 {
  return isDefined(DOT4) ? sum : i32x4.extadd_pairwise_i16x8_s(sum);
}

/** The same times a factor; `factors`: that of each row twice, as int16. */
// @ts-ignore: decorator
@inline
export function weighedTotal(sum: v128, factors: v128): v128 {
  return isDefined(DOT4)
    ? i32x4.mul(sum, i32x4.shr_s(factors, 16))
    : i32x4.dot_i16x8_s(sum, factors);
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
 * sum + the products of a line of weights: those of its low nibbles with x, those of its high ones
 * with y.
 */
// @ts-ignore: decorator
@inline
export function addLine(sum: v128, q: v128, x: v128, y: v128, nibbles: v128): v128 {
  return addProducts(addProducts(sum, x, low(q, nibbles)), y, high(q, nibbles));
}
