/**
 * The GGUF file format, to read: metadata and named tensors, by the names that the file has. What a
 * Llama's metadata and names mean is in `checkpoint.ts` and `src/files/gguf/config.ts`.
 *
 *     const file = await openGguf(memorySource(bytes));
 *     const row = await file.tensors.get('token_embd.weight')!.read(15043, 1);
 */

import type { Checkpoint } from '../../model/checkpoint.js';
import { identifyAll } from '../identity.js';
import { RowMajorTensor } from '../row-major.js';
import type { ByteSource } from '../source.js';
import type { GgmlDType } from './ggml-types.js';
import { readGgufHeader } from './header.js';
import type { GgufMetadata } from './values.js';

export type GgufTensor = RowMajorTensor<GgmlDType>;

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
 * @throws {LlamaError} BAD_CHECKPOINT naming what is wrong with the header, UNSUPPORTED naming what
 * is not implemented.
 */
export async function openGguf(source: ByteSource): Promise<GgufFile> {
  try {
    const { metadata, tensors } = await readGgufHeader(source);
    return {
      name: source.name,
      metadata,
      tensors: new Map(tensors.map(info => [info.name, new RowMajorTensor(source, info)])),
      identify: () => identifyAll([source]),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
