/**
 * Weights into the tiles of q8_0 and q4_0 (README.md): blocks of 32 numbers of a row share a scale.
 *
 * Each function packs one tile: `count` (1 … 16) rows of `m` float32 numbers, `rowStride` numbers
 * apart; the other rows become 0. It returns how many scales could not be stored (`half.ts`): those
 * of 128 and more, and of blocks with NaN or Infinity. Unless it is 0, the tile is worthless.
 *
 * Numerics: as llama.cpp's reference quantizers (ggml-quants.c), so numbers that came from such a
 * block give the block again.
 *
 * Four rows at a time, but a lane for each only for their scales: in the tile, consecutive quants
 * of a row are neighbours.
 */
import { countUnstorable, storedHalf } from './half';
import { hold } from './hold';
import { fourNumbers } from './rows';
import { BIAS } from './weight-format';

export function packQ8(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): u32 {
  return packTile(8, to, rows, rowStride, m, count);
}

export function packQ4(to: usize, rows: usize, rowStride: u32, m: u32, count: u32): u32 {
  return packTile(4, to, rows, rowStride, m, count);
}

// @ts-ignore: decorator
@inline
function packTile(bits: u32, to: usize, rows: usize, rowStride: u32, m: u32, count: u32): u32 {
  const stride = (<usize>rowStride) << 2;
  let unstorable: u32 = 0;
  for (let k: u32 = 0; k < m; k += 32) {
    const scales = to + 64 * bits;
    for (let row: u32 = 0; row < 16; row += 4) {
      const at = to + (row << 2),
        from = rows + <usize>row * stride;
      const isWhole = row + 4 <= count && k + 32 <= m;
      const scale = isWhole
        ? packBlock(bits, at, from, stride, k, m, 4, true)
        : packEdge(bits, at, from, stride, k, m, max(count, row) - row);
      unstorable += countUnstorable(scale);
      storeScales(scales, row, storedHalf(scale));
    }
    to = scales + 32;
  }
  return unstorable;
}

/** Scales of rows row … row + 3: lane i of eight has that of row i, and of row i + 8 above it. */
// @ts-ignore: decorator
@inline
function storeScales(to: usize, row: u32, halves: v128): void {
  if (row < 8) v128.store(to + (row << 2), halves);
  else {
    const place = to + ((row - 8) << 2);
    v128.store(place, v128.or(v128.load(place), i32x4.shl(halves, 16)));
  }
}

/** A block where rows or numbers are missing. */
function packEdge(
  bits: u32,
  to: usize,
  from: usize,
  stride: usize,
  k: u32,
  m: u32,
  count: u32,
): v128 {
  return packBlock(bits, to, from, stride, k, m, count, false);
}

/** Packs numbers k … k + 31 of `count` (0 … 4) rows; returns their scales, a lane for each. */
// @ts-ignore: decorator
@inline
function packBlock(
  bits: u32,
  to: usize,
  from: usize,
  stride: usize,
  k: u32,
  m: u32,
  count: u32,
  whole: bool,
): v128 {
  const most = largest(bits, from, stride, k, m, count, whole);
  const scale =
    bits == 8 ? f32x4.div(f32x4.abs(most), f32x4.splat(127)) : f32x4.div(most, f32x4.splat(-8));
  const inverse = v128.and(f32x4.div(f32x4.splat(1), scale), f32x4.ne(scale, f32x4.splat(0)));
  const sign = hold(0x80000000, m),
    half = hold(bits == 8 ? BELOW_HALF : EIGHT_AND_HALF, m);
  for (let i = k; i < k + 32; i += bits == 8 ? 4 : 8) {
    const quants = fourOfEach(bits, from, stride, i, m, count, whole, inverse, sign, half);
    if (bits == 8) {
      v128.store(to, v128.xor(quants, i32x4.splat(BIAS)));
    } else {
      const others = fourOfEach(bits, from, stride, i + 4, m, count, whole, inverse, sign, half);
      v128.store(to, v128.or(quants, i32x4.shl(others, 4)));
    }
    to += 64;
  }
  return scale;
}

/**
 * What is added before truncating. To add a whole half would round 0.49999997 up; for q4_0
 * llama.cpp does it.
 */
const BELOW_HALF = reinterpret<u32>(<f32>0.49999997);
const EIGHT_AND_HALF = reinterpret<u32>(<f32>8.5);

/** Quants: byte 4r + j is that of number i + j of row r. */
// @ts-ignore: decorator
@inline
function fourOfEach(
  bits: u32,
  from: usize,
  stride: usize,
  i: u32,
  m: u32,
  count: u32,
  whole: bool,
  inverse: v128,
  sign: v128,
  half: v128,
): v128 {
  const a = f32x4.mul(
    fourNumbers(from, i, m, count > 0, whole),
    v128.shuffle<i32>(inverse, inverse, 0, 0, 0, 0),
  );
  const b = f32x4.mul(
    fourNumbers(from + stride, i, m, count > 1, whole),
    v128.shuffle<i32>(inverse, inverse, 1, 1, 1, 1),
  );
  const c = f32x4.mul(
    fourNumbers(from + 2 * stride, i, m, count > 2, whole),
    v128.shuffle<i32>(inverse, inverse, 2, 2, 2, 2),
  );
  const d = f32x4.mul(
    fourNumbers(from + 3 * stride, i, m, count > 3, whole),
    v128.shuffle<i32>(inverse, inverse, 3, 3, 3, 3),
  );
  const ab = i16x8.narrow_i32x4_s(roundLanes(bits, a, sign, half), roundLanes(bits, b, sign, half));
  const cd = i16x8.narrow_i32x4_s(roundLanes(bits, c, sign, half), roundLanes(bits, d, sign, half));
  const bytes = i8x16.narrow_i16x8_s(ab, cd);
  return bits == 8 ? bytes : i8x16.min_u(bytes, i8x16.splat(15));
}

/** q8_0: q, ties away from 0; q4_0: q + 8, ties up. */
// @ts-ignore: decorator
@inline
function roundLanes(bits: u32, q: v128, sign: v128, half: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.add(q, bits == 8 ? v128.or(v128.and(q, sign), half) : half));
}

/**
 * The number of largest |x| in each row; NaN, if there is one. Of two as large, the first for q4_0,
 * any for q8_0.
 */
// @ts-ignore: decorator
@inline
function largest(
  bits: u32,
  from: usize,
  stride: usize,
  k: u32,
  m: u32,
  count: u32,
  whole: bool,
): v128 {
  // Floats are compared as integers. Signed, the largest is the largest positive one; unsigned, the
  // most negative one; NaN is beyond them all.
  const zero = i32x4.splat(0),
    negativeZero = i32x4.splat(0x80000000);
  let aUp = zero,
    bUp = zero,
    cUp = zero,
    dUp = zero;
  let aDown = negativeZero,
    bDown = negativeZero,
    cDown = negativeZero,
    dDown = negativeZero;
  for (let i = k; i < k + 32; i += 4) {
    const a = fourNumbers(from, i, m, count > 0, whole),
      b = fourNumbers(from + stride, i, m, count > 1, whole);
    const c = fourNumbers(from + 2 * stride, i, m, count > 2, whole),
      d = fourNumbers(from + 3 * stride, i, m, count > 3, whole);
    (aUp = i32x4.max_s(aUp, a)),
      (bUp = i32x4.max_s(bUp, b)),
      (cUp = i32x4.max_s(cUp, c)),
      (dUp = i32x4.max_s(dUp, d));
    (aDown = i32x4.max_u(aDown, a)),
      (bDown = i32x4.max_u(bDown, b)),
      (cDown = i32x4.max_u(cDown, c)),
      (dDown = i32x4.max_u(dDown, d));
  }
  const up = largestLanes(true, aUp, bUp, cUp, dUp),
    down = largestLanes(false, aDown, bDown, cDown, dDown);
  const size = v128.xor(down, negativeZero);
  const most = v128.bitselect(down, up, i32x4.gt_s(size, up));
  const isTie = v128.and(i32x4.eq(size, up), i32x4.ne(size, zero));
  return bits == 4 && v128.any_true(isTie)
    ? firstAsLarge(most, from, stride, k, min(k + 32, m), count)
    : most;
}

/** The largest lane of a, of b, of c and of d, as integers. */
// @ts-ignore: decorator
@inline
function largestLanes(signed: bool, a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = larger(
    signed,
    v128.shuffle<i32>(a, b, 0, 4, 1, 5),
    v128.shuffle<i32>(a, b, 2, 6, 3, 7),
  );
  const cd = larger(
    signed,
    v128.shuffle<i32>(c, d, 0, 4, 1, 5),
    v128.shuffle<i32>(c, d, 2, 6, 3, 7),
  );
  return larger(signed, v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

// @ts-ignore: decorator
@inline
function larger(signed: bool, x: v128, y: v128): v128 {
  return signed ? i32x4.max_s(x, y) : i32x4.max_u(x, y);
}

/**
 * Of each of the `count` rows the first of numbers k … end − 1 that is as large as its lane of
 * `most`.
 */
function firstAsLarge(most: v128, from: usize, stride: usize, k: u32, end: u32, count: u32): v128 {
  most = f32x4.replace_lane(
    most,
    0,
    firstOfSize(f32x4.extract_lane(most, 0), from, k, count > 0 ? end : 0),
  );
  most = f32x4.replace_lane(
    most,
    1,
    firstOfSize(f32x4.extract_lane(most, 1), from + stride, k, count > 1 ? end : 0),
  );
  most = f32x4.replace_lane(
    most,
    2,
    firstOfSize(f32x4.extract_lane(most, 2), from + 2 * stride, k, count > 2 ? end : 0),
  );
  return f32x4.replace_lane(
    most,
    3,
    firstOfSize(f32x4.extract_lane(most, 3), from + 3 * stride, k, count > 3 ? end : 0),
  );
}

function firstOfSize(x: f32, from: usize, k: u32, end: u32): f32 {
  for (; k < end; k++) {
    const y = load<f32>(from + ((<usize>k) << 2));
    if (abs(y) == abs(x)) return y;
  }
  return x;
}
