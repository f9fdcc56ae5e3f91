/**
 * Where bytes come from, for readers of file formats. Files of a disk are in `file.ts`, so that
 * this one runs anywhere.
 */

import { check } from '../base/errors.js';
import type { Identified } from './identity.js';

/**
 * Something of a known size that can be read at any offset. Offsets and sizes are in bytes and may
 * be beyond 4 GiB.
 */
export interface ByteSource extends Identified {
  /** For error messages: a path, a URL. */
  readonly name: string;
  readonly size: number;
  /**
   * Fills the whole of `target` with the bytes that start at `offset`.
   * @throws {LlamaError} BAD_CHECKPOINT if the source ends before that, NOT_FOUND if it cannot be
   * read, DISPOSED after `close`.
   */
  readInto(offset: number, target: Uint8Array): Promise<void>;
  /** Closes what the bytes come from. */
  close(): Promise<void>;
}

/** `bytes` as a source; they are not copied. */
export function memorySource(bytes: Uint8Array, name = 'memory'): ByteSource {
  return {
    name,
    size: bytes.length,
    async readInto(offset, target) {
      checkRange(this, offset, target.length);
      target.set(bytes.subarray(offset, offset + target.length));
    },
    async close() {},
  };
}

/** @throws {LlamaError} BAD_CHECKPOINT unless `length` bytes at `offset` lie inside `source`. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  check(
    Number.isSafeInteger(offset) && offset >= 0 && offset + length <= source.size,
    'BAD_CHECKPOINT',
    () =>
      `${source.name}: asked for ${length} bytes at ${offset}, but it has ${source.size}; fetch ` +
      'the file again',
  );
}
