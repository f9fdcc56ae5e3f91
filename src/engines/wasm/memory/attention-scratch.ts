/** What a call of `asm/attention.ts` needs. */
import { alignTo } from '../../../base/align.js';
import { PAGE_POSITIONS } from '../../../model/sequence.js';
import { blocksOfHead, type CacheFormat, headPageBytes, paddedHeadDim } from './cache-formats.js';

/** So many consecutive rows of a sequence share a walk through its keys and values. */
export const ATTENTION_ROWS = 16;
/** And so many key-value heads, at most. */
export const ATTENTION_HEADS = 4;

/**
 * What the call computes: `rows` rows of `heads` key-value heads, each with the query heads of its
 * group.
 */
export interface AttentionShape {
  readonly headDim: number;
  readonly groupSize: number;
  readonly heads: number;
  readonly rows: number;
}

/**
 * Scores of four queries, the weights of a page in q8, and for f16 a head's part of a page as
 * float32. For each query a weighted sum, a maximum and a total, and the query itself, scaled for
 * f16 and quantized for q8.
 */
export function attentionScratchBytes(
  format: CacheFormat,
  { headDim, groupSize, heads, rows }: AttentionShape,
): number {
  const page =
    PAGE_POSITIONS * (4 * 4 + 2 + 4) + (format === 'f16' ? headPageBytes('f32', headDim) : 0);
  const perQuery = paddedHeadDim(headDim) * 4 + 2 * 4 + queryBytes(format, headDim);
  return page + heads * rows * groupSize * perQuery;
}

function queryBytes(format: CacheFormat, headDim: number): number {
  switch (format) {
    case 'f32':
      return 0;
    case 'f16':
      return headDim * 4;
    case 'q8':
      return alignTo(headDim, 4) * 2 + blocksOfHead(headDim) * 4;
  }
}
