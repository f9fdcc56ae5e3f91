/**
 * What a thread does with its tiles while a model is loaded: the numbers of a checkpoint become
 * packed weights.
 */
import type { KernelExports } from '../kernels/exports.js';
import {
  BLOCK_SIZES,
  type BlockFormat,
  isBlockFormat,
  type WeightFormat,
} from '../memory/weight-formats.js';
import type { PackJob } from './messages.js';

/** What takes blocks as they are, by the format that they are of. */
export const REPACKERS = {
  q8_0: 'repackQ8',
  q4_0: 'repackQ4',
  q4_1: 'repackQ41',
  q5_0: 'repackQ5',
  q5_1: 'repackQ51',
  q2_k: 'repackQ2K',
  q3_k: 'repackQ3K',
  q4_k: 'repackQ4K',
  q5_k: 'repackQ5K',
  q6_k: 'repackQ6K',
} as const satisfies Record<BlockFormat, keyof KernelExports>;
/** What packs float32 numbers, by the format they get. */
export const PACKERS = {
  f32: 'packF32',
  bf16: 'packBF16',
  f16: 'packF16',
  q8_0: 'packQ8',
  q4_0: 'packQ4',
} as const;

/**
 * Packs `rows` rows at `source` into the tile at `target`. Returns how many of the numbers, or of
 * the scales, are too large for the format.
 *
 * @param scratch room for the numbers of a tile as float32: see `staging.ts`
 */
export function packTile(
  kernels: KernelExports,
  { dtype, format, columns, rowBytes }: Pick<PackJob, 'dtype' | 'format' | 'columns' | 'rowBytes'>,
  target: number,
  source: number,
  rows: number,
  scratch: number,
): number {
  if (isBlockFormat(format) && dtype.toLowerCase() === format) {
    const [numbers] = BLOCK_SIZES[format];
    return kernels[REPACKERS[format]](target, source, rowBytes, columns / numbers, rows) ?? 0;
  }
  const { packPairs, rebiasF16, widenF16, widenBF16 } = kernels;
  const count = rows * columns;
  let from = source;
  let tooLarge = 0;
  if (dtype === 'F16') {
    if (format === 'f16') tooLarge = rebiasF16(scratch, source, count) ?? 0;
    else widenF16(scratch, source, count);
    from = scratch;
  } else if (dtype === 'BF16' && format !== 'bf16') {
    widenBF16(scratch, source, count);
    from = scratch;
  }
  const isReady = dtype.toLowerCase() === format && dtype !== 'F32';
  const pack = isReady ? packPairs : kernels[PACKERS[format as WeightFormat]];
  return tooLarge + (pack(target, from, columns, columns, rows) ?? 0);
}
