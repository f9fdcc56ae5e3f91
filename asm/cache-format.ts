/**
 * The formats of cached keys and values, each named by what a number is stored as. Kernels take one
 * as their type parameter.
 */

/** float32, as computed. */
export type F32 = f32;
/**
 * The bits of an IEEE f16: 2^(e−15) · (1 + f/1024), or 2^−24 · f if e = 0. Infinity and NaN do not
 * occur.
 */
export type F16 = u16;
/**
 * Integers of −127 … 127, times a float32 scale for each position and block of up to 32 numbers of
 * a head.
 */
export type Q8 = i8;

// @ts-ignore: decorator
@inline
export function isF16<T>(): bool {
  return sizeof<T>() == 2;
}

// @ts-ignore: decorator
@inline
export function isQ8<T>(): bool {
  return sizeof<T>() == 1;
}
