/** A tensor that lies in a file as one piece: row-major, little-endian, nothing in between. */

import { LlamaError, show } from '../base/errors.js';
import type { Floats } from '../base/tensor.js';
import type { CheckpointTensor } from '../model/checkpoint.js';
import { type BlockDType, type DType, isBlockDType, isFloatDType } from '../model/dtypes.js';
import {
  type ByteRange,
  checkTarget,
  type NumberDType,
  readNumbers,
  readRange,
  rowRange,
} from './rows.js';
import type { ByteSource } from './source.js';

/** What a file says of a tensor: its name, its dtype, its shape, and where its bytes are. */
export interface TensorInfo<D extends DType | BlockDType = DType> {
  readonly name: string;
  readonly dtype: D;
  readonly shape: readonly number[];
  /** Where its bytes begin, counted from the beginning of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** Its rows are the slices of the leading dimension; a scalar is one row. */
export class RowMajorTensor<D extends DType | BlockDType = DType>
  implements CheckpointTensor, TensorInfo<D>
{
  readonly name: string;
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
  readonly #source: ByteSource;

  constructor(source: ByteSource, info: TensorInfo<D>) {
    this.#source = source;
    this.name = info.name;
    this.dtype = info.dtype;
    this.shape = info.shape;
    this.offset = info.offset;
    this.byteLength = info.byteLength;
  }

  async read(first = 0, count = this.#rows() - first): Promise<Floats> {
    const dtype = decodable(this, this.#source.name);
    return readNumbers(this.#source, dtype, this.#range(first, count));
  }

  async readInto(target: Uint8Array, first = 0, count = this.#rows() - first): Promise<void> {
    const range = this.#range(first, count);
    checkTarget(target, this.name, count, range.end - range.begin);
    await this.#source.readInto(range.begin, target);
  }

  async readBytes(first = 0, count = this.#rows() - first): Promise<Uint8Array> {
    return readRange(this.#source, this.#range(first, count));
  }

  #rows(): number {
    return this.shape[0] ?? 1;
  }

  #range(first: number, count: number): ByteRange {
    return rowRange(this, this.#rows(), first, count);
  }
}

/**
 * The dtype of a tensor in the file `fileName`.
 * @throws {LlamaError} UNSUPPORTED if its numbers are not decoded.
 */
export function decodable<D extends DType | BlockDType>(
  { name, dtype }: { name: string; dtype: D },
  fileName: string,
): D & NumberDType {
  if (isFloatDType(dtype) || isBlockDType(dtype)) return dtype;
  throw new LlamaError(
    'UNSUPPORTED',
    `${fileName}: tensor ${show(name)} is ${dtype}, which is not decoded; use F64, F32, F16 or ` +
      'BF16, or readBytes()',
  );
}
