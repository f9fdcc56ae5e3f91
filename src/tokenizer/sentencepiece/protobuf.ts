/**
 * The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), as much of it as
 * tokenizer.model needs:
 *
 *     message = (tag, value)…      tag = varint of field number · 8 + wire type
 *     wire type 0: varint, 1: 8 bytes, 2: varint length and as many bytes, 5: 4 bytes
 *
 * Strict: what is cut off, too long, or of a wire type that is not listed (groups, 3 and 4, were
 * dropped from the language) is an error. Not a schema: who calls knows the fields, and leaves
 * alone those it does not know.
 */
import { check, LlamaError } from '../../base/errors.js';

export type WireType = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

export interface Field {
  readonly number: number;
  readonly wireType: WireType;
  /** A varint as an unsigned number of 64 bits; anything else as its bytes, not copied. */
  readonly value: bigint | Uint8Array;
}

const MAX_FIELD_NUMBER = 2 ** 29 - 1;

/**
 * The fields of `message` in file order. Iterating throws BAD_TOKENIZER where `message` is broken.
 */
export function* readFields(message: Uint8Array): Generator<Field> {
  const reader = new Reader(message);
  while (!reader.atEnd) {
    const tag = reader.varint();
    const number = Number(tag >> 3n);
    check(
      number >= 1 && number <= MAX_FIELD_NUMBER,
      'BAD_TOKENIZER',
      () => `${reader.where}: no field has number ${number}`,
    );
    yield readValue(reader, number, Number(tag & 7n));
  }
}

function readValue(reader: Reader, number: number, wireType: number): Field {
  switch (wireType) {
    case 0:
      return { number, wireType: 'varint', value: reader.varint() };
    case 1:
      return { number, wireType: 'fixed64', value: reader.bytes(8n) };
    case 2:
      return { number, wireType: 'bytes', value: reader.bytes(reader.varint()) };
    case 5:
      return { number, wireType: 'fixed32', value: reader.bytes(4n) };
    default:
      throw new LlamaError(
        'BAD_TOKENIZER',
        `${reader.where}: field ${number} has wire type ${wireType}, not 0, 1, 2 or 5`,
      );
  }
}

class Reader {
  readonly #data: Uint8Array;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  get atEnd(): boolean {
    return this.#at === this.#data.length;
  }

  get where(): string {
    return `protobuf message of ${this.#data.length} bytes, before byte ${this.#at}`;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      check(
        !this.atEnd,
        'BAD_TOKENIZER',
        () => `${this.where}: it ends within a number; is the file complete?`,
      );
      const byte = this.#data[this.#at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        check(
          value < 2n ** 64n,
          'BAD_TOKENIZER',
          () => `${this.where}: a number of more than 64 bits`,
        );
        return value;
      }
    }
    throw new LlamaError('BAD_TOKENIZER', `${this.where}: a number of more than 10 bytes`);
  }

  bytes(length: bigint): Uint8Array {
    const left = this.#data.length - this.#at;
    check(length <= left, 'BAD_TOKENIZER', () => {
      const found = `a field of ${length} bytes where ${left} are left`;
      return `${this.where}: ${found}; is the file complete?`;
    });
    const start = this.#at;
    this.#at += Number(length);
    return this.#data.subarray(start, this.#at);
  }
}

/**
 * Two's complement of 64 bits, of which the schema's int32 and enum use 32. `name` is for the
 * message, here and below.
 */
export function asInteger(field: Field, name: string): number {
  return Number(BigInt.asIntN(64, expectWireType<bigint>(field, 'varint', name)));
}

export function asBoolean(field: Field, name: string): boolean {
  return expectWireType<bigint>(field, 'varint', name) !== 0n;
}

export function asFloat(field: Field, name: string): number {
  const bytes = expectWireType<Uint8Array>(field, 'fixed32', name);
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
}

export function asBytes(field: Field, name: string): Uint8Array {
  return expectWireType<Uint8Array>(field, 'bytes', name);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function asString(field: Field, name: string): string {
  try {
    return utf8.decode(asBytes(field, name));
  } catch (error) {
    if (error instanceof LlamaError) throw error;
    throw new LlamaError('BAD_TOKENIZER', `${name} is not UTF-8`, { cause: error });
  }
}

function expectWireType<T extends Field['value']>(
  field: Field,
  wireType: WireType,
  name: string,
): T {
  check(
    field.wireType === wireType,
    'BAD_TOKENIZER',
    () => `${name} has wire type ${field.wireType}, not ${wireType}`,
  );
  return field.value as T;
}
