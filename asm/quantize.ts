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

/** What `quantize8K` leaves beside each 256 numbers: 16 sums, as int16. */
export const SUMS_BYTES: usize = 2 * 16;

const SMALLEST: f32 = 7.888609052210118e-31; // 2^−100

/** int16, −8191 … 8191. Rows [firstRow, endRow); `width` numbers each. */
export function quantize14(
  xq: usize,
  xScales: usize,
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
    for (; from < end; from += 128) {
      const inverse = scaleOf(scales, from, end, 128, 8191);
      for (let k: usize = 0; k < 128; k += 32) {
        v128.store(to, narrow(from + k, end, inverse));
        to += 16;
      }
      scales += 4;
    }
  }
}

/** u = q + 8192 in two halves: 32 bytes u >> 7, then 32 bytes u & 127. */
export function quantize14Halves(
  xq: usize,
  xScales: usize,
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
    for (; from < end; from += 128) {
      const inverse = scaleOf(scales, from, end, 128, 8191);
      for (let k: usize = 0; k < 128; k += 64) {
        const a = i16x8.add(narrow(from + k, end, inverse), i16x8.splat(8192));
        const b = i16x8.add(narrow(from + k + 32, end, inverse), i16x8.splat(8192));
        v128.store(to, i8x16.narrow_i16x8_u(i16x8.shr_u(a, 7), i16x8.shr_u(b, 7)));
        v128.store(
          to,
          i8x16.narrow_i16x8_u(v128.and(a, i16x8.splat(127)), v128.and(b, i16x8.splat(127))),
          32,
        );
        to += 16;
      }
      to += 32;
      scales += 4;
    }
  }
}

/**
 * int8, −127 … 127, and for each half of a block −8 · Σq, as two int16 (at most 8 · 16 · 127): what
 * offsets and minima of weights are multiplied with.
 */
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
      storeBytes(to, sums, from, end, 128, scaleOf(scales, from, end, 128, 127), -8);
      to += 32;
      scales += 4;
      sums += 4;
    }
  }
}

/** The same in blocks of 256, which `width` is a multiple of; −16 · Σq of each 16 numbers. */
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
      storeBytes(to, sums, from, end, 1024, scaleOf(scales, from, end, 1024, 127), -16);
      to += 256;
      scales += 4;
      sums += SUMS_BYTES;
    }
  }
}

/** The `bytes` / 4 numbers at `from` as int8, and `unit` times the sum of each 16. */
// @ts-ignore: decorator
@inline
function storeBytes(
  to: usize,
  sums: usize,
  from: usize,
  end: usize,
  bytes: usize,
  inverse: v128,
  unit: i16,
): void {
  for (let k: usize = 0; k < bytes; k += 64) {
    const a = narrow(from + k, end, inverse),
      b = narrow(from + k + 32, end, inverse);
    const sum = i32x4.dot_i16x8_s(i16x8.add(a, b), i16x8.splat(unit));
    store<i16>(
      sums + (k >> 5),
      <i16>(
        (i32x4.extract_lane(sum, 0) +
          i32x4.extract_lane(sum, 1) +
          i32x4.extract_lane(sum, 2) +
          i32x4.extract_lane(sum, 3))
      ),
    );
    v128.store(to + (k >> 2), i8x16.narrow_i16x8_s(a, b));
  }
}

/**
 * Stores the scale of the block of `bytes` / 4 numbers at `from`; returns its inverse in every
 * lane.
 */
// @ts-ignore: decorator
@inline
function scaleOf(scale: usize, from: usize, end: usize, bytes: usize, limit: f32): v128 {
  let most = f32x4.splat(0);
  for (let k: usize = 0; k < bytes; k += 16) most = f32x4.max(most, f32x4.abs(four(from + k, end)));
  const largest = max<f32>(
    max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max<f32>(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  const zero = largest < SMALLEST;
  store<f32>(scale, zero ? 0 : largest / limit);
  return f32x4.splat(zero ? 0 : limit / largest);
}

/** Eight numbers as int16. */
// @ts-ignore: decorator
@inline
function narrow(from: usize, end: usize, inverse: v128): v128 {
  return i16x8.narrow_i32x4_s(roundLanes(from, end, inverse), roundLanes(from + 16, end, inverse));
}

// @ts-ignore: decorator
@inline
function roundLanes(from: usize, end: usize, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(four(from, end), inverse)));
}

/** Four numbers, or zeros where the row has ended. */
// @ts-ignore: decorator
@inline
function four(from: usize, end: usize): v128 {
  return from < end ? v128.load(from) : f32x4.splat(0);
}
