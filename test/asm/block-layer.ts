/** Linear layers with llama.cpp's blocks as their weights, through the kernels. */
import { BLOCKS } from '../../src/engines/wasm/kernels/linear-layers.js';
import {
  type BlockFormat,
  blocksOf,
  tileBytes,
} from '../../src/engines/wasm/memory/weight-formats.js';
import { REPACKERS } from '../../src/engines/wasm/workers/pack-tile.js';
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import type { Instance } from './instance.js';
import { strideOf } from './linear.js';

export type DType = Uppercase<BlockFormat>;

/** Where a block keeps its f16s, and how often the largest quant has each of them in it. */
export const SCALES: Readonly<Record<DType, readonly (readonly [at: number, times: number])[]>> = {
  Q8_0: [[0, 128]],
  Q4_0: [[0, 15]],
  Q4_1: [
    [0, 15],
    [2, 1],
  ],
  Q5_0: [[0, 31]],
  Q5_1: [
    [0, 31],
    [2, 1],
  ],
  Q2_K: [
    [80, 15 * 3],
    [82, 15],
  ],
  Q3_K: [[108, 32 * 7]],
  Q4_K: [
    [0, 63 * 15],
    [2, 63],
  ],
  Q5_K: [
    [0, 63 * 31],
    [2, 63],
  ],
  Q6_K: [[208, 128 * 63]],
};
export const DTYPES = Object.keys(SCALES) as DType[];

export const formatOf = (dtype: DType) => dtype.toLowerCase() as BlockFormat;

/** `count` rows of blocks as tiles, and how many of their scales cannot be stored. */
export function repack(instance: Instance, dtype: DType, rows: Uint8Array, count: number) {
  const rowBytes = rows.length / count;
  const blocks = rowBytes / BLOCK_FORMATS[dtype].bytes;
  const from = instance.reserve(rows.length);
  instance.bytes(from, rows.length).set(rows);
  const tiles = Math.ceil(count / 16);
  const tile = tileBytes(formatOf(dtype), blocks * BLOCK_FORMATS[dtype].numbers);
  const pointer = instance.reserve(tiles * tile);
  let unstorable = 0;
  for (let t = 0; t < tiles; t++) {
    const some = Math.min(16, count - t * 16);
    const source = from + t * 16 * rowBytes;
    const kernel = instance.kernels[REPACKERS[formatOf(dtype)]];
    unstorable += kernel(pointer + t * tile, source, rowBytes, blocks, some)!;
  }
  return { pointer, unstorable };
}

/** The numbers that blocks stand for. */
export function decoded(dtype: DType, rows: Uint8Array): Float32Array {
  const { bytes, numbers, decode } = BLOCK_FORMATS[dtype];
  const out = new Float32Array((rows.length / bytes) * numbers);
  decode(rows, out);
  return out;
}

/** What a copy of activations takes for 32 numbers, and how many numbers share a scale. */
const COPIES = {
  quantize14: { limit: 8191, perScale: 32, quantBytes: 64, sumBytes: 4 },
  quantize8: { limit: 127, perScale: 32, quantBytes: 32, sumBytes: 4 },
  quantize8K: { limit: 127, perScale: 256, quantBytes: 32, sumBytes: 10 },
} as const;

/** How activations are quantized that meet weights of `dtype`. */
export function quantizationOf(dtype: DType): (typeof COPIES)[keyof typeof COPIES] {
  return COPIES[BLOCKS[formatOf(dtype)].copy];
}

export interface BlockLayer {
  /** The scales of the quantized activations, row by row. */
  readonly scales: Float32Array;
  /** The outputs of rows `first` … `first + count − 1`. */
  multiply(first: number, count: number): Float32Array[];
}

/** The layer with the n outputs at `pointer`, and x [rows, m] as it takes them. */
export function blockLayer(
  instance: Instance,
  dtype: DType,
  x: Float32Array,
  m: number,
  pointer: number,
  n: number,
): BlockLayer {
  const rows = x.length / m;
  const { copy, matmul } = BLOCKS[formatOf(dtype)];
  const { perScale, quantBytes, sumBytes } = quantizationOf(dtype);
  const blocks = blocksOf(m);
  const scalesPerRow = m / perScale;
  const placed = instance.place(x, m, strideOf(m));
  const xq = instance.reserve(rows * blocks * quantBytes);
  const scales = instance.reserve(rows * scalesPerRow * 4);
  const sums = instance.reserve(rows * blocks * sumBytes);
  instance.kernels[copy](xq, scales, sums, placed, strideOf(m), m, 0, rows);
  const tiles = Math.ceil(n / 16);
  const multiply = (first: number, count: number): Float32Array[] => {
    const out = instance.reserve(count * tiles * 64);
    instance.kernels[matmul](
      out,
      tiles * 16,
      xq + first * blocks * quantBytes,
      scales + first * scalesPerRow * 4,
      sums + first * blocks * sumBytes,
      count,
      pointer,
      blocks,
      0,
      tiles,
    );
    return Array.from({ length: count }, (_, r) =>
      instance.floats(out + r * tiles * 64, n).slice(),
    );
  };
  return { scales: instance.floats(scales, rows * scalesPerRow), multiply };
}
