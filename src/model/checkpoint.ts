/**
 * Named tensors, whatever the file format: the view of a checkpoint that the model is loaded from.
 */

import type { Floats } from '../base/tensor.js';
import type { BlockDType, DType } from './dtypes.js';

export interface CheckpointTensor {
  readonly name: string;
  /** One of the block formats only in GGUF files; rows are then a multiple of a block. */
  readonly dtype: DType | BlockDType;
  readonly shape: readonly number[];
  /** The size in the file. */
  readonly byteLength: number;
  /**
   * The numbers of rows `first` … `first + count − 1` of the leading dimension; of the whole tensor
   * if neither is given. F16, BF16, F32 and the block formats become a Float32Array, F64 a
   * Float64Array: exact.
   *
   * @throws {LlamaError} UNSUPPORTED for a dtype that is not one of these, OUT_OF_MEMORY, or what
   * the file says.
   * @throws {RangeError} if there are no such rows.
   */
  read(first?: number, count?: number): Promise<Floats>;
  /**
   * Fills `target`, which may be shared memory, with the bytes of these rows as they are in the
   * file, little-endian. Errors as for `read`, but any dtype will do, and `target` must be as long
   * as they are.
   */
  readInto(target: Uint8Array, first?: number, count?: number): Promise<void>;
  /** The same bytes in an array of their own. */
  readBytes(first?: number, count?: number): Promise<Uint8Array>;
}

export interface Checkpoint {
  /** For messages: the path of the file or of the index of its shards. */
  readonly name: string;
  /**
   * By Hugging Face's names, in the order of the file, so that reading one after the other reads
   * forward.
   */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** What its files hold besides, or announce and do not hold: a sentence each. */
  readonly notes?: readonly string[];
  /**
   * A text that is another one when its files have other bytes, found without reading all of them;
   * undefined, or no such function, where nothing tells.
   */
  identify?(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** `tensor` under another name. */
export function renameTensor(tensor: CheckpointTensor, name: string): CheckpointTensor {
  const { dtype, shape, byteLength } = tensor;
  return {
    name,
    dtype,
    shape,
    byteLength,
    read: (first, count) => tensor.read(first, count),
    readInto: (target, first, count) => tensor.readInto(target, first, count),
    readBytes: (first, count) => tensor.readBytes(first, count),
  };
}
