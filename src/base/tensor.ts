/** Numbers with a shape. Row-major; no arithmetic here: that is what `src/ops` is for. */

export type Floats = Float32Array | Float64Array;

/** Numbers in row-major order, and the shape that they have. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Floats;
}

/**
 * The number of elements of `shape`; 1 for a scalar. Exact to 2^53: 32 layers × 32,768 × 4,096 must
 * not wrap.
 */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `length` zeros, of the type of `numbers`. */
export function zerosLike(numbers: Floats, length: number): Floats {
  return numbers instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
}
