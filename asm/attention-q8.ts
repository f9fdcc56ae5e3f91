/**
 * Attention over Q8 numbers of the cache, in integers.
 *
 * Numerics: what meets the cache becomes integers of −32767 … 32767 too, as `block-scale.ts` says.
 *   scores: the query, with a scale for each block of 32 numbers. A block's products are summed
 *   exactly (below 2^27); then, in float32,
 *            sum · (the key's scale · the query's scale) is added up, block after block.
 *   values: the weights w[t] = p[t] · the value's scale, with one scale for the page. The page's
 *   products are summed exactly (below 2^28); then, in
 *            float32, sum · scale is added to the running sum.
 * A number of the query is off by at most 1/65534 of the largest in its block, a weight by as much
 * of the largest in its page: where the numbers of the cache are off by 1/254 of the largest beside
 * them.
 */
import { inverseOf, largestSize, scaleOf, toInteger } from './block-scale';
import { Q8 } from './cache-format';
import {
  BLOCK,
  blocksOf,
  keyScalesBytes,
  PAGE_POSITIONS,
  paddedHeadDim,
  STEP,
  stepsBytes,
  valueScalesBytes,
} from './key-value';
import { evenFirst, laneLargest, store64 } from './lanes';

const LIMIT: f32 = 32767;

/** The weights of a page, as integers and as float32. */
export const WEIGHTS_SCRATCH_BYTES: usize = PAGE_POSITIONS * (2 + 4);

/**
 * d integers (int16), zeros up to a multiple of four, of each four the even ones first: 0 2 1 3;
 * then the scales of the blocks.
 */
// @ts-ignore: decorator
@inline
export function quantizedQueryBytes(headDim: usize): usize {
  return foursBytes(headDim) + (blocksOf(headDim) << 2);
}

// @ts-ignore: decorator
@inline
function foursBytes(headDim: usize): usize {
  return ((headDim + 3) & ~3) << 1;
}

export function quantizeQuery(to: usize, query: usize, headDim: usize): void {
  let scale = to + foursBytes(headDim);
  store<i64>(scale - 8, 0); // the last four
  for (let start: usize = 0; start < headDim; start += BLOCK) {
    const end = min(start + BLOCK, headDim);
    const largest = largestSize(query + (start << 2), end - start);
    const inverse = inverseOf(largest, LIMIT);
    for (let i = start; i < end; i++)
      store<i16>(to + (placeOf(i) << 1), <i16>toInteger(load<f32>(query + (i << 2)), inverse));
    store<f32>(scale, scaleOf(largest, LIMIT));
    scale += 4;
  }
}

/** Where number i is: of each four the even ones first. */
// @ts-ignore: decorator
@inline
function placeOf(i: usize): usize {
  return (i & ~3) | ((i & 1) << 1) | ((i >> 1) & 1);
}

/** scores [16] of the 16 positions at `keys`. */
export function score16Q8(scores: usize, query: usize, keys: usize, headDim: usize): void {
  const end = query + foursBytes(headDim);
  let queryScale = end;
  let keyScales = keys;
  keys += keyScalesBytes<Q8>(headDim);
  let t0 = f32x4.splat(0),
    t1 = t0,
    t2 = t0,
    t3 = t0;
  while (query < end) {
    let s0 = i32x4.splat(0),
      s1 = s0,
      s2 = s0,
      s3 = s0;
    for (const blockEnd = min(query + (BLOCK << 1), end); query < blockEnd; query += 8) {
      const even = v128.load32_splat(query),
        odd = v128.load32_splat(query, 4);
      s0 = addFour(s0, v128.load(keys), even, odd);
      s1 = addFour(s1, v128.load(keys, 16), even, odd);
      s2 = addFour(s2, v128.load(keys, 32), even, odd);
      s3 = addFour(s3, v128.load(keys, 48), even, odd);
      keys += STEP << 2;
    }
    const scale = v128.load32_splat(queryScale);
    t0 = f32x4.add(t0, scaleSum(s0, f32x4.mul(v128.load(keyScales), scale)));
    t1 = f32x4.add(t1, scaleSum(s1, f32x4.mul(v128.load(keyScales, 16), scale)));
    t2 = f32x4.add(t2, scaleSum(s2, f32x4.mul(v128.load(keyScales, 32), scale)));
    t3 = f32x4.add(t3, scaleSum(s3, f32x4.mul(v128.load(keyScales, 48), scale)));
    queryScale += 4;
    keyScales += STEP << 2;
  }
  store64(scores, t0, t1, t2, t3);
}

/** sum + four products in each lane, of int8 with int16. */
// @ts-ignore: decorator
@inline
function addFour(sum: v128, numbers: v128, even: v128, odd: v128): v128 {
  const evenOnes = i16x8.shr_s(i16x8.shl(numbers, 8), 8),
    oddOnes = i16x8.shr_s(numbers, 8);
  return i32x4.add(
    i32x4.add(sum, i32x4.dot_i16x8_s(evenOnes, even)),
    i32x4.dot_i16x8_s(oddOnes, odd),
  );
}

/** sum [dPadded] += Σ_t p[t] · v[t], positions 0 … visible − 1. */
export function addValuesQ8(
  sum: usize,
  p: usize,
  values: usize,
  visible: usize,
  headDim: usize,
  scratch: usize,
): void {
  const scale = f32x4.splat(quantizeWeights(scratch, p, values, visible));
  values += valueScalesBytes<Q8>();
  for (const end = sum + (paddedHeadDim(headDim) << 2); sum < end; sum += STEP << 2) {
    addColumn(sum, scratch, values, ((visible + 3) & ~3) << 1, scale);
    values += stepsBytes<Q8>(PAGE_POSITIONS);
  }
}

function addColumn(sum: usize, a: usize, numbers: usize, bytes: usize, scale: v128): void {
  let s0 = i32x4.splat(0),
    s1 = s0,
    s2 = s0,
    s3 = s0;
  for (const end = a + bytes; a < end; a += 8) {
    const even = v128.load32_splat(a),
      odd = v128.load32_splat(a, 4);
    s0 = addFour(s0, v128.load(numbers), even, odd);
    s1 = addFour(s1, v128.load(numbers, 16), even, odd);
    s2 = addFour(s2, v128.load(numbers, 32), even, odd);
    s3 = addFour(s3, v128.load(numbers, 48), even, odd);
    numbers += STEP << 2;
  }
  store64(
    sum,
    f32x4.add(v128.load(sum), scaleSum(s0, scale)),
    f32x4.add(v128.load(sum, 16), scaleSum(s1, scale)),
    f32x4.add(v128.load(sum, 32), scaleSum(s2, scale)),
    f32x4.add(v128.load(sum, 48), scaleSum(s3, scale)),
  );
}

// @ts-ignore: decorator
@inline
function scaleSum(sum: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(sum), scale);
}

/**
 * The integers [64] of w[t] = p[t] · scales[t], 0 where nothing is visible; returns their scale.
 * Before, they are float32, behind their place.
 */
function quantizeWeights(integers: usize, p: usize, scales: usize, visible: usize): f32 {
  const weights = integers + (PAGE_POSITIONS << 1);
  const end = weights + (PAGE_POSITIONS << 2);
  for (let w = weights; w < end; w += 16) {
    v128.store(w, f32x4.mul(v128.load(p), v128.load(scales)));
    p += 16;
    scales += 16;
  }
  for (let t = visible; t < PAGE_POSITIONS; t++) store<f32>(weights + (t << 2), 0);
  // As integers, the bits of numbers that are not negative have the numbers' order, and those of
  // NaN are larger.
  let most = i32x4.splat(0);
  for (let w = weights; w < end; w += 16) most = i32x4.max_u(most, v128.load(w));
  const largest = reinterpret<f32>(laneLargest(most));
  const inverse = f32x4.splat(inverseOf(largest, LIMIT));
  for (let w = weights; w < end; w += 32) {
    const low = roundLanes(f32x4.mul(v128.load(w), inverse));
    const eight = i16x8.narrow_i32x4_s(low, roundLanes(f32x4.mul(v128.load(w, 16), inverse)));
    v128.store(integers, evenFirst(eight));
    integers += 16;
  }
  return scaleOf(largest, LIMIT);
}

/**
 * Of numbers from 0 to 2^22: floats from 2^23 on are 1 apart, so the low bits of the sum are the
 * nearest integer.
 */
// @ts-ignore: decorator
@inline
function roundLanes(x: v128): v128 {
  return i32x4.sub(f32x4.add(x, f32x4.splat(8388608)), i32x4.splat(0x4b000000));
}
