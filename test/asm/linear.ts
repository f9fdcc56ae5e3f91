/** A linear layer through the kernels, with whatever its format needs first. */
import { blocksOf } from '../../src/engines/wasm/memory/weight-formats.js';
import type { Instance } from './instance.js';
import type { Packed } from './packed.js';

export interface Options {
  /** Ranges of tiles, one call each. Default: all in one. */
  readonly tiles?: readonly (readonly [first: number, end: number])[];
  /** q8_0: activations as two 7-bit halves. */
  readonly halves?: boolean;
}

/** How far apart rows of activations are. */
export const strideOf = (width: number): number => Math.ceil(width / 16) * 16;

/** x [rows, m] · W [n, m]ᵀ: out [rows, n padded to 16], at `pointer` as an array of its own. */
export function linear(
  instance: Instance,
  x: ArrayLike<number>,
  weights: Packed,
  n: number,
  options: Options = {},
): { numbers: Float32Array; pointer: number } {
  const { kernels } = instance;
  const { m, format, pointer: w } = weights;
  const rows = x.length / m;
  const tiles = Math.ceil(n / 16);
  const out = instance.reserve(rows * tiles * 64);
  const placed = instance.place(x, m, strideOf(m));
  const call = prepare();
  for (const [first, end] of options.tiles ?? [[0, tiles]]) call(first, end);
  return { numbers: instance.floats(out, rows * tiles * 16), pointer: out };

  function prepare(): (first: number, end: number) => void {
    const blocks = blocksOf(m);
    const before = [out, tiles * 16] as const;
    if (format === 'q8_0') {
      const xq = instance.reserve(rows * blocks * 64);
      const scales = instance.reserve(rows * blocks * 4);
      const { halves } = options;
      const [quantize, matmul] = halves
        ? [kernels.quantize14Halves, kernels.matmulQ8Halves]
        : [kernels.quantize14, kernels.matmulQ8];
      quantize(xq, scales, placed, strideOf(m), m, 0, rows);
      return (first, end) => matmul(...before, xq, scales, rows, w, blocks, first, end);
    }
    if (format === 'q4_0') {
      const xq = instance.reserve(rows * blocks * 32);
      const scales = instance.reserve(rows * blocks * 4);
      const sums = instance.reserve(rows * blocks * 4);
      kernels.quantize8(xq, scales, sums, placed, strideOf(m), m, 0, rows);
      return (first, end) =>
        kernels.matmulQ4(...before, xq, scales, sums, rows, w, blocks, first, end);
    }
    const { matmulF32, matmulBF16, matmulF16 } = kernels;
    const matmul = format === 'f32' ? matmulF32 : format === 'bf16' ? matmulBF16 : matmulF16;
    return (first, end) => matmul(...before, placed, strideOf(m), rows, w, m, first, end);
  }
}
