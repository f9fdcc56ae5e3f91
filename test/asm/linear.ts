/** A linear layer through the kernels, with whatever its format needs first. */
import { PANEL_BYTES } from '../../src/engines/wasm/memory/thread-scratch.js';
import { blocksOf } from '../../src/engines/wasm/memory/weight-formats.js';
import type { Instance } from './instance.js';
import type { Packed } from './packed.js';

export interface Options {
  /** Ranges of tiles, one call each. Default: all in one. */
  readonly tiles?: readonly (readonly [first: number, end: number])[];
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
    const scratch = instance.reserve(PANEL_BYTES);
    if (format === 'q8_0' || format === 'q4_0') {
      const xq = instance.reserve(rows * blocks * 64);
      const scales = instance.reserve(rows * blocks * 4);
      const sums = instance.reserve(rows * blocks * 4);
      const [quantize, matmul] =
        format === 'q8_0'
          ? [kernels.quantize14, kernels.matmulQ8]
          : [kernels.quantize8, kernels.matmulQ4];
      quantize(xq, scales, sums, placed, strideOf(m), m, 0, rows);
      return (first, end) => matmul(...before, xq, scales, sums, rows, w, blocks, first, end);
    }
    const stride = strideOf(m);
    let numbers = placed;
    if (format === 'f16') {
      numbers = instance.reserve(rows * stride * 4);
      kernels.scaleForF16(numbers, 0, 0, placed, stride, m, 0, rows);
    }
    const { matmulF32, matmulBF16, matmulF16 } = kernels;
    const matmul = format === 'f32' ? matmulF32 : format === 'bf16' ? matmulBF16 : matmulF16;
    return (first, end) => matmul(...before, numbers, stride, rows, w, m, first, end, scratch);
  }
}
