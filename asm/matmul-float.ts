/**
 * A linear layer whose weights are numbers of their own: f32, bf16 or f16 (`src/ops/matmul.ts`).
 *
 *   out[r, n] = Σ_k x[r, k] · W[n, k]
 *
 * Numerics: float32, the weights exactly as they are. Two products are added, then their sum to a
 * running sum, k = 0, 1, 2, …; after every 256 numbers the running sum is added to the total and a
 * new one begun. The same in every variant and for every format: weights widened to f32 give the
 * same bits. With f16 weights |x| must be below 2^26: `oneRow` multiplies it by 2^102, which is
 * less work than with all weights (`half.ts`). If m is odd, the number behind the row's last is
 * read too, and must be 0 (see README.md).
 *
 * Tiles are taken in panels of 256 numbers. Many rows share a weight: a panel of f16 or bf16 is
 * widened to float32 once, into `scratch`, and then multiplied with all rows, three at a time, with
 * eight outputs, or 16 in wide modules: more would not leave registers for the products. A single
 * row reads two tiles in turn, a panel of each, which memory delivers faster (docs/LOG.md).
 */
import { HALF_FIELDS, HALF_SCALE } from './half';
import { hold } from './hold';
import { store64 } from './lanes';

const F32: i32 = 0;
const BF16: i32 = 1;
const F16: i32 = 2;

/** Pairs of numbers in a panel. */
const PANEL: usize = 128;
/** Tiles that a single row reads in turn. */
const STREAMS: usize = 2;
/** Outputs that three rows compute at a time, in bytes of `out`. */
const STEP: usize = isDefined(WIDE) ? 64 : 32;

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
  if (rows == 1) {
    for (let tiles = endTile - firstTile; tiles > 0; ) {
      const count = min(tiles, STREAMS);
      oneRow(format, out, x, pairs, weights, tileBytes, count);
      out += count << 6;
      weights += count * tileBytes;
      tiles -= count;
    }
    return;
  }
  const outBytes = outStride << 2;
  const xBytes = xStride << 2;
  for (let tile = firstTile; tile < endTile; tile++) {
    for (let row: usize = 0; row < rows; row++) memory.fill(out + row * outBytes, 0, 64);
    for (let pair: usize = 0; pair < pairs; pair += PANEL) {
      const count = min(PANEL, pairs - pair);
      const from = weights + pair * pairBytes(format);
      if (format != F32) widen(format, scratch, from, count);
      const panel = format == F32 ? from : scratch;
      for (let row: usize = 0; row < rows; row += 3) {
        const r1 = min<usize>(1, rows - row - 1),
          r2 = min<usize>(2, rows - row - 1);
        const to = out + row * outBytes;
        threeRows(to, outBytes, x + row * xBytes + (pair << 3), xBytes, r1, r2, panel, count);
      }
    }
    out += 64;
    weights += tileBytes;
  }
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

/** `count` pairs as float32, in the layout of F32. */
function widen(format: i32, to: usize, from: usize, count: usize): void {
  if (format == F16) widenPairs(F16, to, from, count);
  else widenPairs(BF16, to, from, count);
}

// @ts-ignore: decorator
@inline
function widenPairs(format: i32, to: usize, from: usize, count: usize): void {
  const mask = holdMask(format, count);
  const scale = hold(HALF_SCALE, <u32>count);
  const shift = hold(1 << 13, <u32>count);
  for (const end = from + (count << 6); from < end; from += 64) {
    for (let at: usize = 0; at < 64; at += 32) {
      const p = v128.load(from + at),
        q = v128.load(from + at, 16);
      let pe = even(format, p, mask, shift),
        qe = even(format, q, mask, shift),
        po = odd(format, p, mask),
        qo = odd(format, q, mask);
      if (format == F16) {
        pe = f32x4.mul(pe, scale);
        qe = f32x4.mul(qe, scale);
        po = f32x4.mul(po, scale);
        qo = f32x4.mul(qo, scale);
      }
      v128.store(to + at, pe);
      v128.store(to + at, qe, 16);
      v128.store(to + at, po, 64);
      v128.store(to + at, qo, 80);
    }
    to += 128;
  }
}

/** One row: `tiles` tiles, `tileBytes` apart, a panel of each in turn. */
// @ts-ignore: decorator
@inline
function oneRow(
  format: i32,
  out: usize,
  x: usize,
  pairs: usize,
  weights: usize,
  tileBytes: usize,
  tiles: usize,
): void {
  const mask = holdMask(format, pairs);
  const scale = hold(HALF_SCALE, <u32>pairs);
  const shift = hold(1 << 13, <u32>pairs);
  memory.fill(out, 0, tiles << 6);
  for (let pair: usize = 0; pair < pairs; pair += PANEL) {
    const end = x + (min(PANEL, pairs - pair) << 3);
    for (let tile: usize = 0; tile < tiles; tile++) {
      let w = weights + tile * tileBytes;
      const o = out + (tile << 6);
      let a = f32x4.splat(0),
        b = a,
        c = a,
        d = a;
      for (let k = x; k < end; k += 8) {
        let xe = v128.load32_splat(k),
          xo = v128.load32_splat(k, 4);
        if (format == F16) {
          xe = f32x4.mul(xe, scale);
          xo = f32x4.mul(xo, scale);
        }
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
      store64(
        o,
        f32x4.add(v128.load(o), a),
        f32x4.add(v128.load(o, 16), b),
        f32x4.add(v128.load(o, 32), c),
        f32x4.add(v128.load(o, 48), d),
      );
    }
    weights += PANEL * pairBytes(format);
    x += PANEL << 3;
  }
}

/** sum + (even · xe + odd · xo) */
// @ts-ignore: decorator
@inline
function addPair(sum: v128, even: v128, odd: v128, xe: v128, xo: v128): v128 {
  return f32x4.add(sum, f32x4.add(f32x4.mul(even, xe), f32x4.mul(odd, xo)));
}

/**
 * Three rows, those at 0, r1 and r2 times `…Bytes`, which may be the same, over `pairs` pairs of
 * float32 weights. The totals lie in `out`: the registers are full.
 */
function threeRows(
  out: usize,
  outBytes: usize,
  x: usize,
  xBytes: usize,
  r1: usize,
  r2: usize,
  panel: usize,
  pairs: usize,
): void {
  for (let step: usize = 0; step < 64; step += STEP) {
    let w = panel + step,
      x0 = x,
      x1 = x + r1 * xBytes,
      x2 = x + r2 * xBytes;
    const zero = f32x4.splat(0);
    let a0 = zero,
      b0 = zero,
      c0 = zero,
      d0 = zero;
    let a1 = zero,
      b1 = zero,
      c1 = zero,
      d1 = zero;
    let a2 = zero,
      b2 = zero,
      c2 = zero,
      d2 = zero;
    for (const end = x0 + (pairs << 3); x0 < end; x0 += 8) {
      const p = v128.load(w),
        q = v128.load(w, 16),
        r = isDefined(WIDE) ? v128.load(w, 32) : p,
        s = isDefined(WIDE) ? v128.load(w, 48) : p;
      const po = v128.load(w, 64),
        qo = v128.load(w, 80),
        ro = isDefined(WIDE) ? v128.load(w, 96) : p,
        so = isDefined(WIDE) ? v128.load(w, 112) : p;
      let xe = v128.load32_splat(x0),
        xo = v128.load32_splat(x0, 4);
      a0 = addPair(a0, p, po, xe, xo);
      b0 = addPair(b0, q, qo, xe, xo);
      if (isDefined(WIDE)) {
        c0 = addPair(c0, r, ro, xe, xo);
        d0 = addPair(d0, s, so, xe, xo);
      }
      xe = v128.load32_splat(x1);
      xo = v128.load32_splat(x1, 4);
      a1 = addPair(a1, p, po, xe, xo);
      b1 = addPair(b1, q, qo, xe, xo);
      if (isDefined(WIDE)) {
        c1 = addPair(c1, r, ro, xe, xo);
        d1 = addPair(d1, s, so, xe, xo);
      }
      xe = v128.load32_splat(x2);
      xo = v128.load32_splat(x2, 4);
      a2 = addPair(a2, p, po, xe, xo);
      b2 = addPair(b2, q, qo, xe, xo);
      if (isDefined(WIDE)) {
        c2 = addPair(c2, r, ro, xe, xo);
        d2 = addPair(d2, s, so, xe, xo);
      }
      x1 += 8;
      x2 += 8;
      w += 128;
    }
    const o0 = out + step,
      o1 = o0 + r1 * outBytes,
      o2 = o0 + r2 * outBytes;
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    a0 = f32x4.add(v128.load(o0), a0);
    b0 = f32x4.add(v128.load(o0, 16), b0);
    if (isDefined(WIDE)) {
      c0 = f32x4.add(v128.load(o0, 32), c0);
      d0 = f32x4.add(v128.load(o0, 48), d0);
    }
    a1 = f32x4.add(v128.load(o1), a1);
    b1 = f32x4.add(v128.load(o1, 16), b1);
    if (isDefined(WIDE)) {
      c1 = f32x4.add(v128.load(o1, 32), c1);
      d1 = f32x4.add(v128.load(o1, 48), d1);
    }
    a2 = f32x4.add(v128.load(o2), a2);
    b2 = f32x4.add(v128.load(o2, 16), b2);
    if (isDefined(WIDE)) {
      c2 = f32x4.add(v128.load(o2, 32), c2);
      d2 = f32x4.add(v128.load(o2, 48), d2);
    }
    store(o0, a0, b0, c0, d0);
    store(o1, a1, b1, c1, d1);
    store(o2, a2, b2, c2, d2);
  }
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
  if (isDefined(WIDE)) {
    v128.store(out, c, 32);
    v128.store(out, d, 48);
  }
}
