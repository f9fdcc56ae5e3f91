/**
 * Weights into the tiles that the matmuls read (README.md), and 16-bit numbers to float32.
 *
 * Each function packs one tile: `count` (1 … 16) rows of `m` float32 numbers, `rowStride` numbers apart; the other rows become 0. All formats have
 * four rows in a group and a lane for each, so the work is done on *columns*: the same k of four rows in a v128.
 *
 * Numerics: bf16 and f16 are rounded to nearest, ties to even. q8_0 and q4_0 are quantized as llama.cpp's reference quantizers do (ggml-quants.c),
 * so numbers that came from such a block give the block again. The functions whose format ends at 128 (`half.ts`) return how many of their
 * numbers, or scales, could not be stored: unless it is 0, the tile is worthless. Elsewhere NaN and Infinity are the caller's problem.
 */
import { countUnstorable, storedHalf } from './half';

export function packF32(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): void {
  for (let k: u32 = 0; k < m + (m & 1); k++) {
    for (let row: u32 = 0; row < 16; row += 4) {
      v128.store(to, column(rows, rowStride, m, count, row, k));
      to += 16;
    }
  }
}

export function packBF16(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): void {
  for (let k: u32 = 0; k < m; k += 2) {
    for (let row: u32 = 0; row < 16; row += 4) {
      const even = bf16Above(column(rows, rowStride, m, count, row, k));
      const odd = bf16Above(column(rows, rowStride, m, count, row, k + 1));
      v128.store(to, v128.or(i32x4.shr_u(even, 16), odd));
      to += 16;
    }
  }
}

export function packF16(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): u32 {
  let unstorable: u32 = 0;
  for (let k: u32 = 0; k < m; k += 2) {
    for (let row: u32 = 0; row < 16; row += 4) {
      const even = column(rows, rowStride, m, count, row, k);
      const odd = column(rows, rowStride, m, count, row, k + 1);
      unstorable += countUnstorable(even) + countUnstorable(odd);
      v128.store(to, v128.or(storedHalf(even), i32x4.shl(storedHalf(odd), 16)));
      to += 16;
    }
  }
  return unstorable;
}

/** q = x / d to the nearest integer, ties away from 0;  d = max|x| / 127 */
export function packQ8(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): u32 {
  const blocks = (m + 31) >> 5;
  let unstorable: u32 = 0;
  for (let block: u32 = 0; block < blocks << 5; block += 32) {
    const scales = to + 32 * 16;
    for (let row: u32 = 0; row < 16; row += 4) {
      let pair = to + (<usize>row << 1);
      let most = f32x4.splat(0);
      for (let k: u32 = 0; k < 32; k++) most = f32x4.max(most, f32x4.abs(column(rows, rowStride, m, count, row, block + k)));
      const scale = f32x4.div(most, f32x4.splat(127));
      const inverse = inverted(scale);
      for (let k: u32 = 0; k < 32; k += 2) {
        const even = awayFromZero(f32x4.mul(column(rows, rowStride, m, count, row, block + k), inverse));
        const odd = awayFromZero(f32x4.mul(column(rows, rowStride, m, count, row, block + k + 1), inverse));
        const quants = v128.or(v128.and(even, i32x4.splat(255)), i32x4.shl(odd, 8));
        store<u64>(pair, i64x2.extract_lane(i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.shl(quants, 16), 16), quants), 0));
        pair += 32;
      }
      unstorable += countUnstorable(scale);
      storeScales(scales + (<usize>row << 1), scale);
    }
    to = scales + 32;
  }
  return unstorable;
}

/** q = 8 + x / d to the nearest integer, at most 15;  d = (the x of largest |x|, the first if several) / −8 */
export function packQ4(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): u32 {
  const blocks = (m + 31) >> 5;
  let unstorable: u32 = 0;
  for (let block: u32 = 0; block < blocks << 5; block += 32) {
    const scales = to + 16 * 16;
    for (let row: u32 = 0; row < 16; row += 4) {
      let line = to + (<usize>row << 2);
      let most = f32x4.splat(0);
      for (let k: u32 = 0; k < 32; k++) {
        const x = column(rows, rowStride, m, count, row, block + k);
        most = v128.bitselect(x, most, f32x4.gt(f32x4.abs(x), f32x4.abs(most)));
      }
      const scale = f32x4.div(most, f32x4.splat(-8));
      const inverse = inverted(scale);
      for (let k: u32 = 0; k < 32; k += 8) {
        let quants = i32x4.splat(0);
        for (let j: u32 = 0; j < 8; j++) {
          const x = column(rows, rowStride, m, count, row, block + k + j);
          const q = i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(x, inverse), f32x4.splat(8.5)));
          // Numbers 0 … 3 are the low nibbles of bytes 0 … 3, numbers 4 … 7 the high ones.
          quants = v128.or(quants, i32x4.shl(i32x4.min_s(q, i32x4.splat(15)), ((j & 3) << 3) + (j & 4)));
        }
        v128.store(line, quants);
        line += 64;
      }
      unstorable += countUnstorable(scale);
      storeScales(scales + (<usize>row << 1), scale);
    }
    to = scales + 32;
  }
  return unstorable;
}

/** `count` IEEE f16s to float32, exactly, subnormals too. Whole vectors of four: up to 6 bytes are read and 12 written beyond the end. */
export function widenF16(to: usize, from: usize, count: u32): void {
  for (const end = from + (<usize>count << 1); from < end; from += 8) {
    const bits = i32x4.shl(v128.load16x4_s(from), 13);
    const sign = v128.and(bits, i32x4.splat(0x80000000));
    const fields = v128.and(bits, i32x4.splat(0x0fffe000));
    const normal = i32x4.add(fields, i32x4.splat(112 << 23));
    const subnormal = f32x4.mul(f32x4.convert_i32x4_s(fields), f32x4.splat(7.275957614183426e-12)); // 2^−37: fields are multiples of 2^13
    const special = i32x4.add(normal, i32x4.splat(112 << 23)); // exponent 31 becomes 255
    const size = v128.bitselect(
      subnormal,
      v128.bitselect(special, normal, i32x4.ge_s(fields, i32x4.splat(31 << 23))),
      i32x4.lt_s(fields, i32x4.splat(1 << 23)),
    );
    v128.store(to, v128.or(size, sign));
    to += 16;
  }
}

/** `count` bf16s to float32. Whole vectors of four, as `widenF16`. */
export function widenBF16(to: usize, from: usize, count: u32): void {
  for (const end = from + (<usize>count << 1); from < end; from += 8) {
    v128.store(to, i32x4.shl(v128.load16x4_u(from), 16));
    to += 16;
  }
}

/** Number k of the four rows from `row` on; 0 beyond the last row and the last number. */
// @ts-ignore: decorator
@inline
function column(rows: usize, rowStride: u32, m: u32, count: u32, row: u32, k: u32): v128 {
  let numbers = f32x4.splat(0);
  if (k >= m || row >= count) return numbers;
  const stride = <usize>rowStride << 2;
  const from = rows + <usize>row * stride + (<usize>k << 2);
  numbers = v128.load32_zero(from);
  if (row + 1 < count) numbers = v128.load_lane<u32>(from + stride, numbers, 1);
  if (row + 2 < count) numbers = v128.load_lane<u32>(from + 2 * stride, numbers, 2);
  if (row + 3 < count) numbers = v128.load_lane<u32>(from + 3 * stride, numbers, 3);
  return numbers;
}

/** The bf16 nearest to each lane, in its upper 16 bits. NaN stays NaN, and Infinity Infinity. */
// @ts-ignore: decorator
@inline
function bf16Above(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(x, i32x4.add(odd, i32x4.splat(0x7fff)));
  const number = v128.bitselect(rounded, i32x4.splat(0x7fc00000), f32x4.eq(x, x));
  return v128.and(number, i32x4.splat(0xffff0000));
}

/** 1 / scale, and 0 for 0. */
// @ts-ignore: decorator
@inline
function inverted(scale: v128): v128 {
  return v128.and(f32x4.div(f32x4.splat(1), scale), f32x4.ne(scale, f32x4.splat(0)));
}

/** The nearest integers, ties away from 0. (Adding 1/2 first would round 0.49999997 up.) */
// @ts-ignore: decorator
@inline
function awayFromZero(x: v128): v128 {
  const whole = f32x4.trunc(x);
  const up = f32x4.ge(f32x4.abs(f32x4.sub(x, whole)), f32x4.splat(0.5));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(whole, v128.and(v128.bitselect(x, f32x4.splat(1), i32x4.splat(0x80000000)), up)));
}

// @ts-ignore: decorator
@inline
function storeScales(to: usize, scales: v128): void {
  const halves = storedHalf(scales);
  store<u64>(to, i64x2.extract_lane(i16x8.narrow_i32x4_u(halves, halves), 0));
}
