/**
 * The opcodes of a pickle and their arguments, from its bytes (Lib/pickletools.py). Nothing is read
 * beyond the end.
 */

import { check, LlamaError } from '../../base/errors.js';
import { OPCODES, type Opcode } from './pickle-opcodes.js';

export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;
  #at = 0;
  #opcodeAt = 0;

  /** @param file what `bytes` are, for messages */
  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** Which opcode is being read, for messages. */
  get where(): string {
    return `${this.#file}, byte ${this.#opcodeAt}`;
  }

  opcode(): Opcode {
    this.#opcodeAt = this.#at;
    const byte = this.uint8();
    const opcode = OPCODES[byte as keyof typeof OPCODES];
    this.check(opcode !== undefined, () => `there is no opcode ${byte}; is it a pickle?`);
    return opcode;
  }

  uint8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }

  /** The only big-endian number of the format. */
  float64(): number {
    return this.#view.getFloat64(this.#skip(8), false);
  }

  /** A signed integer of `length` bytes. */
  integer(length: number): number {
    this.check(length <= 8, () => `an integer of ${length} bytes; the limit is 2^53`);
    let bits = 0n;
    for (let i = 0; i < length; i++) bits |= BigInt(this.uint8()) << BigInt(8 * i);
    const value = Number(BigInt.asIntN(8 * length, bits));
    this.check(Number.isSafeInteger(value), () => `the integer ${value}; the limit is 2^53`);
    return value;
  }

  text(length: number): string {
    const begin = this.#skip(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.#bytes.subarray(begin, this.#at),
      );
    } catch (error) {
      throw new LlamaError('BAD_CHECKPOINT', `${this.where}: text that is not UTF-8`, {
        cause: error,
      });
    }
  }

  /** Text up to a newline, which is skipped. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    this.check(end !== -1, () => 'a name that does not end; the file is cut off: fetch it again');
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }

  #skip(length: number): number {
    this.check(
      length <= this.remaining,
      () => `${length} bytes needed, ${this.remaining} left; fetch the file again`,
    );
    this.#at += length;
    return this.#at - length;
  }

  /** @throws {LlamaError} BAD_CHECKPOINT, saying where, unless `condition` holds. */
  check(condition: boolean, message: () => string): asserts condition {
    check(condition, 'BAD_CHECKPOINT', () => `${this.where}: ${message()}`);
  }
}
