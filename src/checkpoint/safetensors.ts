/**
 * The safetensors file format, to read and to write: named tensors behind a JSON header (see `safetensors-header.ts`).
 * Stands alone: it needs neither Node nor the rest of this package, and knows nothing of models or of several files.
 *
 *     const file = await openSafetensors(memorySource(bytes));
 *     const row = await file.tensors.get('model.embed_tokens.weight')!.read(15043, 1);
 */

import { LlamaError, show } from '../errors.js';
import type { Floats } from '../tensor.js';
import type { Checkpoint, CheckpointTensor } from './checkpoint.js';
import { allocateBytes, allocateFloats, DTYPE_BYTES, type DType, decodeInto, isFloatDType } from './dtypes.js';
import { readHeader, type SafetensorsHeader, type TensorInfo } from './safetensors-header.js';
import type { ByteSource } from './source.js';

export { DTYPE_BYTES, type DType, decode, encode, type FloatDType } from './dtypes.js';
export type { SafetensorsHeader, TensorInfo } from './safetensors-header.js';
export { type SafetensorsInput, writeSafetensors } from './safetensors-writer.js';
export { type ByteSource, memorySource } from './source.js';

/** Tensors are read and converted this many bytes at a time, so that none is in memory twice. */
const PIECE_BYTES = 2 ** 22;

/**
 * Opens a safetensors file. Only the header is read; tensors are read when asked for.
 * The file owns `source` from here on, and closes it also when it turns out to be broken.
 *
 * @throws {LlamaError} BAD_CHECKPOINT naming what is wrong with the header.
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  try {
    return new SafetensorsFile(source, await readHeader(source));
  } catch (error) {
    await source.close();
    throw error;
  }
}

export class SafetensorsFile implements Checkpoint {
  readonly name: string;
  /** `__metadata__` of the header; empty if there is none. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their offsets. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  private readonly source: ByteSource;

  constructor(source: ByteSource, header: SafetensorsHeader) {
    this.name = source.name;
    this.source = source;
    this.metadata = header.metadata;
    this.tensors = new Map([...header.tensors].map(([name, info]) => [name, new SafetensorsTensor(source, info)]));
  }

  close(): Promise<void> {
    return this.source.close();
  }
}

/** One tensor of an open file. Its rows are the slices of the leading dimension; a scalar is one row. */
export class SafetensorsTensor implements CheckpointTensor, TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
  private readonly source: ByteSource;

  constructor(source: ByteSource, info: TensorInfo) {
    this.source = source;
    this.name = info.name;
    this.dtype = info.dtype;
    this.shape = info.shape;
    this.offset = info.offset;
    this.byteLength = info.byteLength;
  }

  async read(first = 0, count = this.rows() - first): Promise<Floats> {
    const dtype = this.dtype;
    if (!isFloatDType(dtype)) {
      throw new LlamaError(
        'UNSUPPORTED',
        `${this.source.name}: tensor ${show(this.name)} is ${dtype}, which is not decoded; use F64, F32, F16 or BF16, or readBytes()`,
      );
    }
    const { begin, end } = this.range(first, count);
    const numbers = allocateFloats(dtype, (end - begin) / DTYPE_BYTES[dtype]);
    const buffer = new Uint8Array(Math.min(PIECE_BYTES, end - begin));
    for (let at = begin; at < end; at += PIECE_BYTES) {
      const piece = buffer.subarray(0, end - at);
      await this.source.readInto(at, piece);
      decodeInto(dtype, piece, numbers.subarray((at - begin) / DTYPE_BYTES[dtype]));
    }
    return numbers;
  }

  async readInto(target: Uint8Array, first = 0, count = this.rows() - first): Promise<void> {
    const { begin, end } = this.range(first, count);
    if (target.length !== end - begin) {
      throw new RangeError(
        `target: ${count} rows of tensor ${show(this.name)} are ${end - begin} bytes, not ${target.length}`,
      );
    }
    await this.source.readInto(begin, target);
  }

  /** The bytes of rows `first` … `first + count − 1` as they are in the file, for any dtype. Errors as for `read`. */
  async readBytes(first = 0, count = this.rows() - first): Promise<Uint8Array> {
    const { begin, end } = this.range(first, count);
    const bytes = allocateBytes(end - begin);
    await this.source.readInto(begin, bytes);
    return bytes;
  }

  private rows(): number {
    return this.shape[0] ?? 1;
  }

  private range(first: number, count: number): { begin: number; end: number } {
    const rows = this.rows();
    if (!(Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count >= 0 && first + count <= rows)) {
      throw new RangeError(`first, count: tensor ${show(this.name)} has ${rows} rows, not ${count} from ${first} on`);
    }
    const rowBytes = rows === 0 ? 0 : this.byteLength / rows;
    return { begin: this.offset + first * rowBytes, end: this.offset + (first + count) * rowBytes };
  }
}
