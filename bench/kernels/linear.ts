/** Linear layers: a single row, with weights from memory; 32 rows, with weights from the cache. */

import type { Build } from '../../src/engines/wasm/kernels/builds.js';
import type { KernelExports } from '../../src/engines/wasm/kernels/exports.js';
import { BLOCKS, NUMBERS } from '../../src/engines/wasm/kernels/linear-layers.js';
import {
  type BlockFormat,
  blocksOf,
  type PackedFormat,
  tileBytes,
} from '../../src/engines/wasm/memory/weight-formats.js';
import { PACKERS, REPACKERS } from '../../src/engines/wasm/workers/pack-tile.js';
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import { best } from '../best.js';
import type { Kernels } from './kernels.js';
import { type Peaks, SLICE } from './peaks.js';

const M = 4096;
const ROWS = 32;
const STRIDE = 1024;
const [X, XQ, X_SCALES, X_SUMS, SCRATCH, OUT, WEIGHTS] = [1, 2, 3, 4, 5, 6, 8].map(
  i => i * 2 ** 20,
);

export const FORMATS = Object.keys({ ...NUMBERS, ...BLOCKS }) as PackedFormat[];

/** Bytes of weights per second for one row, and operations per second for many, both in 10^9. */
export function measureLinear(kernels: Kernels, format: PackedFormat) {
  const { exports, numbers, memory } = kernels;
  const tile = tileBytes(format, M);
  const bytes = new Uint8Array(memory.buffer);
  const tiles = Math.floor((bytes.length - WEIGHTS) / tile);
  makeTile(kernels, format);
  for (let t = 1; t < tiles; t++) bytes.copyWithin(WEIGHTS + t * tile, WEIGHTS, WEIGHTS + tile);
  numbers(X, ROWS * M);

  const one = linear(exports, format, 1);
  const piece = Math.ceil(SLICE / tile);
  let next = 0;
  const decode = best(() => {
    next = next + piece > tiles ? 0 : next;
    one(next, next + piece);
    next += piece;
  });
  const many = linear(exports, format, ROWS);
  const prefill = best(() => many(0, 1));
  return { read: (piece * tile) / decode / 1e6, operations: (2 * ROWS * 16 * M) / prefill / 1e6 };
}

const dtypeOf = (format: BlockFormat) => format.toUpperCase() as Uppercase<BlockFormat>;

/** The first tile of `WEIGHTS`. */
function makeTile({ exports, memory, numbers }: Kernels, format: PackedFormat): void {
  numbers(X, 16 * M);
  if (format in PACKERS) {
    exports[PACKERS[format as keyof typeof PACKERS]](WEIGHTS, X, M, M, 16);
    return;
  }
  const blockFormat = format as BlockFormat;
  const { bytes, numbers: count, encode } = BLOCK_FORMATS[dtypeOf(blockFormat)];
  const blocks = M / count;
  const rows = new Uint8Array(16 * blocks * bytes);
  // What nothing here writes is whatever its bytes are: zeros, which take as long.
  encode?.(new Float32Array(memory.buffer, X, 16 * M), rows);
  new Uint8Array(memory.buffer, X, rows.length).set(rows);
  exports[REPACKERS[blockFormat]](WEIGHTS, X, blocks * bytes, blocks, 16);
}

/** What `operations` cannot exceed: the peak of the instruction that the kernel consists of. */
export function linearLimit(
  build: Build,
  format: PackedFormat,
  { mulAdd, dot, pairs, fours }: Peaks,
): number {
  if (format === 'f32' || format === 'f16' || format === 'bf16') return mulAdd;
  // a weight of 8 bits meets two halves of an activation
  if (build === 'dot4') return format === 'q8_0' ? fours! / 2 : fours!;
  return build === 'relaxed' && format !== 'q8_0' ? pairs! : dot;
}

/**
 * Computes one tile for `rows` rows, always to the same place. Arguments one by one: to spread them
 * would take longer than a small tile.
 */
function linear(
  kernels: KernelExports,
  format: PackedFormat,
  rows: number,
): (from: number, to: number) => void {
  if (format in BLOCKS) {
    const { copy, matmul: name } = BLOCKS[format as keyof typeof BLOCKS];
    kernels[copy](XQ, X_SCALES, X_SUMS, X, M, M, 0, rows);
    const matmul = kernels[name];
    const blocks = blocksOf(M);
    return (from, to) => matmul(OUT, STRIDE, XQ, X_SCALES, X_SUMS, rows, WEIGHTS, blocks, from, to);
  }
  const { copy, matmul: name } = NUMBERS[format as keyof typeof NUMBERS];
  if (copy !== undefined) kernels[copy](XQ, X_SCALES, X_SUMS, X, M, M, 0, rows);
  const x = copy === undefined ? X : XQ;
  const matmul = kernels[name];
  return (from, to) => matmul(OUT, STRIDE, x, M, rows, WEIGHTS, M, from, to, SCRATCH);
}
