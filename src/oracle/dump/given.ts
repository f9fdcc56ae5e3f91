/** Tensors of another implementation as they come: from a file, from a function, from a process. */
import type { Floats, Tensor } from '../../base/tensor.js';
import type { FloatDType } from '../../model/dtypes.js';
import type { IntegerDType } from './numbers.js';

export interface LoadedTensor {
  readonly dtype: FloatDType | IntegerDType;
  readonly shape: readonly number[];
  /** Row-major; integers as float64, which are exact up to 2^53. */
  readonly data: Floats;
}

export interface GivenTensor {
  /** As they call it. */
  readonly name: string;
  load(): Promise<LoadedTensor>;
}

export interface Given {
  /** Where they are from, for messages. */
  readonly source: string;
  readonly tensors: readonly GivenTensor[];
  /** What else is to be known of them. */
  readonly notes: readonly string[];
}

/** A tensor that is in memory already. */
export const givenTensor = (name: string, { shape, data }: Tensor): GivenTensor => ({
  name,
  load: async () => ({ dtype: data instanceof Float64Array ? 'F64' : 'F32', shape, data }),
});

/** Token ids or positions that are in memory already. */
export const givenIntegers = (name: string, integers: readonly number[]): GivenTensor => ({
  name,
  load: async () => ({
    dtype: 'I64',
    shape: [integers.length],
    data: Float64Array.from(integers),
  }),
});
