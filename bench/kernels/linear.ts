/** Linear layers: a single row, with weights from memory; 32 rows, with weights from the cache. */

import type { Build } from '../../src/engines/wasm/kernels/builds.js';
import type { KernelExports } from '../../src/engines/wasm/kernels/exports.js';
import {
  blocksOf,
  type PackedFormat,
  tileBytes,
} from '../../src/engines/wasm/memory/weight-formats.js';
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

const QUANTIZERS = {
  q8_0: 'quantize14',
  q4_0: 'quantize8',
  q4_k: 'quantize8K',
  q6_k: 'quantize8K',
} as const;

const SUFFIXES: Record<PackedFormat, 'F32' | 'F16' | 'BF16' | 'Q8' | 'Q4' | 'Q4K' | 'Q6K'> = {
  f32: 'F32',
  bf16: 'BF16',
  f16: 'F16',
  q8_0: 'Q8',
  q4_0: 'Q4',
  q4_k: 'Q4K',
  q6_k: 'Q6K',
};
export const FORMATS = Object.keys(SUFFIXES) as PackedFormat[];

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

/** The first tile of `WEIGHTS`. */
function makeTile({ exports, memory, numbers }: Kernels, format: PackedFormat): void {
  numbers(X, 16 * M);
  if (format !== 'q4_k' && format !== 'q6_k') {
    const suffix = SUFFIXES[format] as 'F32' | 'F16' | 'BF16' | 'Q8' | 'Q4';
    exports[`pack${suffix}`](WEIGHTS, X, M, M, 16);
    return;
  }
  const { bytes, numbers: count, encode } = BLOCK_FORMATS[format === 'q4_k' ? 'Q4_K' : 'Q6_K'];
  const blocks = M / count;
  const rows = new Uint8Array(16 * blocks * bytes);
  encode!(new Float32Array(memory.buffer, X, 16 * M), rows);
  new Uint8Array(memory.buffer, X, rows.length).set(rows);
  exports[format === 'q4_k' ? 'repackQ4K' : 'repackQ6K'](WEIGHTS, X, blocks * bytes, blocks, 16);
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
  const blocks = blocksOf(M);
  if (format in QUANTIZERS) {
    const block = format as keyof typeof QUANTIZERS;
    kernels[QUANTIZERS[block]](XQ, X_SCALES, X_SUMS, X, M, M, 0, rows);
    const matmul = kernels[`matmul${SUFFIXES[block] as 'Q8' | 'Q4' | 'Q4K' | 'Q6K'}`];
    return (from, to) => matmul(OUT, STRIDE, XQ, X_SCALES, X_SUMS, rows, WEIGHTS, blocks, from, to);
  }
  const matmul = kernels[`matmul${SUFFIXES[format] as 'F32' | 'F16' | 'BF16'}`];
  const x = format === 'f16' ? XQ : X;
  kernels.scaleForF16(XQ, 0, 0, X, M, M, 0, rows);
  return (from, to) => matmul(OUT, STRIDE, x, M, rows, WEIGHTS, M, from, to, SCRATCH);
}
