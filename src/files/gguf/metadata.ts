/**
 * The metadata of a GGUF file: so many times
 *
 *     key: string | type: u32 | value
 *
 * where a string is its length as u64, then UTF-8, and an array is type: u32 | count: u64 | values.
 *
 * Stricter than llama.cpp: keys are ASCII and not longer than the specification allows, truth
 * values are 0 or 1, strings are UTF-8.
 */

import { check, LlamaError, show } from '../../base/errors.js';
import type { Cursor } from './cursor.js';
import {
  type BigIntType,
  type GgufMetadata,
  type GgufValue,
  type NumberType,
  TYPED_ARRAYS,
  VALUE_TYPES,
  type ValueType,
} from './values.js';

/** Far more than any file has; so many keys take some ten megabytes of memory. */
export const MAX_KEYS = 65_536;
const MAX_KEY_LENGTH = 65_535;
/** The shortest entry: an empty key and one byte. */
export const SMALLEST_ENTRY = 8 + 4 + 1;
/** What is written for an empty string. */
const SMALLEST_STRING = 8;

const TYPE_NAMES: ReadonlyMap<number, ValueType> = new Map(
  Object.entries(VALUE_TYPES).map(([name, id]) => [id, name as ValueType]),
);

/**
 * Reads `count` entries.
 * @throws {LlamaError} BAD_CHECKPOINT naming the key that is broken, or comes twice.
 */
export function readMetadata(cursor: Cursor, count: number): GgufMetadata {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = readKey(cursor, i);
    check(!metadata.has(key), 'BAD_CHECKPOINT', () => `the metadata key ${show(key)} comes twice`);
    metadata.set(key, readValue(cursor, key));
  }
  return metadata;
}

function readKey(cursor: Cursor, index: number): string {
  const key = cursor.string(`metadata key ${index}`, MAX_KEY_LENGTH);
  check(
    /^[\x21-\x7e]+$/.test(key),
    'BAD_CHECKPOINT',
    () =>
      `metadata key ${index} is ${show(key)}, not ASCII letters and signs; is the file damaged?`,
  );
  return key;
}

function readValue(cursor: Cursor, key: string): GgufValue {
  const type = readType(cursor, key);
  switch (type) {
    case 'array':
      return readArray(cursor, key);
    case 'string':
      return { type, value: cursor.string(`the value of ${key}`) };
    case 'bool':
      return { type, value: readNumbers(cursor, key, type, 1)[0] === 1 };
    case 'u64':
    case 'i64':
      return { type, value: readBigInts(cursor, type, 1)[0] };
    default:
      return { type, value: readNumbers(cursor, key, type, 1)[0] };
  }
}

function readArray(cursor: Cursor, key: string): GgufValue {
  const of = readType(cursor, key);
  const what = `the number of values of ${key}`;
  switch (of) {
    case 'array':
      throw new LlamaError(
        'BAD_CHECKPOINT',
        `${key} is an array of arrays, which llama.cpp refuses too`,
      );
    case 'string': {
      const count = cursor.count(what, SMALLEST_STRING);
      return {
        type: 'array',
        of,
        value: Array.from({ length: count }, (_, i) => cursor.string(`value ${i} of ${key}`)),
      };
    }
    case 'u64':
    case 'i64':
      return { type: 'array', of, value: readBigInts(cursor, of, cursor.count(what, 8)) };
    default: {
      const count = cursor.count(what, TYPED_ARRAYS[of].BYTES_PER_ELEMENT);
      return { type: 'array', of, value: readNumbers(cursor, key, of, count) };
    }
  }
}

function readType(cursor: Cursor, key: string): ValueType {
  const id = cursor.u32();
  const type = TYPE_NAMES.get(id);
  check(
    type !== undefined,
    'BAD_CHECKPOINT',
    () => `${key} has a value of type ${id}; there are 0 to 12`,
  );
  return type;
}

function readNumbers(
  cursor: Cursor,
  key: string,
  type: NumberType | 'bool',
  count: number,
): ArrayLike<number> {
  const { buffer } = cursor.bytes(count * TYPED_ARRAYS[type].BYTES_PER_ELEMENT);
  const numbers = new TYPED_ARRAYS[type](buffer);
  if (type === 'bool') {
    const bad = numbers.find(value => value > 1);
    check(
      bad === undefined,
      'BAD_CHECKPOINT',
      () => `${key} has the truth value ${bad}; there are 0 and 1`,
    );
  }
  return numbers;
}

function readBigInts(cursor: Cursor, type: BigIntType, count: number): ArrayLike<bigint> {
  return new TYPED_ARRAYS[type](cursor.bytes(count * 8).buffer);
}
