/**
 * A linear layer whose weights are numbers of their own: f32, bf16 or f16 (`src/ops/matmul.ts`).
 *
 *   out[r, n] = Σ_k x[r, k] · W[n, k]
 *
 * Numerics: float32, the weights exactly as they are. Two products are added, then their sum to a
 * running sum, k = 0, 1, 2, …; after every 256 numbers the running sum is added to the total and a
 * new one begun. The same in every variant and for every format: weights widened to f32 give the
 * same bits. With f16 weights x comes times 2^102 (`scaleForF16`), which is less work than to
 * multiply the weights (`half.ts`), and |x| must be below 2^26. If m is odd, the number behind the
 * row's last is read too, and must be 0 (see README.md).
 *
 * Rows share a weight. They are taken three at a time, which with 256 bits fills the registers, and
 * at last two at a time, so that four are not the work of six. Fewer than twelve rows wait for
 * memory, and read two tiles in step where it pays (`streams.ts`), with their running sums in
 * `scratch`. For more a panel of 256 numbers, which stays in the first level of the cache, is
 * widened to float32 once, into `scratch`.
 */
import { HALF_FIELDS, LOW_HALF } from './half';
import { hold } from './hold';
import { add64, quarter, store64 } from './lanes';
import { streamCount, streamLength } from './streams';

const F32: i32 = 0;
const BF16: i32 = 1;
const F16: i32 = 2;

/** Pairs of numbers in a panel. */
const PANEL: usize = 128;
/** Pairs of a tile that few rows read before they turn to the next. */
const RUN: usize = 32;
/** From how many rows on memory is fast enough, and it pays to widen a panel. */
const MANY: usize = 12;

export function matmulF32(
  out: usize,
  outStride: u32,
  x: usize,
  xStride: u32,
  rows: u32,
  weights: usize,
  m: u32,
  firstTile: u32,
  endTile: u32,
  scratch: usize,
): void {
  matmul(F32, out, outStride, x, xStride, rows, weights, m, firstTile, endTile, scratch);
}

export function matmulBF16(
  out: usize,
  outStride: u32,
  x: usize,
  xStride: u32,
  rows: u32,
  weights: usize,
  m: u32,
  firstTile: u32,
  endTile: u32,
  scratch: usize,
): void {
  matmul(BF16, out, outStride, x, xStride, rows, weights, m, firstTile, endTile, scratch);
}

export function matmulF16(
  out: usize,
  outStride: u32,
  x: usize,
  xStride: u32,
  rows: u32,
  weights: usize,
  m: u32,
  firstTile: u32,
  endTile: u32,
  scratch: usize,
): void {
  matmul(F16, out, outStride, x, xStride, rows, weights, m, firstTile, endTile, scratch);
}

// @ts-ignore: decorator
@inline
function matmul(
  format: i32,
  out: usize,
  outStride: usize,
  x: usize,
  xStride: usize,
  rows: usize,
  weights: usize,
  m: usize,
  firstTile: usize,
  endTile: usize,
  scratch: usize,
): void {
  const pairs = (m + 1) >> 1;
  const tileBytes = pairs * pairBytes(format);
  out += firstTile << 6;
  weights += firstTile * tileBytes;
  const outBytes = outStride << 2;
  const xBytes = xStride << 2;
  if (rows < MANY) {
    while (firstTile < endTile) {
      const length = streamLength(endTile - firstTile, tileBytes);
      const streams = streamCount(endTile - firstTile, length);
      for (const end = out + (length << 6); out < end; out += 64) {
        fewRows(
          format,
          out,
          outBytes,
          x,
          xBytes,
          rows,
          pairs,
          weights,
          tileBytes,
          length,
          streams,
          scratch,
        );
        weights += tileBytes;
      }
      out += ((streams - 1) * length) << 6;
      weights += (streams - 1) * length * tileBytes;
      firstTile += streams * length;
    }
    return;
  }
  for (let tile = firstTile; tile < endTile; tile++) {
    const zero = f32x4.splat(0);
    for (let row: usize = 0; row < rows; row++)
      store64(out + row * outBytes, zero, zero, zero, zero);
    for (let pair: usize = 0; pair < pairs; pair += PANEL) {
      const count = min(PANEL, pairs - pair);
      const from = weights + pair * pairBytes(format);
      const at = x + (pair << 3);
      if (format != F32) widen(format, scratch, from, count);
      const panel = format == F32 ? from : scratch;
      for (let row: usize = 0; row < rows; ) {
        const to = out + row * outBytes;
        if (isThree(rows - row)) {
          threeRowsF32(to, outBytes, at + row * xBytes, xBytes, panel, count);
          row += 3;
        } else {
          twoRowsF32(to, outBytes, at + row * xBytes, xBytes, panel, count);
          row += 2;
        }
      }
    }
    out += 64;
    weights += tileBytes;
  }
}

/** Whether the next three of the rows that are left go together, or two: so that none is alone. */
// @ts-ignore: decorator
@inline
function isThree(left: usize): bool {
  return left == 3 || left > 4;
}

/** Bytes of a pair k, k + 1 of all 16 outputs. */
// @ts-ignore: decorator
@inline
function pairBytes(format: i32): usize {
  return format == F32 ? 128 : 64;
}

/** The weights of k, of four outputs; those of F16 times 2^−102. */
// @ts-ignore: decorator
@inline
function even(format: i32, pairs: v128, mask: v128, shift: v128): v128 {
  if (format == F32) return pairs;
  if (format == BF16) return i32x4.shl(pairs, 16);
  // One product instead of two shifts: the lower half, with its sign, times 2^13.
  return v128.and(i32x4.dot_i16x8_s(pairs, shift), mask);
}

/** The weights of k + 1. */
// @ts-ignore: decorator
@inline
function odd(format: i32, pairs: v128, mask: v128): v128 {
  return v128.and(format == BF16 ? pairs : i32x4.shr_s(pairs, 3), mask);
}

/** Bits of the odd weights of BF16, of all weights of F16. */
// @ts-ignore: decorator
@inline
function holdMask(format: i32, always: usize): v128 {
  return hold(format == F16 ? HALF_FIELDS : 0xffff0000, <u32>always);
}

/** `count` pairs as float32, in the layout of F32; those of F16 times 2^−102. */
// @ts-ignore: decorator
@inline
function widen(format: i32, to: usize, from: usize, count: usize): void {
  const mask = holdMask(format, count);
  const shift = hold(LOW_HALF, <u32>count);
  for (const end = from + (count << 6); from < end; from += 64) {
    const p = v128.load(from),
      q = v128.load(from, 16),
      r = v128.load(from, 32),
      s = v128.load(from, 48);
    store64(
      to,
      even(format, p, mask, shift),
      even(format, q, mask, shift),
      even(format, r, mask, shift),
      even(format, s, mask, shift),
    );
    store64(
      to + 64,
      odd(format, p, mask),
      odd(format, q, mask),
      odd(format, r, mask),
      odd(format, s, mask),
    );
    to += 128;
  }
}

/**
 * Fewer than MANY rows and `streams` tiles, `length` tiles apart: a run of each in turn, which all
 * rows meet. Running sums lie in `sums` [streams, rows, 16] meanwhile.
 */
// @ts-ignore: decorator
@inline
function fewRows(
  format: i32,
  out: usize,
  outBytes: usize,
  x: usize,
  xBytes: usize,
  rows: usize,
  pairs: usize,
  weights: usize,
  tileBytes: usize,
  length: usize,
  streams: usize,
  sums: usize,
): void {
  const zero = f32x4.splat(0);
  const sumBytes = rows << 6,
    endOfSums = sums + streams * sumBytes;
  for (let stream: usize = 0; stream < streams; stream++)
    for (let row: usize = 0; row < rows; row++)
      store64(out + ((stream * length) << 6) + row * outBytes, zero, zero, zero, zero);
  for (let pair: usize = 0; pair < pairs; pair += PANEL) {
    const count = min(PANEL, pairs - pair);
    for (let sum = sums; sum < endOfSums; sum += 64) store64(sum, zero, zero, zero, zero);
    for (let first: usize = 0; first < count; first += RUN) {
      const run = min(RUN, count - first);
      let w = weights;
      for (let sum = sums; sum < endOfSums; sum += sumBytes) {
        if (rows == 1) oneMore(format, sum, x, w, run);
        else rowsMore(format, sum, x, xBytes, rows, w, run);
        w += length * tileBytes;
      }
      weights += run * pairBytes(format);
      x += run << 3;
    }
    for (let stream: usize = 0; stream < streams; stream++)
      for (let row: usize = 0; row < rows; row++) {
        const sum = sums + stream * sumBytes + (row << 6);
        add64(
          out + ((stream * length) << 6) + row * outBytes,
          v128.load(sum),
          v128.load(sum, 16),
          v128.load(sum, 32),
          v128.load(sum, 48),
        );
      }
  }
}

/** Of one tile, adds `pairs` pairs to the sums of all rows. */
// @ts-ignore: decorator
@inline
function rowsMore(
  format: i32,
  sums: usize,
  x: usize,
  xBytes: usize,
  rows: usize,
  w: usize,
  pairs: usize,
): void {
  for (let row: usize = 0; row < rows; ) {
    const sum = sums + (row << 6);
    const at = x + row * xBytes;
    if (isThree(rows - row)) {
      if (format == F32) threeMoreF32(sum, at, xBytes, w, pairs);
      else if (format == BF16) threeMoreBF16(sum, at, xBytes, w, pairs);
      else threeMoreF16(sum, at, xBytes, w, pairs);
      row += 3;
    } else {
      if (format == F32) twoMoreF32(sum, at, xBytes, w, pairs);
      else if (format == BF16) twoMoreBF16(sum, at, xBytes, w, pairs);
      else twoMoreF16(sum, at, xBytes, w, pairs);
      row += 2;
    }
  }
}

/** Of one tile, adds `pairs` pairs to the sums. */
// @ts-ignore: decorator
@inline
function oneMore(format: i32, sums: usize, x: usize, w: usize, pairs: usize): void {
  const mask = holdMask(format, pairs);
  const shift = hold(LOW_HALF, <u32>pairs);
  let a = v128.load(sums),
    b = v128.load(sums, 16),
    c = v128.load(sums, 32),
    d = v128.load(sums, 48);
  for (const end = x + (pairs << 3); x < end; x += 8) {
    const xe = v128.load32_splat(x),
      xo = v128.load32_splat(x, 4);
    const p = v128.load(w),
      q = v128.load(w, 16),
      r = v128.load(w, 32),
      s = v128.load(w, 48);
    if (format == F32) {
      a = addPair(a, p, v128.load(w, 64), xe, xo);
      b = addPair(b, q, v128.load(w, 80), xe, xo);
      c = addPair(c, r, v128.load(w, 96), xe, xo);
      d = addPair(d, s, v128.load(w, 112), xe, xo);
    } else {
      a = addPair(a, even(format, p, mask, shift), odd(format, p, mask), xe, xo);
      b = addPair(b, even(format, q, mask, shift), odd(format, q, mask), xe, xo);
      c = addPair(c, even(format, r, mask, shift), odd(format, r, mask), xe, xo);
      d = addPair(d, even(format, s, mask, shift), odd(format, s, mask), xe, xo);
    }
    w += pairBytes(format);
  }
  store64(sums, a, b, c, d);
}

/** sum + (even · xe + odd · xo) */
// @ts-ignore: decorator
@inline
function addPair(sum: v128, even: v128, odd: v128, xe: v128, xo: v128): v128 {
  return f32x4.add(sum, f32x4.add(f32x4.mul(even, xe), f32x4.mul(odd, xo)));
}

/**
 * Two rows or three, `…Bytes` apart, over `pairs` pairs of weights. Their sums go on from what lies
 * in `out` (`continues`), or begin at 0 and are added to it.
 */
// @ts-ignore: decorator
@inline
function rowsTogether(
  format: i32,
  rows: i32,
  continues: bool,
  out: usize,
  outBytes: usize,
  x0: usize,
  xBytes: usize,
  w: usize,
  pairs: usize,
): void {
  const mask = holdMask(format, pairs);
  const shift = hold(LOW_HALF, <u32>pairs);
  let x1 = x0 + xBytes,
    x2 = x0 + 2 * xBytes;
  const o1 = out + outBytes,
    o2 = out + 2 * outBytes;
  let a0 = start(continues, out, 0),
    b0 = start(continues, out, 1),
    c0 = start(continues, out, 2),
    d0 = start(continues, out, 3);
  let a1 = start(continues, o1, 0),
    b1 = start(continues, o1, 1),
    c1 = start(continues, o1, 2),
    d1 = start(continues, o1, 3);
  let a2 = start(continues && rows == 3, o2, 0),
    b2 = start(continues && rows == 3, o2, 1),
    c2 = start(continues && rows == 3, o2, 2),
    d2 = start(continues && rows == 3, o2, 3);
  for (const end = x0 + (pairs << 3); x0 < end; x0 += 8) {
    const p = v128.load(w),
      q = v128.load(w, 16),
      r = v128.load(w, 32),
      s = v128.load(w, 48);
    const pe = even(format, p, mask, shift),
      qe = even(format, q, mask, shift),
      re = even(format, r, mask, shift),
      se = even(format, s, mask, shift);
    const po = format == F32 ? v128.load(w, 64) : odd(format, p, mask),
      qo = format == F32 ? v128.load(w, 80) : odd(format, q, mask),
      ro = format == F32 ? v128.load(w, 96) : odd(format, r, mask),
      so = format == F32 ? v128.load(w, 112) : odd(format, s, mask);
    let xe = v128.load32_splat(x0),
      xo = v128.load32_splat(x0, 4);
    a0 = addPair(a0, pe, po, xe, xo);
    b0 = addPair(b0, qe, qo, xe, xo);
    c0 = addPair(c0, re, ro, xe, xo);
    d0 = addPair(d0, se, so, xe, xo);
    xe = v128.load32_splat(x1);
    xo = v128.load32_splat(x1, 4);
    a1 = addPair(a1, pe, po, xe, xo);
    b1 = addPair(b1, qe, qo, xe, xo);
    c1 = addPair(c1, re, ro, xe, xo);
    d1 = addPair(d1, se, so, xe, xo);
    if (rows == 3) {
      xe = v128.load32_splat(x2);
      xo = v128.load32_splat(x2, 4);
      a2 = addPair(a2, pe, po, xe, xo);
      b2 = addPair(b2, qe, qo, xe, xo);
      c2 = addPair(c2, re, ro, xe, xo);
      d2 = addPair(d2, se, so, xe, xo);
      x2 += 8;
    }
    x1 += 8;
    w += pairBytes(format);
  }
  sumTo(continues, out, a0, b0, c0, d0);
  sumTo(continues, o1, a1, b1, c1, d1);
  if (rows == 3) sumTo(continues, o2, a2, b2, c2, d2);
}

/** Where the n-th four sums of a row begin. */
// @ts-ignore: decorator
@inline
function start(continues: bool, sums: usize, n: i32): v128 {
  return continues ? quarter(sums, n) : f32x4.splat(0);
}

// @ts-ignore: decorator
@inline
function sumTo(continues: bool, to: usize, a: v128, b: v128, c: v128, d: v128): void {
  if (continues) store64(to, a, b, c, d);
  else add64(to, a, b, c, d);
}

function threeRowsF32(
  out: usize,
  outBytes: usize,
  x: usize,
  xBytes: usize,
  w: usize,
  pairs: usize,
): void {
  rowsTogether(F32, 3, false, out, outBytes, x, xBytes, w, pairs);
}

function threeMoreF32(out: usize, x: usize, xBytes: usize, w: usize, pairs: usize): void {
  rowsTogether(F32, 3, true, out, 64, x, xBytes, w, pairs);
}

function threeMoreBF16(out: usize, x: usize, xBytes: usize, w: usize, pairs: usize): void {
  rowsTogether(BF16, 3, true, out, 64, x, xBytes, w, pairs);
}

function threeMoreF16(out: usize, x: usize, xBytes: usize, w: usize, pairs: usize): void {
  rowsTogether(F16, 3, true, out, 64, x, xBytes, w, pairs);
}

function twoRowsF32(
  out: usize,
  outBytes: usize,
  x: usize,
  xBytes: usize,
  w: usize,
  pairs: usize,
): void {
  rowsTogether(F32, 2, false, out, outBytes, x, xBytes, w, pairs);
}

function twoMoreF32(out: usize, x: usize, xBytes: usize, w: usize, pairs: usize): void {
  rowsTogether(F32, 2, true, out, 64, x, xBytes, w, pairs);
}

function twoMoreBF16(out: usize, x: usize, xBytes: usize, w: usize, pairs: usize): void {
  rowsTogether(BF16, 2, true, out, 64, x, xBytes, w, pairs);
}

function twoMoreF16(out: usize, x: usize, xBytes: usize, w: usize, pairs: usize): void {
  rowsTogether(F16, 2, true, out, 64, x, xBytes, w, pairs);
}
