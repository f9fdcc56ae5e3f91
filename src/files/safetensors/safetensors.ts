/**
 * The safetensors file format, to read and to write: named tensors behind a JSON header (see
 * `header.ts`). Stands alone: it needs neither Node nor the rest of this package, and knows nothing
 * of models or of several files.
 *
 *     const file = await openSafetensors(memorySource(bytes));
 *     const row = await file.tensors.get('model.embed_tokens.weight')!.read(15043, 1);
 */

import type { Checkpoint } from '../../model/checkpoint.js';
import { identifyAll } from '../identity.js';
import { RowMajorTensor } from '../row-major.js';
import type { ByteSource } from '../source.js';
import { readHeader, type SafetensorsHeader } from './header.js';

export { DTYPE_BYTES, type DType, type FloatDType } from '../../model/dtypes.js';
export { decode, encode } from '../dtypes.js';
export type { RowMajorTensor, TensorInfo } from '../row-major.js';
export { type ByteSource, memorySource } from '../source.js';
export type { SafetensorsHeader } from './header.js';
export { type SafetensorsInput, writeSafetensors } from './writer.js';

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

/** An open safetensors file: its header, and its tensors, read when they are asked for. */
export class SafetensorsFile implements Checkpoint {
  readonly name: string;
  /** `__metadata__` of the header; empty if there is none. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their offsets. */
  readonly tensors: ReadonlyMap<string, RowMajorTensor>;
  readonly #source: ByteSource;

  constructor(source: ByteSource, header: SafetensorsHeader) {
    this.name = source.name;
    this.#source = source;
    this.metadata = header.metadata;
    this.tensors = new Map(
      [...header.tensors].map(([name, info]) => [name, new RowMajorTensor(source, info)]),
    );
  }

  /** What tells its bytes from others: see `Checkpoint`. */
  identify(): Promise<string | undefined> {
    return identifyAll([this.#source]);
  }

  /** Closes the source; nothing can be read afterwards. */
  close(): Promise<void> {
    return this.#source.close();
  }
}
