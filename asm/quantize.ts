/**
 * Activations to integers, a block of 32 numbers at a time, or of 256, for the layers with
 * quantized weights.
 *
 *   scale = max|x| / L, q = x · (L / max|x|) to the nearest integer, ties to even; L = 8191 or 127
 *
 * Numerics: float32; q is off by at most 1/2 and a little. A block that is all zero, or whose
 * numbers are too small for L / max|x| to be finite (below 2^−100), has scale 0. Infinity or NaN in
 * a block makes its scale Infinity or NaN, with q = 0: every output of the row becomes NaN.
 *
 * A last block of fewer than 32 numbers ends in zeros. What lies in x between `width` and the next
 * multiple of 4 must be 0 (see README.md).
 */

import { inverseOf, scaleOf } from './block-scale';
import { HALF_SCALE } from './half';
import { hold } from './hold';
import { evenFirst, laneLargest, store64 } from './lanes';

/**
 * What `quantize8K` leaves beside each 256 numbers: 16 offsets, for Q6_K, Q3_K and Q2_K, and behind
 * them, for Q4_K and Q5_K, −Σq of each 32 as int16, in the order 0 2 1 3 4 6 5 7.
 */
export const MINIMUM_SUMS_AT: usize = 4 * 16;
export const SUMS_BYTES: usize = MINIMUM_SUMS_AT + 2 * 8;

const ROUND: f32 = 12582912; // 1.5 · 2^23

/**
 * 14 bits, as the layers with q8_0 weights want them. Rows [firstRow, endRow); `width` numbers
 * each.
 *
 * int16, −8191 … 8191, of each four the even ones first: 0 2 1 3; and beside each block −128 · Σ of
 * its even ones (int32). With DOT4, u = q + 8192 in two halves: 32 bytes u >> 7, then 32 bytes
 * u & 127, and no sums.
 */
export function quantize14(
  xq: usize,
  xScales: usize,
  xSums: usize,
  x: usize,
  xStride: u32,
  width: u32,
  firstRow: u32,
  endRow: u32,
): void {
  const blocks = (width + 31) >> 5;
  for (let row = firstRow; row < endRow; row++) {
    let from = x + ((<usize>row * xStride) << 2);
    const end = from + ((<usize>width) << 2);
    let to = xq + ((<usize>row * blocks) << 6);
    let scales = xScales + ((<usize>row * blocks) << 2);
    let sums = xSums + ((<usize>row * blocks) << 2);
    for (; from < end; from += 128) {
      if (from + 128 <= end) store14(true, to, scales, sums, from, end);
      else store14(false, to, scales, sums, from, end);
      to += 64;
      scales += 4;
      sums += 4;
    }
  }
}

/** A block, which is `whole` or the last of its row. */
// @ts-ignore: decorator
@inline
function store14(whole: bool, to: usize, scale: usize, sum: usize, from: usize, end: usize): void {
  const inverse = storeScale(whole, scale, from, end, 128, 8191);
  if (isDefined(DOT4)) storeHalves(whole, to, from, end, inverse);
  else storeEvenFirst(whole, to, sum, from, end, inverse);
}

// @ts-ignore: decorator
@inline
function storeEvenFirst(
  whole: bool,
  to: usize,
  sum: usize,
  from: usize,
  end: usize,
  inverse: v128,
): void {
  let even = i32x4.splat(0);
  for (let k: usize = 0; k < 128; k += 32) {
    const ordered = evenFirst(narrow(whole, from + k, end, inverse));
    v128.store(to, ordered);
    even = i32x4.add(even, i32x4.dot_i16x8_s(ordered, i16x8(-128, -128, 0, 0, -128, -128, 0, 0)));
    to += 16;
  }
  store<i32>(sum, i32x4.extract_lane(even, 0) + i32x4.extract_lane(even, 2));
}

// @ts-ignore: decorator
@inline
function storeHalves(whole: bool, to: usize, from: usize, end: usize, inverse: v128): void {
  for (let k: usize = 0; k < 128; k += 64) {
    const a = i16x8.add(narrow(whole, from + k, end, inverse), i16x8.splat(8192));
    const b = i16x8.add(narrow(whole, from + k + 32, end, inverse), i16x8.splat(8192));
    v128.store(to, i8x16.narrow_i16x8_u(i16x8.shr_u(a, 7), i16x8.shr_u(b, 7)));
    v128.store(
      to,
      i8x16.narrow_i16x8_u(v128.and(a, i16x8.splat(127)), v128.and(b, i16x8.splat(127))),
      32,
    );
    to += 16;
  }
}

/** int8, −127 … 127, and beside each block what `matmul-q45.ts` begins at: −8 for each number. */
export function quantize8(
  xq: usize,
  xScales: usize,
  xSums: usize,
  x: usize,
  xStride: u32,
  width: u32,
  firstRow: u32,
  endRow: u32,
): void {
  const blocks = (width + 31) >> 5;
  for (let row = firstRow; row < endRow; row++) {
    let from = x + ((<usize>row * xStride) << 2);
    const end = from + ((<usize>width) << 2);
    let to = xq + ((<usize>row * blocks) << 5);
    let scales = xScales + ((<usize>row * blocks) << 2);
    let sums = xSums + ((<usize>row * blocks) << 2);
    for (; from < end; from += 128) {
      if (from + 128 <= end) store8(true, to, scales, sums, from, end);
      else store8(false, to, scales, sums, from, end);
      to += 32;
      scales += 4;
      sums += 4;
    }
  }
}

/** A block, which is `whole` or the last of its row. */
// @ts-ignore: decorator
@inline
function store8(whole: bool, to: usize, scale: usize, sums: usize, from: usize, end: usize): void {
  const inverse = storeScale(whole, scale, from, end, 128, 127);
  const first = store16(whole, to, from, end, inverse),
    second = store16(whole, to + 16, from + 64, end, inverse);
  storeOffset(sums, i16x8.add(first, second), -8);
}

/** The same in blocks of 256, which `width` is a multiple of; sums as `SUMS_BYTES` tells. */
export function quantize8K(
  xq: usize,
  xScales: usize,
  xSums: usize,
  x: usize,
  xStride: u32,
  width: u32,
  firstRow: u32,
  endRow: u32,
): void {
  const blocks = width >> 8;
  for (let row = firstRow; row < endRow; row++) {
    let from = x + ((<usize>row * xStride) << 2);
    const end = from + ((<usize>width) << 2);
    let to = xq + ((<usize>row * blocks) << 8);
    let scales = xScales + ((<usize>row * blocks) << 2);
    let sums = xSums + <usize>row * blocks * SUMS_BYTES;
    for (; from < end; from += 1024) {
      const inverse = storeScale(true, scales, from, end, 1024, 127);
      for (let block: usize = 0; block < 8; block++) {
        const at = from + (block << 7);
        const first = store16(true, to, at, end, inverse),
          second = store16(true, to + 16, at + 64, end, inverse);
        storeOffset(sums + (block << 3), first, -32);
        storeOffset(sums + (block << 3) + 4, second, -32);
        const place = (block & 4) | ((block & 1) << 1) | ((block >> 1) & 1);
        store<i16>(
          sums + MINIMUM_SUMS_AT + (place << 1),
          <i16>sumOf(i32x4.dot_i16x8_s(i16x8.add(first, second), i16x8.splat(-1))),
        );
        to += 32;
      }
      scales += 4;
      sums += SUMS_BYTES;
    }
  }
}

/** The 16 numbers at `from` as int8; returns the sum of the first eight and the last eight. */
// @ts-ignore: decorator
@inline
function store16(whole: bool, to: usize, from: usize, end: usize, inverse: v128): v128 {
  const a = narrow(whole, from, end, inverse),
    b = narrow(whole, from + 32, end, inverse);
  v128.store(to, i8x16.narrow_i16x8_s(a, b));
  return i16x8.add(a, b);
}

/**
 * What sums of products with small weights begin at (`small-weights.ts`): `unit` times the sum of
 * the numbers of a block. By pairs, those of k, k + 1 are one int16 and those of k + 2, k + 3 the
 * other, of each four; DOT4: one int32. `sums`: of eight numbers k … k + 7, over the block.
 */
// @ts-ignore: decorator
@inline
function storeOffset(to: usize, sums: v128, unit: i16): void {
  const pairs = i32x4.dot_i16x8_s(sums, i16x8.splat(unit));
  if (isDefined(DOT4)) {
    store<i32>(to, sumOf(pairs));
    return;
  }
  store<i16>(to, <i16>(i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 2)));
  store<i16>(to, <i16>(i32x4.extract_lane(pairs, 1) + i32x4.extract_lane(pairs, 3)), 2);
}

// @ts-ignore: decorator
@inline
function sumOf(x: v128): i32 {
  return (
    i32x4.extract_lane(x, 0) +
    i32x4.extract_lane(x, 1) +
    i32x4.extract_lane(x, 2) +
    i32x4.extract_lane(x, 3)
  );
}

/**
 * x · 2^102, as the layers with f16 weights want it: float32, rows as far apart as those of x, what
 * lies between them too. No scales, no sums.
 */
export function scaleForF16(
  to: usize,
  _scales: usize,
  _sums: usize,
  x: usize,
  xStride: u32,
  _width: u32,
  firstRow: u32,
  endRow: u32,
): void {
  const scale = hold(HALF_SCALE, endRow);
  const from = (<usize>firstRow * xStride) << 2,
    end = (<usize>endRow * xStride) << 2;
  for (let i = from; i < end; i += 64) {
    const row = x + i;
    store64(
      to + i,
      f32x4.mul(v128.load(row), scale),
      f32x4.mul(v128.load(row, 16), scale),
      f32x4.mul(v128.load(row, 32), scale),
      f32x4.mul(v128.load(row, 48), scale),
    );
  }
}

/**
 * Stores the scale of the block of `bytes` / 4 numbers at `from`; returns its inverse in every
 * lane.
 */
// @ts-ignore: decorator
@inline
function storeScale(
  whole: bool,
  scale: usize,
  from: usize,
  end: usize,
  bytes: usize,
  limit: f32,
): v128 {
  // As integers, the bits of numbers that are not negative have the numbers' order, and those of
  // NaN are larger.
  let a = i32x4.splat(0),
    b = a;
  for (let k: usize = 0; k < bytes; k += 32) {
    a = i32x4.max_u(a, f32x4.abs(four(whole, from + k, end)));
    b = i32x4.max_u(b, f32x4.abs(four(whole, from + k + 16, end)));
  }
  const largest = reinterpret<f32>(laneLargest(i32x4.max_u(a, b)));
  store<f32>(scale, scaleOf(largest, limit));
  return f32x4.splat(inverseOf(largest, limit));
}

/** Eight numbers as int16. */
// @ts-ignore: decorator
@inline
function narrow(whole: bool, from: usize, end: usize, inverse: v128): v128 {
  return i16x8.narrow_i32x4_s(
    roundLanes(four(whole, from, end), inverse),
    roundLanes(four(whole, from + 16, end), inverse),
  );
}

/**
 * x · inverse to the nearest integer, 0 if it is NaN. Floats from 2^23 on are 1 apart: the low bits
 * of the sum are the integer.
 */
// @ts-ignore: decorator
@inline
function roundLanes(x: v128, inverse: v128): v128 {
  const y = f32x4.mul(x, inverse);
  const integer = i32x4.sub(f32x4.add(y, f32x4.splat(ROUND)), i32x4.splat(reinterpret<i32>(ROUND)));
  return v128.and(integer, f32x4.eq(y, y));
}

/** Four numbers; zeros where a row that is not `whole` has ended. */
// @ts-ignore: decorator
@inline
function four(whole: bool, from: usize, end: usize): v128 {
  return whole || from < end ? v128.load(from) : f32x4.splat(0);
}
