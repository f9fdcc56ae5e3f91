/** Packed weights: making them with the kernels, and reading them as asm/README.md tells the layout. */
import { blocksOf, tileBytes, type WeightFormat } from '../../src/kernels/wasm/formats.js';
import { bf16ToF32 } from '../../src/numerics/half.js';
import { type Block, type BlockFormat, dequantizeRow } from './block-formats.js';
import type { Instance } from './instance.js';

export const FORMATS: readonly WeightFormat[] = ['f32', 'bf16', 'f16', 'q8_0', 'q4_0'];

const PACK = { f32: 'packF32', bf16: 'packBF16', f16: 'packF16', q8_0: 'packQ8', q4_0: 'packQ4' } as const;

export interface Packed {
  readonly format: WeightFormat;
  readonly pointer: number;
  readonly m: number;
  /** How many numbers, or scales, were too large for the format. */
  readonly unstorable: number;
  readonly bytes: DataView;
}

/** Packs [n, m], the last tile filled up with zeros. */
export function pack(instance: Instance, format: WeightFormat, weights: ArrayLike<number>, m: number): Packed {
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
  return { format, pointer, m, unstorable, bytes: new DataView(instance.memory.buffer, pointer, tile * tiles) };
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
  const { start, lane } = place(packed, n);
  return Array.from({ length }, (_, k) => {
    if (format === 'f32') return bytes.getFloat32(start + k * 16 + lane * 4, true);
    const bits = bytes.getUint16(start + (k >> 1) * 16 + lane * 4 + (k & 1) * 2, true);
    return format === 'bf16' ? bf16ToF32(bits) : storedHalf(bits);
  });
}

/** Block b of row n. */
export function blockAt(packed: Packed, n: number, b: number): Block {
  const { bytes } = packed;
  const { start, lane } = place(packed, n);
  const quants = Array.from({ length: 32 }, (_, i) => {
    const { byte, shift } = quantPlace(packed.format as BlockFormat, i);
    if (packed.format === 'q8_0') return bytes.getInt8(start + b * 128 + lane * 4 + byte);
    return ((bytes.getUint8(start + b * 64 + lane * 4 + byte) >> shift) & 15) - 8;
  });
  return { scale: storedHalf(bytes.getUint16(scalePlace(packed, n, b), true)), quants };
}

/** Overwrites the quants of a block, also with such as packing does not make. */
export function setQuants(packed: Packed, n: number, b: number, quants: readonly number[]): void {
  const { bytes, format } = packed;
  const { start, lane } = place(packed, n);
  quants.forEach((q, i) => {
    const { byte, shift } = quantPlace(format as BlockFormat, i);
    if (format === 'q8_0') {
      bytes.setInt8(start + b * 128 + lane * 4 + byte, q);
    } else {
      const at = start + b * 64 + lane * 4 + byte;
      bytes.setUint8(at, (bytes.getUint8(at) & ~(15 << shift)) | ((q + 8) << shift));
    }
  });
}

function place({ format, m }: Packed, n: number): { start: number; lane: number } {
  return { start: (n >> 2) * (tileBytes(format, m) / 4), lane: n & 3 };
}

/** Of number i of a block: which byte of those of its row and block, and which bits of it. */
function quantPlace(format: BlockFormat, i: number): { byte: number; shift: number } {
  if (format === 'q8_0') return { byte: (i >> 2) * 16 + (i & 3), shift: 0 };
  return { byte: (i >> 3) * 16 + (i & 3), shift: i & 4 };
}

function scalePlace(packed: Packed, n: number, b: number): number {
  const { start, lane } = place(packed, n);
  return start + (packed.format === 'q8_0' ? 128 : 64) * blocksOf(packed.m) + b * 8 + lane * 2;
}

/** 1 sign, 5 exponent bits with bias 25, 10 fraction bits; no subnormals. */
function storedHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const size = exponent === 0 && (bits & 1023) === 0 ? 0 : 2 ** (exponent - 25) * (1 + (bits & 1023) / 1024);
  return bits & 0x8000 ? -size : size;
}
