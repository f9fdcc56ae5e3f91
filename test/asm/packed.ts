/**
 * Packed weights: making them with the kernels, and reading them as asm/README.md tells the layout.
 */

import { bf16ToF32 } from '../../src/base/half.js';
import {
  blocksOf,
  tileBytes,
  type WeightFormat,
} from '../../src/engines/wasm/memory/weight-formats.js';
import { type Block, type BlockFormat, dequantizeRow } from './block-formats.js';
import type { Instance } from './instance.js';

export const FORMATS: readonly WeightFormat[] = ['f32', 'bf16', 'f16', 'q8_0', 'q4_0'];

const PACK = {
  f32: 'packF32',
  bf16: 'packBF16',
  f16: 'packF16',
  q8_0: 'packQ8',
  q4_0: 'packQ4',
} as const;

export interface Packed {
  readonly format: WeightFormat;
  readonly pointer: number;
  readonly m: number;
  /** How many numbers, or scales, were too large for the format. */
  readonly unstorable: number;
  readonly bytes: DataView;
}

/** Packs [n, m], the last tile filled up with zeros. */
export function pack(
  instance: Instance,
  format: WeightFormat,
  weights: ArrayLike<number>,
  m: number,
): Packed {
  const n = weights.length / m;
  const stride = m + 3; // what follows a row is NaN
  const staging = instance.reserve(16 * stride * 4);
  const tile = tileBytes(format, m);
  const tiles = Math.ceil(n / 16);
  const pointer = instance.reserve(tile * tiles);
  const packTile: (...args: number[]) => number | undefined = instance.kernels[PACK[format]];
  let unstorable = 0;
  for (let t = 0; t < tiles; t++) {
    const count = Math.min(16, n - t * 16);
    for (let r = 0; r < count; r++) {
      const row = instance.floats(staging + r * stride * 4, m);
      for (let k = 0; k < m; k++) row[k] = weights[(t * 16 + r) * m + k];
    }
    instance.floats(staging + count * stride * 4, (16 - count) * stride).fill(NaN);
    unstorable += packTile(pointer + t * tile, staging, stride, m, count) ?? 0;
  }
  return {
    format,
    pointer,
    m,
    unstorable,
    bytes: new DataView(instance.memory.buffer, pointer, tile * tiles),
  };
}

/** W [n, m], by rows. */
export function unpack(packed: Packed, n: number): Float64Array {
  const { format, m } = packed;
  const quantized = format === 'q8_0' || format === 'q4_0';
  const row = quantized ? dequantizedRow : numbersOfRow;
  const weights = new Float64Array(n * m);
  for (let r = 0; r < n; r++) weights.set(row(packed, r, m), r * m);
  return weights;
}

const dequantizedRow = (packed: Packed, n: number, length: number) =>
  dequantizeRow(
    Array.from({ length: blocksOf(packed.m) }, (_, b) => blockAt(packed, n, b)),
    length,
  );

/** The first `length` numbers of row n of an unquantized format; there can be one more than m. */
export function numbersOfRow(packed: Packed, n: number, length: number): number[] {
  const { format, bytes } = packed;
  const start = rowStart(packed, n);
  return Array.from({ length }, (_, k) => {
    if (format === 'f32') return bytes.getFloat32(start + k * 64, true);
    const bits = bytes.getUint16(start + (k >> 1) * 64 + (k & 1) * 2, true);
    return format === 'bf16' ? bf16ToF32(bits) : storedHalf(bits);
  });
}

/** Block b of row n. */
export function blockAt(packed: Packed, n: number, b: number): Block {
  const { bytes } = packed;
  const start = rowStart(packed, n) + b * blockBytes(packed);
  const quants = Array.from({ length: 32 }, (_, i) => {
    const { byte, shift } = quantPlace(packed.format as BlockFormat, i);
    if (packed.format === 'q8_0') return unbiased(bytes.getUint8(start + byte), i);
    return ((bytes.getUint8(start + byte) >> shift) & 15) - 8;
  });
  return { scale: storedHalf(bytes.getUint16(scalePlace(packed, n, b), true)), quants };
}

/** Overwrites the quants of a block, also with such as packing does not make. */
export function setQuants(packed: Packed, n: number, b: number, quants: readonly number[]): void {
  const { bytes, format } = packed;
  const start = rowStart(packed, n) + b * blockBytes(packed);
  quants.forEach((q, i) => {
    const { byte, shift } = quantPlace(format as BlockFormat, i);
    if (format === 'q8_0') {
      bytes.setUint8(start + byte, i % 2 === 0 ? q + 128 : q);
    } else {
      const at = start + byte;
      bytes.setUint8(at, (bytes.getUint8(at) & ~(15 << shift)) | ((q + 8) << shift));
    }
  });
}

/** Of q8_0: 128 were added to the even ones. */
function unbiased(byte: number, i: number): number {
  return i % 2 === 0 ? byte - 128 : (byte << 24) >> 24;
}

/** Where row n begins: it has 4 bytes of every 64. */
function rowStart({ format, m }: Packed, n: number): number {
  return Math.floor(n / 16) * tileBytes(format, m) + (n % 16) * 4;
}

/**
 * Number i of a block: in which byte, from the first of its row and block, and in which bits of it.
 */
function quantPlace(format: BlockFormat, i: number): { byte: number; shift: number } {
  if (format === 'q8_0') return { byte: (i >> 2) * 64 + (i & 3), shift: 0 };
  return { byte: (i >> 3) * 64 + (i & 3), shift: i & 4 };
}

/** 32 quants of each of 16 rows. */
const quantBytes = (format: WeightFormat) => (format === 'q8_0' ? 512 : 256);

/** After the quants there is a scale for each row: of rows i and i + 8 side by side. */
function blockBytes({ format }: Packed): number {
  return quantBytes(format) + 32;
}

function scalePlace(packed: Packed, n: number, b: number): number {
  const { format, m } = packed;
  const tile = Math.floor(n / 16) * tileBytes(format, m);
  return tile + b * blockBytes(packed) + quantBytes(format) + (n % 8) * 4 + ((n % 16) >> 3) * 2;
}

/** 1 sign, 5 exponent bits with bias 25, 10 fraction bits; no subnormals. */
export function storedHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const size =
    exponent === 0 && (bits & 1023) === 0 ? 0 : 2 ** (exponent - 25) * (1 + (bits & 1023) / 1024);
  return bits & 0x8000 ? -size : size;
}
