/**
 * Reading rows of a tensor, the slices of its leading dimension, whatever the file format; and the
 * bytes of rows to be written.
 */

import { check, show } from '../base/errors.js';
import type { Floats } from '../base/tensor.js';
import { type BlockDType, DTYPE_BYTES, type FloatDType, isBlockDType } from '../model/dtypes.js';
import { BLOCK_FORMATS, type BlockFormat } from './blocks/blocks.js';
import { allocateBytes, allocateFloats, decode, decodeInto, encode } from './dtypes.js';
import type { ByteSource } from './source.js';

/** Tensors are read and converted this many bytes at a time, so that none is in memory twice. */
export const PIECE_BYTES = 2 ** 22;

/** A format that numbers can be read from. */
export type NumberDType = FloatDType | BlockDType;

/** Offsets from the beginning of the file. */
export interface ByteRange {
  readonly begin: number;
  readonly end: number;
}

/** How numbers are stored: so many in so many bytes, and never fewer. */
export function unitOf(dtype: NumberDType): { readonly numbers: number; readonly bytes: number } {
  return isBlockDType(dtype) ? BLOCK_FORMATS[dtype] : { numbers: 1, bytes: DTYPE_BYTES[dtype] };
}

/** @throws {RangeError} if the tensor `name` has no rows `first` … `first + count − 1`. */
export function checkRowRange(name: string, rows: number, first: number, count: number): void {
  if (
    !(
      Number.isInteger(first) &&
      Number.isInteger(count) &&
      first >= 0 &&
      count >= 0 &&
      first + count <= rows
    )
  ) {
    throw new RangeError(
      `first, count: tensor ${show(name)} has ${rows} rows, not ${count} from ${first} on`,
    );
  }
}

/** @throws {RangeError} unless `target` is as long as `count` rows of the tensor `name`. */
export function checkTarget(target: Uint8Array, name: string, count: number, bytes: number): void {
  if (target.length === bytes) return;
  throw new RangeError(
    `target: ${count} rows of tensor ${show(name)} are ${bytes} bytes, not ${target.length}`,
  );
}

/**
 * Where rows `first` … `first + count − 1` of `rows` lie.
 * @throws {RangeError} if there are no such rows.
 */
export function rowRange(
  tensor: { readonly name: string; readonly offset: number; readonly byteLength: number },
  rows: number,
  first: number,
  count: number,
): ByteRange {
  checkRowRange(tensor.name, rows, first, count);
  const rowBytes = rows === 0 ? 0 : tensor.byteLength / rows;
  return {
    begin: tensor.offset + first * rowBytes,
    end: tensor.offset + (first + count) * rowBytes,
  };
}

/** The numbers in `range`, decoded: Float64Array for F64, otherwise Float32Array. */
export async function readNumbers(
  source: ByteSource,
  dtype: NumberDType,
  { begin, end }: ByteRange,
): Promise<Floats> {
  const unit = unitOf(dtype);
  const numbers = allocateFloats(
    dtype === 'F64' ? 'F64' : 'F32',
    ((end - begin) / unit.bytes) * unit.numbers,
  );
  const pieceBytes = Math.floor(PIECE_BYTES / unit.bytes) * unit.bytes;
  const buffer = new Uint8Array(Math.min(pieceBytes, end - begin));
  for (let at = begin; at < end; at += pieceBytes) {
    const piece = buffer.subarray(0, end - at);
    await source.readInto(at, piece);
    const target = numbers.subarray(((at - begin) / unit.bytes) * unit.numbers);
    if (isBlockDType(dtype)) BLOCK_FORMATS[dtype].decode(piece, target as Float32Array);
    else decodeInto(dtype, piece, target);
  }
  return numbers;
}

/** The bytes in `range`. */
export async function readRange(
  source: ByteSource,
  { begin, end }: ByteRange,
): Promise<Uint8Array> {
  const bytes = allocateBytes(end - begin);
  await source.readInto(begin, bytes);
  return bytes;
}

/** The numbers in `bytes`, as `readNumbers` reads them. */
export function decodeNumbers(dtype: NumberDType, bytes: Uint8Array): Floats {
  if (!isBlockDType(dtype)) return decode(dtype, bytes);
  const unit = unitOf(dtype);
  const numbers = new Float32Array((bytes.length / unit.bytes) * unit.numbers);
  BLOCK_FORMATS[dtype].decode(bytes, numbers);
  return numbers;
}

/**
 * `numbers` in the format `dtype`: the bytes that `readNumbers` reads.
 * @throws {LlamaError} NOT_FINITE if one is not a number, or too large for the format. @throws
 * {RangeError} if they end in a block.
 */
export function encodeNumbers(dtype: NumberDType, numbers: Floats): Uint8Array {
  const unit = unitOf(dtype);
  if (numbers.length % unit.numbers !== 0) {
    throw new RangeError(
      `numbers: ${numbers.length} is not a multiple of ${unit.numbers}, a block of ${dtype}`,
    );
  }
  if (!isBlockDType(dtype)) {
    checkFinite(dtype, numbers);
    return encode(dtype, numbers);
  }
  const format: BlockFormat = BLOCK_FORMATS[dtype];
  check(
    format.encode !== undefined,
    'UNSUPPORTED',
    () => `${dtype} is read, but not written; choose another format`,
  );
  const blocks = allocateBytes((numbers.length / unit.numbers) * unit.bytes);
  format.encode(numbers instanceof Float32Array ? numbers : Float32Array.from(numbers), blocks);
  return blocks;
}

function checkFinite(dtype: FloatDType, numbers: Floats): void {
  let largest = 0;
  // NaN stays
  for (let i = 0; i < numbers.length; i++) largest = Math.max(largest, Math.abs(numbers[i]));
  const [stored] = decode(dtype, encode(dtype, Float64Array.of(largest)));
  check(
    Number.isFinite(stored),
    'NOT_FINITE',
    () => `its largest number is ${largest}, which is no finite ${dtype}; choose another format`,
  );
}
