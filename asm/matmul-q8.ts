/**
 * A linear layer with q8_0 weights and activations of 14 bits (`quantize.ts`).
 *
 *   out[r, n] = Σ_b (Σ_{k in block b} xq[r, k] · wq[n, k]) · d_w[n, b] · d_x[r, b]
 *
 * Numerics: the sum over a block is an exact integer (at most 2^25), rounded to float32, then times
 * d_w, times d_x, each rounded; blocks are added in order. The same in every variant. Weights are
 * exact, activations off by 2^−14 of the largest in their block: less than q8_0 itself.
 *
 * Two forms of activations. As int16 they need only baseline SIMD. As two 7-bit halves of u = q +
 * 8192 they go through `dot4`, faster for many rows where that is a single instruction: with u =
 * 128·h + l,
 *
 *   Σ q·w = 128 · Σ h·w + Σ l·w − 8192 · Σ w
 *
 * Rows are taken four at a time; if they are not a multiple of four, the last are computed more
 * than once.
 */
import { addBlock, dot4 } from './block';
import { HALF_FIELDS, HALF_SCALE, loadHalves } from './half';
import { hold } from './hold';

/** Of a block of 32 numbers of 16 rows. */
const QUANT_BYTES: usize = 32 * 16;
const SCALE_BYTES: usize = 2 * 16;
const BLOCK_BYTES: usize = QUANT_BYTES + SCALE_BYTES;

/** xq int16 [rows][blocks][32], xScales float32 [rows][blocks] */
export function matmulQ8(
  out: usize,
  outStride: u32,
  xq: usize,
  xScales: usize,
  rows: u32,
  weights: usize,
  blocks: u32,
  firstTile: u32,
  endTile: u32,
): void {
  matmul(false, out, outStride, xq, xScales, rows, weights, blocks, firstTile, endTile);
}

/** xq bytes [rows][blocks][32 upper halves, 32 lower halves], xScales float32 [rows][blocks] */
export function matmulQ8Halves(
  out: usize,
  outStride: u32,
  xq: usize,
  xScales: usize,
  rows: u32,
  weights: usize,
  blocks: u32,
  firstTile: u32,
  endTile: u32,
): void {
  matmul(true, out, outStride, xq, xScales, rows, weights, blocks, firstTile, endTile);
}

// @ts-ignore: decorator
@inline
function matmul(
  halves: bool,
  out: usize,
  outStride: u32,
  xq: usize,
  xScales: usize,
  rows: u32,
  weights: usize,
  blocks: u32,
  firstTile: u32,
  endTile: u32,
): void {
  const last = <usize>rows - 1;
  const outBytes = (<usize>outStride) << 2;
  const xBytes = (<usize>blocks) << 6;
  const scaleBytes = (<usize>blocks) << 2;
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * blocks * BLOCK_BYTES;
    const o = out + ((<usize>tile) << 6);
    if (!halves && rows == 1) {
      oneRow(o, xq, xScales, w, blocks);
      continue;
    }
    for (let row: usize = 0; row < <usize>rows; row += 4) {
      const r1 = min(row + 1, last);
      const r2 = min(row + 2, last);
      const r3 = min(row + 3, last);
      const o0 = o + row * outBytes,
        o1 = o + r1 * outBytes,
        o2 = o + r2 * outBytes,
        o3 = o + r3 * outBytes;
      const x0 = xq + row * xBytes,
        x1 = xq + r1 * xBytes,
        x2 = xq + r2 * xBytes,
        x3 = xq + r3 * xBytes;
      const s0 = xScales + row * scaleBytes,
        s1 = xScales + r1 * scaleBytes,
        s2 = xScales + r2 * scaleBytes,
        s3 = xScales + r3 * scaleBytes;
      if (halves) {
        for (let g: usize = 0; g < 64; g += 16) {
          const d = w + QUANT_BYTES + (g >> 1);
          fourRowsHalves(
            o0 + g,
            o1 + g,
            o2 + g,
            o3 + g,
            x0,
            x1,
            x2,
            x3,
            s0,
            s1,
            s2,
            s3,
            w + (g >> 1),
            d,
            blocks,
          );
        }
      } else {
        for (let h: usize = 0; h < 64; h += 32) {
          const d = w + QUANT_BYTES + (h >> 1);
          fourRows(
            o0 + h,
            o1 + h,
            o2 + h,
            o3 + h,
            x0,
            x1,
            x2,
            x3,
            s0,
            s1,
            s2,
            s3,
            w + (h >> 1),
            d,
            blocks,
          );
        }
      }
    }
  }
}

/** All 16 outputs. */
// @ts-ignore: decorator
@inline
function oneRow(out: usize, xq: usize, xScales: usize, w: usize, blocks: u32): void {
  const fields = hold(HALF_FIELDS, blocks);
  const scale = hold(HALF_SCALE, blocks);
  let t0 = f32x4.splat(0),
    t1 = t0,
    t2 = t0,
    t3 = t0;
  const endOfScales = xScales + ((<usize>blocks) << 2);
  while (xScales < endOfScales) {
    let s0 = i32x4.splat(0),
      s1 = s0,
      s2 = s0,
      s3 = s0;
    const end = xq + 64;
    while (xq < end) {
      const x = v128.load32_splat(xq);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(w), x));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(w, 8), x));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(w, 16), x));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(w, 24), x));
      const y = v128.load32_splat(xq, 4);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v128.load8x8_s(w, 32), y));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v128.load8x8_s(w, 40), y));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v128.load8x8_s(w, 48), y));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v128.load8x8_s(w, 56), y));
      xq += 8;
      w += 64;
    }
    const xScale = v128.load32_splat(xScales);
    t0 = addBlock(t0, s0, loadHalves(w, fields, scale), xScale);
    t1 = addBlock(t1, s1, loadHalves(w + 8, fields, scale), xScale);
    t2 = addBlock(t2, s2, loadHalves(w + 16, fields, scale), xScale);
    t3 = addBlock(t3, s3, loadHalves(w + 24, fields, scale), xScale);
    xScales += 4;
    w += SCALE_BYTES;
  }
  v128.store(out, t0);
  v128.store(out, t1, 16);
  v128.store(out, t2, 32);
  v128.store(out, t3, 48);
}

/**
 * Eight outputs, whose first pair of weights is at w and whose scales are at d. The totals lie in
 * `out`: the registers are full.
 */
// @ts-ignore: decorator
@inline
function fourRows(
  o0: usize,
  o1: usize,
  o2: usize,
  o3: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  s0: usize,
  s1: usize,
  s2: usize,
  s3: usize,
  w: usize,
  d: usize,
  blocks: u32,
): void {
  // Not held: there is no register left for them.
  const fields = i32x4.splat(HALF_FIELDS);
  const scale = i32x4.splat(HALF_SCALE);
  const zero = f32x4.splat(0);
  store(o0, zero, zero);
  store(o1, zero, zero);
  store(o2, zero, zero);
  store(o3, zero, zero);
  const endOfScales = s0 + ((<usize>blocks) << 2);
  while (s0 < endOfScales) {
    let a0 = i32x4.splat(0),
      a1 = a0,
      a2 = a0,
      a3 = a0;
    let b0 = a0,
      b1 = a0,
      b2 = a0,
      b3 = a0;
    const end = x0 + 64;
    while (x0 < end) {
      const p = v128.load8x8_s(w),
        q = v128.load8x8_s(w, 8);
      let x = v128.load32_splat(x0);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p, x));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(q, x));
      x = v128.load32_splat(x1);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p, x));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(q, x));
      x = v128.load32_splat(x2);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p, x));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(q, x));
      x = v128.load32_splat(x3);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p, x));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(q, x));
      x0 += 4;
      x1 += 4;
      x2 += 4;
      x3 += 4;
      w += 32;
    }
    const da = loadHalves(d, fields, scale),
      db = loadHalves(d + 8, fields, scale);
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    let xScale = v128.load32_splat(s0);
    a0 = addBlock(v128.load(o0), a0, da, xScale);
    b0 = addBlock(v128.load(o0, 16), b0, db, xScale);
    xScale = v128.load32_splat(s1);
    a1 = addBlock(v128.load(o1), a1, da, xScale);
    b1 = addBlock(v128.load(o1, 16), b1, db, xScale);
    xScale = v128.load32_splat(s2);
    a2 = addBlock(v128.load(o2), a2, da, xScale);
    b2 = addBlock(v128.load(o2, 16), b2, db, xScale);
    xScale = v128.load32_splat(s3);
    a3 = addBlock(v128.load(o3), a3, da, xScale);
    b3 = addBlock(v128.load(o3, 16), b3, db, xScale);
    store(o0, a0, b0);
    store(o1, a1, b1);
    store(o2, a2, b2);
    store(o3, a3, b3);
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    w += SCALE_BYTES;
    d += BLOCK_BYTES;
  }
}

/**
 * Four outputs, whose first pair of weights is at w and whose scales are at d. The totals lie in
 * `out`: the registers are full.
 */
// @ts-ignore: decorator
@inline
function fourRowsHalves(
  o0: usize,
  o1: usize,
  o2: usize,
  o3: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  s0: usize,
  s1: usize,
  s2: usize,
  s3: usize,
  w: usize,
  d: usize,
  blocks: u32,
): void {
  const fields = hold(HALF_FIELDS, blocks);
  const scale = hold(HALF_SCALE, blocks);
  const ones = hold(0x01010101, blocks);
  const zero = f32x4.splat(0);
  v128.store(o0, zero);
  v128.store(o1, zero);
  v128.store(o2, zero);
  v128.store(o3, zero);
  const endOfScales = s0 + ((<usize>blocks) << 2);
  while (s0 < endOfScales) {
    let sum = i32x4.splat(0);
    let l0 = sum,
      l1 = sum,
      l2 = sum,
      l3 = sum;
    let h0 = sum,
      h1 = sum,
      h2 = sum,
      h3 = sum;
    const end = x0 + 32;
    while (x0 < end) {
      // Two pairs of k of each row, which are a line apart, beside each other.
      const q = v128.shuffle<i16>(
        v128.load64_zero(w),
        v128.load64_zero(w, 32),
        0,
        8,
        1,
        9,
        2,
        10,
        3,
        11,
      );
      sum = dot4(q, ones, sum);
      h0 = dot4(q, v128.load32_splat(x0), h0);
      l0 = dot4(q, v128.load32_splat(x0, 32), l0);
      h1 = dot4(q, v128.load32_splat(x1), h1);
      l1 = dot4(q, v128.load32_splat(x1, 32), l1);
      h2 = dot4(q, v128.load32_splat(x2), h2);
      l2 = dot4(q, v128.load32_splat(x2, 32), l2);
      h3 = dot4(q, v128.load32_splat(x3), h3);
      l3 = dot4(q, v128.load32_splat(x3, 32), l3);
      x0 += 4;
      x1 += 4;
      x2 += 4;
      x3 += 4;
      w += 64;
    }
    const offset = i32x4.shl(sum, 13);
    const weightScales = loadHalves(d, fields, scale);
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    l0 = addBlock(v128.load(o0), joinHalves(h0, l0, offset), weightScales, v128.load32_splat(s0));
    l1 = addBlock(v128.load(o1), joinHalves(h1, l1, offset), weightScales, v128.load32_splat(s1));
    l2 = addBlock(v128.load(o2), joinHalves(h2, l2, offset), weightScales, v128.load32_splat(s2));
    l3 = addBlock(v128.load(o3), joinHalves(h3, l3, offset), weightScales, v128.load32_splat(s3));
    v128.store(o0, l0);
    v128.store(o1, l1);
    v128.store(o2, l2);
    v128.store(o3, l3);
    x0 += 32;
    x1 += 32;
    x2 += 32;
    x3 += 32;
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    w += SCALE_BYTES;
    d += BLOCK_BYTES;
  }
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}

// @ts-ignore: decorator
@inline
function joinHalves(high: v128, low: v128, offset: v128): v128 {
  return i32x4.sub(i32x4.add(i32x4.shl(high, 7), low), offset);
}
