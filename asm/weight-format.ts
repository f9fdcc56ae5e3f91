/**
 * The formats of weights that lie in blocks: llama.cpp's, repacked (README.md). Kernels take one as
 * their type parameter; the classes are only names, and every question about one is answered when
 * the kernel is compiled.
 */

/** Blocks of 32 numbers. */
export class Q8_0 {}
export class Q4_0 {}
export class Q4_1 {}
export class Q5_0 {}
export class Q5_1 {}
/** Superblocks of 256. */
export class Q2_K {}
export class Q3_K {}
export class Q4_K {}
export class Q5_K {}
export class Q6_K {}

/** What is added to the first and the third of four weights of q8_0, as they lie in a tile. */
export const BIAS: u32 = 0x00800080;

/** Of a vector of each of 16 outputs, an int32, a float32 or four bytes. */
const LINE: usize = 4 * 16;
/** Of a float16 of each of 16 outputs. */
const HALVES: usize = 2 * 16;

// @ts-ignore: decorator
@inline
function is<F, G>(): bool {
  return idof<F>() == idof<G>();
}

// @ts-ignore: decorator
@inline
export function isQ8<F>(): bool {
  return is<F, Q8_0>();
}

// @ts-ignore: decorator
@inline
export function isQ6<F>(): bool {
  return is<F, Q6_K>();
}

/** Whether superblocks of 256 numbers share a scale. */
// @ts-ignore: decorator
@inline
export function isK<F>(): bool {
  return is<F, Q2_K>() || is<F, Q3_K>() || is<F, Q4_K>() || is<F, Q5_K>() || is<F, Q6_K>();
}

/** Whether quants have four bits, and perhaps a fifth that lies elsewhere. */
// @ts-ignore: decorator
@inline
export function hasNibbles<F>(): bool {
  return !isQ8<F>() && !hasTwoBits<F>() && !isQ6<F>();
}

// @ts-ignore: decorator
@inline
export function hasFifth<F>(): bool {
  return is<F, Q5_0>() || is<F, Q5_1>() || is<F, Q5_K>();
}

/** Whether quants have two bits, and perhaps a third that lies elsewhere. */
// @ts-ignore: decorator
@inline
export function hasTwoBits<F>(): bool {
  return is<F, Q2_K>() || is<F, Q3_K>();
}

// @ts-ignore: decorator
@inline
export function hasThird<F>(): bool {
  return is<F, Q3_K>();
}

/** Whether a block adds a minimum, instead of taking an offset away from its quants. */
// @ts-ignore: decorator
@inline
export function hasMinimum<F>(): bool {
  return is<F, Q4_1>() || is<F, Q5_1>() || is<F, Q2_K>() || is<F, Q4_K>() || is<F, Q5_K>();
}

/** Of a block of 32 numbers of 16 outputs: quants and fifth bits, scales, minima. */
// @ts-ignore: decorator
@inline
export function blockBytes<F>(): usize {
  return quantBytes<F>() + HALVES + (hasMinimum<F>() ? HALVES : 0);
}

/** Of what lies in front of the scales of a block of 32, or behind those of a superblock. */
// @ts-ignore: decorator
@inline
export function quantBytes<F>(): usize {
  if (isQ8<F>()) return 8 * LINE;
  if (isQ6<F>()) return 16 * 3 * LINE;
  if (hasTwoBits<F>()) return 16 * LINE + (hasThird<F>() ? 8 * LINE : 0);
  return (isK<F>() ? 8 : 1) * (4 * LINE + (hasFifth<F>() ? LINE : 0));
}

/** Where the scales of the blocks of a superblock begin: behind d, and d_min. */
// @ts-ignore: decorator
@inline
export function scalesAt<F>(): usize {
  return hasMinimum<F>() ? 2 * LINE : LINE;
}

/** Where the quants of a superblock begin: a byte for each block's scale, and each minimum. */
// @ts-ignore: decorator
@inline
export function quantsAt<F>(): usize {
  return scalesAt<F>() + 4 * LINE;
}

/** Of a superblock of 16 outputs. */
// @ts-ignore: decorator
@inline
export function superblockBytes<F>(): usize {
  return quantsAt<F>() + quantBytes<F>();
}
