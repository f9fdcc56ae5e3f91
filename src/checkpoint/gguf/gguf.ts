/**
 * The GGUF file format, to read: metadata and named tensors, by the names that the file has. What a Llama's metadata and names mean
 * is in `checkpoint.ts` and `src/config-gguf.ts`.
 *
 *     const file = await openGguf(memorySource(bytes));
 *     const row = await file.tensors.get('token_embd.weight')!.read(15043, 1);
 */

import type { Floats } from '../../tensor.js';
import type { Checkpoint, CheckpointTensor } from '../checkpoint.js';
import { type ByteRange, checkTarget, readNumbers, readRange, rowRange } from '../rows.js';
import type { ByteSource } from '../source.js';
import type { GgmlDType } from './ggml-types.js';
import { readGgufHeader } from './header.js';
import type { GgufTensorInfo } from './tensor-infos.js';
import type { GgufMetadata } from './values.js';

/** One file, or several that are parts of one (`splits.ts`). */
export interface GgufFile extends Checkpoint {
  readonly metadata: GgufMetadata;
  /** In the order of their offsets, by the names in the file. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Opens a GGUF file. Only the header is read; tensors are read when asked for.
 * The file owns `source` from here on, and closes it also when it turns out to be broken.
 *
 * @throws {LlamaError} BAD_CHECKPOINT naming what is wrong with the header, UNSUPPORTED naming what is not implemented.
 */
export async function openGguf(source: ByteSource): Promise<GgufFile> {
  try {
    const { metadata, tensors } = await readGgufHeader(source);
    return {
      name: source.name,
      metadata,
      tensors: new Map(tensors.map(info => [info.name, new GgufTensor(source, info)])),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** One tensor of an open file. Its rows are the slices of the leading dimension. */
export class GgufTensor implements CheckpointTensor, GgufTensorInfo {
  readonly name: string;
  readonly dtype: GgmlDType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
  private readonly source: ByteSource;

  constructor(source: ByteSource, { name, dtype, shape, offset, byteLength }: GgufTensorInfo) {
    this.source = source;
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.offset = offset;
    this.byteLength = byteLength;
  }

  async read(first = 0, count = this.shape[0] - first): Promise<Floats> {
    return readNumbers(this.source, this.dtype, this.range(first, count));
  }

  async readInto(target: Uint8Array, first = 0, count = this.shape[0] - first): Promise<void> {
    const { begin, end } = this.range(first, count);
    checkTarget(target, this.name, count, end - begin);
    await this.source.readInto(begin, target);
  }

  async readBytes(first = 0, count = this.shape[0] - first): Promise<Uint8Array> {
    return readRange(this.source, this.range(first, count));
  }

  private range(first: number, count: number): ByteRange {
    return rowRange(this, this.shape[0], first, count);
  }
}
