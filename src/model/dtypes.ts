/**
 * The number formats that a checkpoint's tensors can have, by name. What is in the bytes is told by
 * `src/files/dtypes.ts` and `src/files/blocks/`.
 */

/** Bytes per number, by the names of safetensors; in the order that its writer sorts by. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  C64: 8,
  F64: 8,
  I64: 8,
  U64: 8,
};

/** A format in which every number has bytes of its own. */
export type DType = keyof typeof DTYPE_BYTES;

/** The formats of that kind that a weight can have. */
export type FloatDType = 'F64' | 'F32' | 'F16' | 'BF16';

/** Whether `dtype` is the name of a floating-point format that a weight can have. */
export function isFloatDType(dtype: string): dtype is FloatDType {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/**
 * How many numbers share a block, and how many bytes it takes in a file, by the names that GGUF
 * files and llama.cpp give the formats (ggml-common.h).
 */
export const BLOCK_UNITS = {
  Q4_0: { numbers: 32, bytes: 18 },
  Q4_1: { numbers: 32, bytes: 20 },
  Q5_0: { numbers: 32, bytes: 22 },
  Q5_1: { numbers: 32, bytes: 24 },
  Q8_0: { numbers: 32, bytes: 34 },
  Q2_K: { numbers: 256, bytes: 84 },
  Q3_K: { numbers: 256, bytes: 110 },
  Q4_K: { numbers: 256, bytes: 144 },
  Q5_K: { numbers: 256, bytes: 176 },
  Q6_K: { numbers: 256, bytes: 210 },
} as const;

/**
 * A format in which a block of numbers shares a scale. Only in GGUF files; rows are a multiple of a
 * block.
 */
export type BlockDType = keyof typeof BLOCK_UNITS;

/** Whether `dtype` is the name of a block format. */
export function isBlockDType(dtype: string): dtype is BlockDType {
  return Object.hasOwn(BLOCK_UNITS, dtype);
}
