/**
 * NumPy's format of one array (numpy/lib/format.py), little-endian but for the data:
 *
 *     bytes 0 … 5   \x93NUMPY
 *     bytes 6, 7    version: 1.0, 2.0 or 3.0
 *     then          n, the length of the header: u16 in version 1, otherwise u32
 *     n bytes       a Python dictionary, padded with spaces:
 *                   {'descr': '<f4', 'fortran_order': False, 'shape': (19, 132), }
 *     the rest      the numbers
 *
 * The header is read by its grammar: nothing in it is evaluated, and arrays of objects, which are
 * pickles, are refused.
 */
import { check, LlamaError, show } from '../../base/errors.js';
import { elementCount } from '../../base/tensor.js';
import { DTYPE_BYTES, type FloatDType } from '../../model/dtypes.js';
import type { LoadedTensor } from './given.js';
import { decodeNumbers, type IntegerDType } from './numbers.js';
import { permuteAxes } from './permute.js';

const MAGIC = '\x93NUMPY';
const VERSION_END = 8;
/** A plain array has a header of about a hundred bytes. */
const MAX_HEADER_BYTES = 2 ** 16;

/** By NumPy's kind and bytes per number. */
const DTYPES: Readonly<Record<string, FloatDType | IntegerDType>> = {
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
  V2: 'BF16', // what the package ml_dtypes has numpy.save write for bfloat16
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
};

interface Header {
  readonly descr: string;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
}

/**
 * The array in the bytes of a file.
 * @throws {LlamaError} BAD_CHECKPOINT naming what is wrong; UNSUPPORTED for what are no numbers.
 */
export function parseNpy(bytes: Uint8Array, where: string): LoadedTensor {
  const { text, end } = headerText(bytes, where);
  const { descr, isFortran, shape } = parseHeader(text, where);
  const { dtype, isBigEndian } = parseDescr(descr, where);
  const stored = bytes.subarray(end);
  const size = elementCount(shape) * DTYPE_BYTES[dtype];
  bad(
    stored.length === size,
    () =>
      `${where}: ${descr} ${show(shape)} takes ${size} bytes, but ${stored.length} follow ` +
      'the header; is the file complete?',
  );
  const data = decodeNumbers(dtype, isBigEndian ? swap(stored, DTYPE_BYTES[dtype]) : stored);
  const isTransposed = isFortran && shape.length > 1;
  return { dtype, shape, data: isTransposed ? fromColumnMajor(data, shape) : data };
}

function headerText(bytes: Uint8Array, where: string): { text: string; end: number } {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  bad(magic === MAGIC, () => `${where} begins with ${show(magic)}, not as a .npy file does`);
  bad(bytes.length >= VERSION_END + 4, () => `${where} ends inside its header`);
  const [, major, minor] = bytes.subarray(MAGIC.length - 1);
  check(
    major >= 1 && major <= 3 && minor === 0,
    'UNSUPPORTED',
    () => `${where} has version ${major}.${minor} of the format; 1.0, 2.0 and 3.0 are read`,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const begin = VERSION_END + (major === 1 ? 2 : 4);
  const length =
    major === 1 ? view.getUint16(VERSION_END, true) : view.getUint32(VERSION_END, true);
  bad(
    length <= MAX_HEADER_BYTES && begin + length <= bytes.length,
    () =>
      `${where}: a header of ${length} bytes is announced; the limit is ${MAX_HEADER_BYTES}, and ` +
      `the file has ${bytes.length}`,
  );
  // Latin-1 or UTF-8; what a plain array has is ASCII
  const text = new TextDecoder('latin1').decode(bytes.subarray(begin, begin + length));
  return { text, end: begin + length };
}

/** A text, a description of fields, a boolean, a tuple; Python 2 writes numbers as `3L`. */
const VALUE = String.raw`'[^']*'|\[.*\]|True|False|\([\dL,\s]*\)`;
/** An entry of the dictionary with the comma after it. */
const ENTRY = new RegExp(
  String.raw`(['"])(descr|fortran_order|shape)\1\s*:\s*(${VALUE})\s*(?:,\s*|$)`,
  'gy',
);

function parseHeader(text: string, where: string): Header {
  const [, body = ''] = /^\s*\{\s*(.*)\}\s*$/s.exec(text) ?? [];
  const entries = [...body.matchAll(ENTRY)];
  const isWhole = body.length === entries.reduce((sum, [all]) => sum + all.length, 0);
  const fields = new Map(entries.map(([, , key, value]) => [key, value]));
  const { descr, fortran_order: order, shape } = Object.fromEntries(fields);
  const isPlain = /^(?:True|False)$/.test(order) && /^\(/.test(shape);
  bad(
    isWhole && entries.length === fields.size && descr !== undefined && isPlain,
    () => `${where}: the header ${show(text.trim())} is not one that NumPy writes`,
  );
  return { descr, isFortran: order === 'True', shape: parseShape(shape, where) };
}

function parseShape(text: string, where: string): number[] {
  const words = text
    .slice(1, -1)
    .replace(/,\s*$/, '')
    .split(',')
    .map(word => word.trim());
  if (words.length === 1 && words[0] === '') return [];
  return words.map(word => {
    const size = /^\d+L?$/.test(word) ? Number.parseInt(word, 10) : Number.NaN;
    bad(Number.isSafeInteger(size), () => `${where}: ${show(text)} is not the shape of an array`);
    return size;
  });
}

function parseDescr(
  descr: string,
  where: string,
): { dtype: FloatDType | IntegerDType; isBigEndian: boolean } {
  check(
    !/^'\|?O/.test(descr),
    'UNSUPPORTED',
    () =>
      `${where} is an array of objects, that is a pickle, which could run any program and is not ` +
      'read; write numbers, such as array.astype("float32")',
  );
  if (descr === "'bfloat16'") return { dtype: 'BF16', isBigEndian: false };
  const [, order, kind] = /^'([<>|])(\w+)'$/.exec(descr) ?? [];
  if (kind === undefined || !Object.hasOwn(DTYPES, kind)) {
    throw new LlamaError(
      'UNSUPPORTED',
      `${where} has the dtype ${show(descr)}, which is not read; write array.astype("float32"), ` +
        'and tokens and positions as int64',
    );
  }
  return { dtype: DTYPES[kind], isBigEndian: order === '>' };
}

function swap(bytes: Uint8Array, size: number): Uint8Array {
  const swapped = new Uint8Array(bytes);
  for (let at = 0; at < swapped.length; at += size) swapped.subarray(at, at + size).reverse();
  return swapped;
}

/** In a column-major array the axes are those of a row-major one in the opposite order. */
function fromColumnMajor(
  data: LoadedTensor['data'],
  shape: readonly number[],
): LoadedTensor['data'] {
  return permuteAxes(data, [...shape].reverse(), [...shape.keys()].reverse());
}

function bad(condition: boolean, message: () => string): asserts condition {
  check(condition, 'BAD_CHECKPOINT', message);
}
