/** Small helpers to build tensors in tests. */
import type { Tensor } from '../../src/base/tensor.js';

export function tensor(
  shape: readonly number[],
  values: ArrayLike<number>,
): Tensor & { data: Float64Array } {
  return { shape, data: Float64Array.from(values) };
}

export function zeros(...shape: number[]): Tensor & { data: Float64Array } {
  return { shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)) };
}

/** Reproducible numbers in (−1, 1): a linear congruential generator (Numerical Recipes, ch. 7). */
export function noise(length: number, seed = 1): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  });
}

/** The largest |a − b|. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`lengths differ: ${a.length} and ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference; // a NaN is a difference
  }
  return largest;
}

/** Standard deviation of all numbers. */
export function spread(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i];
  const mean = sum / x.length;
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += (x[i] - mean) ** 2;
  return Math.sqrt(squares / x.length);
}

/** The largest difference in σ, standard deviations of what is true. */
export function distance(x: ArrayLike<number>, truth: ArrayLike<number>): number {
  return largestDifference(x, truth) / spread(truth);
}

/** √(mean of (a − b)²). */
export function rootMeanSquareDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i] - b[i]) ** 2;
  return Math.sqrt(squares / a.length);
}

/** The same as float32. */
export const float32 = (length: number, seed: number): Float32Array =>
  Float32Array.from(noise(length, seed));

/** Bits, so that −0, NaN and the last place count. */
export const bits = (x: Float32Array): number[] => [
  ...new Uint32Array(x.buffer, x.byteOffset, x.length),
];
