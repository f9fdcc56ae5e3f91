/**
 * Which tensors a GGUF file has, and where: so many times
 *
 *     name: string | n: u32 | sizes: u64[n], the innermost first | type: u32 | offset: u64
 *
 * Offsets count from where the data begins. Each tensor begins where the one before it ends,
 * rounded up to the alignment.
 */

import { alignTo } from '../../base/align.js';
import { check, show } from '../../base/errors.js';
import { isBlockDType } from '../../model/dtypes.js';
import type { TensorInfo } from '../row-major.js';
import { unitOf } from '../rows.js';
import type { Cursor } from './cursor.js';
import { dtypeOf, type GgmlDType } from './ggml-types.js';

/** A Llama has nine tensors a layer. */
export const MAX_TENSORS = 100_000;
/** The specification's, in bytes of UTF-8. */
const MAX_NAME_BYTES = 64;
const MAX_DIMENSIONS = 4; // GGML_MAX_DIMS
/** The shortest entry: an empty name and one size. */
export const SMALLEST_INFO = 8 + 4 + 8 + 4 + 8;

/** Its shape has the outermost size first, [out, in], as everywhere else. */
export type GgufTensorInfo = TensorInfo<GgmlDType>;

/**
 * `offset` counting from the beginning of the data: reads `count` entries.
 * @throws {LlamaError} BAD_CHECKPOINT or UNSUPPORTED.
 */
export function readTensorInfos(cursor: Cursor, count: number): GgufTensorInfo[] {
  const names = new Set<string>();
  return Array.from({ length: count }, (_, index) => {
    const info = readTensorInfo(cursor, index);
    check(
      !names.has(info.name),
      'BAD_CHECKPOINT',
      () => `two tensors have the name ${show(info.name)}`,
    );
    names.add(info.name);
    return info;
  });
}

function readTensorInfo(cursor: Cursor, index: number): GgufTensorInfo {
  const name = cursor.string(`the name of tensor ${index}`, MAX_NAME_BYTES);
  check(name !== '', 'BAD_CHECKPOINT', () => `tensor ${index} has no name`);
  const of = `tensor ${show(name)}`;
  const dimensions = cursor.u32();
  check(
    dimensions >= 1 && dimensions <= MAX_DIMENSIONS,
    'BAD_CHECKPOINT',
    () => `${of} has ${dimensions} dimensions; there may be 1 to ${MAX_DIMENSIONS}`,
  );
  const shape = Array.from({ length: dimensions }, () => cursor.u64(`a size of ${of}`)).reverse();
  const dtype = dtypeOf(cursor.u32(), of);
  const byteLength = tensorBytes(dtype, shape, of);
  return { name, dtype, shape, byteLength, offset: cursor.u64(`the offset of ${of}`) };
}

/**
 * The bytes that a tensor takes; rows are whole blocks.
 * @throws {LlamaError} BAD_CHECKPOINT for a size of 0, more than 2^53 bytes, or a row that is not a
 * multiple of a block.
 */
export function tensorBytes(dtype: GgmlDType, shape: readonly number[], of: string): number {
  const unit = unitOf(dtype);
  const width = shape.at(-1) ?? 0;
  check(
    width % unit.numbers === 0,
    'BAD_CHECKPOINT',
    () =>
      `${of} has rows of ${width} numbers, which is not a multiple of the ${unit.numbers} of a ` +
      `block of ${dtype}`,
  );
  check(
    shape.length > 1 || !isBlockDType(dtype),
    'BAD_CHECKPOINT',
    () => `${of} is a vector in the format ${dtype}; only matrices are quantized`,
  );
  let bytes = 1;
  for (const factor of [(width / unit.numbers) * unit.bytes, ...shape.slice(0, -1)]) {
    bytes *= factor;
    check(
      bytes > 0 && bytes <= Number.MAX_SAFE_INTEGER,
      'BAD_CHECKPOINT',
      () => `${of}: the shape ${show(shape)} is empty, or takes more than 2^53 bytes`,
    );
  }
  return bytes;
}

/**
 * `infos` in the order of their offsets, which then count from the beginning of the file.
 *
 * @param dataStart a multiple of `alignment`
 * @throws {LlamaError} BAD_CHECKPOINT if two overlap, there is a gap between them, or the last ends
 * after the file does.
 */
export function placeTensors(
  infos: readonly GgufTensorInfo[],
  dataStart: number,
  alignment: number,
  fileSize: number,
): GgufTensorInfo[] {
  const sorted = infos
    .map(info => ({ ...info, offset: dataStart + info.offset }))
    .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  for (const { name, offset, byteLength } of sorted) {
    const start = alignTo(end, alignment);
    check(
      offset === start,
      'BAD_CHECKPOINT',
      () =>
        `tensor ${show(name)} begins at byte ${offset}, ` +
        `${offset < start ? 'within' : 'and not right after'} what lies before it, which ends ` +
        `at ${end}: the next multiple of ${alignment} is ${start}`,
    );
    end = offset + byteLength;
    check(
      end <= fileSize,
      'BAD_CHECKPOINT',
      () =>
        `tensor ${show(name)} ends at byte ${end}, but the file has ${fileSize}; fetch it again`,
    );
  }
  return sorted;
}
