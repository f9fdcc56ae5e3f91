/**
 * Number formats of checkpoints: whole arrays of them ↔ JavaScript numbers. One number at a time,
 * and the rounding itself, are in `src/base/half.ts`.
 *
 * Files are little-endian, and so must the platform be: typed arrays are views of the bytes, not
 * conversions.
 */

import { check, LlamaError } from '../base/errors.js';
import { bf16ToF32, f16ToF32, LITTLE_ENDIAN, toBF16Bits, toF16Bits } from '../base/half.js';
import type { Floats } from '../base/tensor.js';
import { DTYPE_BYTES, type FloatDType } from '../model/dtypes.js';

/**
 * Room for `count` decoded numbers: Float64Array for F64, otherwise Float32Array, which holds the
 * others exactly.
 * @throws {LlamaError} OUT_OF_MEMORY if there is none.
 */
export function allocateFloats(dtype: FloatDType, count: number): Floats {
  const numberBytes = dtype === 'F64' ? 8 : 4;
  const { buffer } = allocateBytes(count * numberBytes);
  return dtype === 'F64' ? new Float64Array(buffer) : new Float32Array(buffer);
}

/** `size` zero bytes. @throws {LlamaError} OUT_OF_MEMORY if there are none. */
export function allocateBytes(size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch (error) {
    throw new LlamaError(
      'OUT_OF_MEMORY',
      `no memory for ${size} bytes at once; read fewer rows at a time`,
      {
        cause: error,
      },
    );
  }
}

/**
 * `bytes`, at any alignment, as numbers: Float64Array for F64, otherwise Float32Array. Exact, and
 * always a copy.
 */
export function decode(dtype: FloatDType, bytes: Uint8Array): Floats {
  const out = allocateFloats(dtype, bytes.length / DTYPE_BYTES[dtype]);
  decodeInto(dtype, bytes, out);
  return out;
}

/**
 * Writes the numbers in `bytes` to the beginning of `out`.
 * @throws {RangeError} if `bytes` ends inside a number; {LlamaError} UNSUPPORTED on a big-endian
 * platform.
 */
export function decodeInto(dtype: FloatDType, bytes: Uint8Array, out: Floats): void {
  checkPlatform();
  if (bytes.length % DTYPE_BYTES[dtype] !== 0) {
    throw new RangeError(
      `bytes: ${bytes.length} is not a multiple of ${DTYPE_BYTES[dtype]}, the size of one ${dtype}`,
    );
  }
  switch (dtype) {
    case 'F64':
    case 'F32':
      bytesOf(out).set(bytes);
      return;
    case 'F16':
      decodeHalves(bytes, out, f16Table());
      return;
    case 'BF16':
      decodeHalves(bytes, out, bf16Table());
      return;
  }
}

function decodeHalves(bytes: Uint8Array, out: Floats, table: Float32Array): void {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const bits = new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]];
}

/** The bytes of `values` in the format `dtype`, each rounded once to the nearest (ties to even). */
export function encode(dtype: FloatDType, values: Floats): Uint8Array {
  checkPlatform();
  switch (dtype) {
    case 'F64':
      return bytesOf(Float64Array.from(values));
    case 'F32':
      return bytesOf(Float32Array.from(values));
    case 'F16':
      return bytesOf(f16Bits(values));
    case 'BF16':
      return bytesOf(bf16Bits(values));
  }
}

// Uint16Array.from(values, toF16Bits) takes eight times as long, one loop for both formats twice.

function f16Bits(values: Floats): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = toF16Bits(values[i]);
  return bits;
}

function bf16Bits(values: Floats): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = toBF16Bits(values[i]);
  return bits;
}

/** The memory of `numbers` as bytes. */
export function bytesOf(numbers: ArrayBufferView): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

// All 65,536 values of a format, computed when the first tensor of it is read.
const f16Table = lazyTable(f16ToF32);
const bf16Table = lazyTable(bf16ToF32);

function lazyTable(fromBits: (bits: number) => number): () => Float32Array {
  let table: Float32Array | undefined;
  return () => {
    table ??= Float32Array.from({ length: 65536 }, (_, bits) => fromBits(bits));
    return table;
  };
}

/** @throws {LlamaError} UNSUPPORTED on a big-endian platform. */
export function checkPlatform(): void {
  check(
    LITTLE_ENDIAN,
    'UNSUPPORTED',
    () => 'this computer is big-endian; checkpoints can be read on little-endian ones',
  );
}
