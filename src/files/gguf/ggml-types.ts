/** How GGUF files name the number formats of tensors: the ids of ggml_type, in ggml.h. */

import { check, LlamaError } from '../../base/errors.js';
import type { NumberDType } from '../rows.js';

/** A number format that tensors of a GGUF file can have here. */
export type GgmlDType = NumberDType;

export const GGML_IDS: Readonly<Record<GgmlDType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  F64: 28,
  BF16: 30,
};

/** What else there is or was: refused by name. */
const NOT_READ: ReadonlyMap<number, string> = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [9, 'Q8_1'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, 'IQ4_NL'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [29, 'IQ1_M'],
  [31, 'Q4_0_4_4'],
  [32, 'Q4_0_4_8'],
  [33, 'Q4_0_8_8'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [36, 'IQ4_NL_4_4'],
  [37, 'IQ4_NL_4_8'],
  [38, 'IQ4_NL_8_8'],
  [39, 'MXFP4'],
  [40, 'NVFP4'],
  [41, 'Q1_0'],
]);

/** So it is with SmolLM2-135M, whose rows have 576 numbers. */
const IN_SMALL_MODELS =
  ': of rows that are not a multiple of 256, llama-quantize makes IQ4_NL in files of Q2_K and ' +
  'Q3_K, but Q5_0 and better in those of Q4_K_M';

const DTYPES: ReadonlyMap<number, GgmlDType> = new Map(
  Object.entries(GGML_IDS).map(([dtype, id]) => [id, dtype as GgmlDType]),
);

/**
 * @param of for the message: which tensor
 * @throws {LlamaError} UNSUPPORTED for a format that is not implemented, BAD_CHECKPOINT for an id
 * that nobody has given out.
 */
export function dtypeOf(id: number, of: string): GgmlDType {
  const dtype = DTYPES.get(id);
  if (dtype !== undefined) return dtype;
  const name = NOT_READ.get(id);
  check(
    name !== undefined,
    'BAD_CHECKPOINT',
    () => `${of} has the type ${id}, which is none; is the file damaged?`,
  );
  throw new LlamaError(
    'UNSUPPORTED',
    `${of} is in the format ${name}, which is not implemented; there are ` +
      `${Object.keys(GGML_IDS).join(', ')}. Fetch the model in one of these` +
      (name === 'IQ4_NL' ? IN_SMALL_MODELS : ''),
  );
}
