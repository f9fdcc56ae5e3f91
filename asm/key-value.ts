/**
 * Where a page of 64 positions keeps the keys and values of one layer: for each key-value head its
 * keys, then its values.
 *
 *   keys [4][d][16 positions]: for every 16 positions, number after number values [dPadded / 16][64
 *   positions][16 numbers]: for every 16 numbers, position after position; dPadded is d rounded up
 *   to a multiple of 16
 *
 * So both are read front to back, in steps of 16 that fill the lanes of four vectors: of keys for
 * 16 scores at a time, of values for 16 sums. Within a step:
 *
 *   F32 as they are F16 interleaved, two times four: 0 4 1 5 2 6 3 7, 8 12 9 13 …, so that one is
 *   the lower and one the upper half of a lane Q8 two steps together, a lane's numbers side by
 *   side, as the integer dot product adds them up. Before them the scales, float32: for 16 keys
 *        [blocks of d][16 positions], for all values [64 positions]
 *
 * A block of Q8 is 32 numbers of a key, or fewer if it is the last. What lies beyond d is never
 * looked at, whatever it is.
 */
import { isF16, isQ8 } from './cache-format';

/** Positions per page. */
export const PAGE_POSITIONS: usize = 64;
/** Numbers in a step. */
export const STEP: usize = 16;
/** Numbers of a key that share a scale in Q8. */
export const BLOCK: usize = 32;

// @ts-ignore: decorator
@inline
export function paddedHeadDim(headDim: usize): usize {
  return (headDim + STEP - 1) & ~(STEP - 1);
}

// @ts-ignore: decorator
@inline
export function blocksOf(headDim: usize): usize {
  return (headDim + BLOCK - 1) / BLOCK;
}

/** `steps` steps; of Q8 always whole fours. */
// @ts-ignore: decorator
@inline
export function stepsBytes<T>(steps: usize): usize {
  return (isQ8<T>() ? (steps + 3) & ~3 : steps) * STEP * sizeof<T>();
}

/** From the first of some steps to the number in lane `lane` of step `step`. */
// @ts-ignore: decorator
@inline
export function numberOffset<T>(step: usize, lane: usize): usize {
  if (isQ8<T>()) return ((((step >> 2) << 4) + lane) << 2) + (step & 3);
  if (isF16<T>()) lane = ((lane & 7) << 1) | (lane >> 3);
  return ((step << 4) + lane) * sizeof<T>();
}

/** From the first of 16 keys to their numbers. */
// @ts-ignore: decorator
@inline
export function keyScalesBytes<T>(headDim: usize): usize {
  return isQ8<T>() ? (blocksOf(headDim) * STEP) << 2 : 0;
}

/** From a head's values to their numbers. */
// @ts-ignore: decorator
@inline
export function valueScalesBytes<T>(): usize {
  return isQ8<T>() ? PAGE_POSITIONS << 2 : 0;
}

/** 16 keys. */
// @ts-ignore: decorator
@inline
export function keysBytes<T>(headDim: usize): usize {
  return keyScalesBytes<T>(headDim) + stepsBytes<T>(headDim);
}

/** From a head's keys to its values. */
// @ts-ignore: decorator
@inline
export function valuesOffset<T>(headDim: usize): usize {
  return (PAGE_POSITIONS / STEP) * keysBytes<T>(headDim);
}

/** One head's part of a page. */
// @ts-ignore: decorator
@inline
export function headBytes<T>(headDim: usize): usize {
  return (
    valuesOffset<T>(headDim) +
    valueScalesBytes<T>() +
    (paddedHeadDim(headDim) / STEP) * stepsBytes<T>(PAGE_POSITIONS)
  );
}
