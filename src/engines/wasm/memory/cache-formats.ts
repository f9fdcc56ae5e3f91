/**
 * The formats of cached keys and values, and their sizes. The layouts are in `asm/key-value.ts`.
 */
import { alignTo } from '../../../base/align.js';
import { PAGE_POSITIONS } from '../../../model/sequence.js';

/** How keys and values are held: float32, IEEE's float16, or 8-bit integers with scales. */
export type CacheFormat = 'f32' | 'f16' | 'q8';

/** Keys are kept 16 positions at a time, values 16 numbers at a time. */
export const STEP = 16;
/** Numbers of a key that share a scale in q8. */
export const BLOCK = 32;

/** Numbers of a head for which there is room in sums and in values. */
export function paddedHeadDim(headDim: number): number {
  return alignTo(headDim, STEP);
}

/** Scales of a key in q8. */
export function blocksOfHead(headDim: number): number {
  return Math.ceil(headDim / BLOCK);
}

/** Keys and values of one head in a page. */
export function headPageBytes(format: CacheFormat, headDim: number): number {
  const numbers = PAGE_POSITIONS * (headDim + paddedHeadDim(headDim));
  switch (format) {
    case 'f32':
      return 4 * numbers;
    case 'f16':
      return 2 * numbers;
    case 'q8':
      return (
        PAGE_POSITIONS *
        (alignTo(headDim, 4) + paddedHeadDim(headDim) + 4 * (blocksOfHead(headDim) + 1))
      );
  }
}
