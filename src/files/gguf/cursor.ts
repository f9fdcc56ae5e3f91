/**
 * Reads forward through the header of a GGUF file, of which only the beginning may have been read
 * from disk so far.
 */

import { check, LlamaError } from '../../base/errors.js';

/** More of the file must be read before this can be answered. Never leaves `header.ts`. */
export class Incomplete extends Error {}

/** The byte order mark is a character like any other: Llama has a piece for it. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Every method throws BAD_CHECKPOINT if the file ends before what is asked for, and Incomplete if
 * the bytes at hand do.
 */
export class Cursor {
  /** The next byte. */
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileSize: number;

  /** @param bytes the first of the `fileSize` bytes of the file */
  constructor(bytes: Uint8Array, fileSize: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#fileSize = fileSize;
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const start = this.#pass(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  u8(): number {
    return this.#view.getUint8(this.#pass(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#pass(4), true);
  }

  /** As a number: throws BAD_CHECKPOINT beyond 2^53 − 1. */
  u64(what: string): number {
    const value = this.#view.getBigUint64(this.#pass(8), true);
    check(
      value <= Number.MAX_SAFE_INTEGER,
      'BAD_CHECKPOINT',
      () => `${what} is ${value}, more than 2^53; is the file damaged?`,
    );
    return Number(value);
  }

  /**
   * A number of things that take at least `bytesEach` in the rest of the file: throws
   * BAD_CHECKPOINT if they cannot be there.
   */
  count(what: string, bytesEach: number): number {
    const count = this.u64(what);
    const left = this.#fileSize - this.at;
    check(
      count <= left / bytesEach,
      'BAD_CHECKPOINT',
      () => `${what} is ${count}, but only ${left} bytes of the file follow; is it complete?`,
    );
    return count;
  }

  /** Its length in bytes, `most` at most, then UTF-8. */
  string(what: string, most = Number.MAX_SAFE_INTEGER): string {
    const length = this.count(`the length of ${what}`, 1);
    check(
      length <= most,
      'BAD_CHECKPOINT',
      () => `${what} is ${length} bytes long, the limit is ${most}; is the file damaged?`,
    );
    const start = this.#pass(length);
    try {
      return utf8.decode(this.#bytes.subarray(start, this.at));
    } catch {
      throw new LlamaError('BAD_CHECKPOINT', `${what} is not UTF-8`);
    }
  }

  /**
   * Moves behind the next `length` bytes, which are then sure to be at hand; returns where they
   * begin.
   */
  #pass(length: number): number {
    const start = this.at;
    const end = start + length;
    check(
      end <= this.#fileSize,
      'BAD_CHECKPOINT',
      () => `the file ends at byte ${this.#fileSize}, in the middle of its header; fetch it again`,
    );
    if (end > this.#bytes.length) throw new Incomplete();
    this.at = end;
    return start;
  }
}
