/**
 * Which number format each tensor of a file gets, as llama-quantize chooses (llama-quant.cpp,
 * llama_tensor_get_type_impl): vectors stay float32; the head suffers most from rounding, and in
 * Q4_K_M so do the values and the down projections of some layers. Rows that no block divides
 * become F16. Not followed: what it does for 70B alone.
 *
 * Q4_K is what `llama-quantize --pure … Q4_K_S` makes: Q4_K for all matrices, the head too. (Q4_K_S
 * without --pure has Q5_K in it, which is not written here.)
 */

import type { GgmlDType } from '../../files/gguf/ggml-types.js';
import { unitOf } from '../../files/rows.js';
import type { CheckpointTensor } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import { isBlockDType } from '../../model/dtypes.js';
import { type Weight, weightsOf } from '../../model/weights.js';

interface FileType {
  /** The number that general.file_type has for it: llama_ftype. */
  readonly id: number;
  /** What most matrices are in. */
  readonly dtype: GgmlDType;
  /** All matrices, and no exceptions. */
  readonly isPure?: boolean;
}

export const FILE_TYPES = {
  F32: { id: 0, dtype: 'F32' },
  F16: { id: 1, dtype: 'F16' },
  BF16: { id: 32, dtype: 'BF16' },
  Q8_0: { id: 7, dtype: 'Q8_0' },
  Q5_1: { id: 9, dtype: 'Q5_1' },
  Q5_0: { id: 8, dtype: 'Q5_0' },
  Q4_1: { id: 3, dtype: 'Q4_1' },
  Q4_0: { id: 2, dtype: 'Q4_0' },
  Q4_K: { id: 14, dtype: 'Q4_K', isPure: true },
  Q4_K_M: { id: 15, dtype: 'Q4_K' },
  Q6_K: { id: 18, dtype: 'Q6_K' },
} as const satisfies Record<string, FileType>;

export type GgufFileType = keyof typeof FILE_TYPES;

/** What llama.cpp calls a file by the format that most of it has (llama-model-loader.cpp). */
export const MAIN_FILE_TYPES: Partial<Record<GgmlDType, number>> = {
  ...{ F32: 0, F16: 1, BF16: 32, Q4_0: 2, Q4_1: 3, Q5_0: 8, Q5_1: 9, Q8_0: 7 },
  ...{ Q2_K: 10, Q3_K: 12, Q4_K: 15, Q5_K: 17, Q6_K: 18 },
};

/**
 * The format that `tensor` has; but vectors are float32 in GGUF files, which holds the 16-bit
 * formats exactly.
 */
export function keptDType({ dtype, shape }: CheckpointTensor): GgmlDType {
  return shape.length === 1 && dtype !== 'F64' ? 'F32' : (dtype as GgmlDType);
}

/** The format of `weight`. */
export function dtypeInFile(
  fileType: GgufFileType,
  weight: Weight,
  config: LlamaConfig,
): GgmlDType {
  const wanted = wantedDType(fileType, weight, config);
  return isBlockDType(wanted) ? fitDType(wanted, widthOf(weight)) : wanted;
}

/** Which matrices of a file have other formats than its type says, and why: a sentence for each. */
export function fallbackNotes(fileType: GgufFileType, config: LlamaConfig): string[] {
  const counts = new Map<string, number>();
  for (const weight of weightsOf(config)) {
    const wanted = wantedDType(fileType, weight, config);
    const dtype = dtypeInFile(fileType, weight, config);
    if (dtype === wanted) continue;
    const reason =
      `${dtype} in place of ${wanted}: rows of ${widthOf(weight)} numbers are not a multiple ` +
      `of ${unitOf(wanted).numbers}`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) =>
    count === 1 ? `1 matrix is ${reason}` : `${count} matrices are ${reason}`,
  );
}

const widthOf = ({ shape }: Weight): number => shape.at(-1)!;

/** The format that `weight` would have if its rows were of any length. */
function wantedDType(fileType: GgufFileType, weight: Weight, config: LlamaConfig): GgmlDType {
  const { shape, field } = weight;
  if (shape.length === 1) return 'F32';
  const { dtype, isPure = false }: FileType = FILE_TYPES[fileType];
  if (!isBlockDType(dtype) || isPure) return dtype;
  if (field === (config.tieWordEmbeddings ? 'embedding' : 'lmHead'))
    return dtype === 'Q8_0' ? 'Q8_0' : 'Q6_K';
  return dtype === 'Q4_K' && wantsMoreBits(weight, config.numHiddenLayers) ? 'Q6_K' : dtype;
}

/**
 * Values and down projections of the first and the last eighth of the layers, and of every third
 * between.
 */
function wantsMoreBits({ field, layer }: Weight, layers: number): boolean {
  if (layer === undefined || (field !== 'vProj' && field !== 'downProj')) return false;
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** What is taken where rows are not a multiple of 256 long. */
const SMALLER_BLOCKS: Partial<Record<GgmlDType, GgmlDType>> = { Q4_K: 'Q5_0', Q6_K: 'Q8_0' };

function fitDType(dtype: GgmlDType, width: number): GgmlDType {
  if (width % unitOf(dtype).numbers === 0) return dtype;
  const smaller = SMALLER_BLOCKS[dtype];
  return smaller === undefined ? 'F16' : fitDType(smaller, width);
}
