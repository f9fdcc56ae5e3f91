/** Bytes of a file's tensor, little-endian, as numbers. */
import { LlamaError } from '../../base/errors.js';
import type { Floats } from '../../base/tensor.js';
import { checkPlatform, decode } from '../../files/dtypes.js';
import { type FloatDType, isFloatDType } from '../../model/dtypes.js';

const INTEGERS = {
  I8: Int8Array,
  U8: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
};

export type IntegerDType = keyof typeof INTEGERS;

export const isIntegerDType = (dtype: string): dtype is IntegerDType =>
  Object.hasOwn(INTEGERS, dtype);

/** @throws {LlamaError} UNSUPPORTED unless `dtype` is one of numbers that are read here. */
export function checkDType(
  dtype: string,
  where: string,
): asserts dtype is FloatDType | IntegerDType {
  if (isFloatDType(dtype) || isIntegerDType(dtype)) return;
  throw new LlamaError(
    'UNSUPPORTED',
    `${where} has the dtype ${dtype}, which is not read; write it as float32 or float64, and ` +
      'tokens and positions as int64',
  );
}

/** `bytes`, at any alignment; integers become float64. */
export function decodeNumbers(dtype: FloatDType | IntegerDType, bytes: Uint8Array): Floats {
  if (isFloatDType(dtype)) return decode(dtype, bytes);
  checkPlatform();
  const { buffer } = new Uint8Array(bytes);
  return Float64Array.from<number | bigint>(new INTEGERS[dtype](buffer), Number);
}
