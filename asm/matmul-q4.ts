/**
 * A linear layer with q4_0 weights and activations of 8 bits (`quantize.ts`). With blocks b of 32
 * and q = 0 … 15,
 *
 *   out[r, n] = Σ_b Σ_k xq[r, k] · (q[n, k] − 8) · d[n, b] · d_x[r, b]
 *
 * Weights are exact, activations off by 2^−8 of the largest in their block.
 *
 * Numerics: Σ xq · q of a block is an exact integer S; `quantize8` has left −8 · Σ xq, call it X,
 * in xSums. Blocks are added in order, (S + X) · d · d_x each.
 *
 * Rows are taken four at a time, with eight outputs; those that are left over one by one, with all
 * 16 outputs of a tile, which is no slower.
 */
import { addBlock } from './block';
import { addLine, addProducts, high, low, NIBBLES, total } from './four-bits';
import { HALF_FIELDS, HALF_SCALE, loadHalves } from './half';
import { hold } from './hold';

/** Of a block of 32 numbers of 16 rows. */
const QUANT_BYTES: usize = 16 * 16;
const SCALE_BYTES: usize = 2 * 16;
const BLOCK_BYTES: usize = QUANT_BYTES + SCALE_BYTES;

/** xq int8 [rows][blocks][32], xScales float32 and xSums 2 × int16 [rows][blocks] */
export function matmulQ4(
  out: usize,
  outStride: u32,
  xq: usize,
  xScales: usize,
  xSums: usize,
  rows: u32,
  weights: usize,
  blocks: u32,
  firstTile: u32,
  endTile: u32,
): void {
  const outBytes = (<usize>outStride) << 2;
  const xBytes = (<usize>blocks) << 5;
  const scaleBytes = (<usize>blocks) << 2;
  const sums = xSums - xScales;
  const tileBytes = <usize>blocks * BLOCK_BYTES;
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * tileBytes;
    const o = out + ((<usize>tile) << 6);
    let row: usize = 0;
    for (; row + 4 <= <usize>rows; row += 4) {
      const o0 = o + row * outBytes,
        x0 = xq + row * xBytes,
        s0 = xScales + row * scaleBytes;
      const o1 = o0 + outBytes,
        o2 = o1 + outBytes,
        o3 = o2 + outBytes;
      const x1 = x0 + xBytes,
        x2 = x1 + xBytes,
        x3 = x2 + xBytes;
      const s1 = s0 + scaleBytes,
        s2 = s1 + scaleBytes,
        s3 = s2 + scaleBytes;
      for (let h: usize = 0; h < 64; h += 32)
        fourRows(
          h,
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
          sums,
          w,
          blocks,
        );
    }
    for (; row < <usize>rows; row++)
      oneRow(o + row * outBytes, xq + row * xBytes, xScales + row * scaleBytes, sums, w, blocks);
  }
}

/** X of a block, in every lane. */
// @ts-ignore: decorator
@inline
function offsetAt(sums: usize): v128 {
  return i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(sums));
}

// @ts-ignore: decorator
@inline
function oneRow(out: usize, xq: usize, xScales: usize, sums: usize, w: usize, blocks: u32): void {
  const fields = hold(HALF_FIELDS, blocks);
  const unit = hold(HALF_SCALE, blocks);
  const nibbles = hold(NIBBLES, blocks);
  let t0 = f32x4.splat(0),
    t1 = t0,
    t2 = t0,
    t3 = t0;
  for (let block: u32 = 0; block < blocks; block++) {
    let s0 = i32x4.splat(0),
      s1 = s0,
      s2 = s0,
      s3 = s0;
    const end = xq + 32;
    while (xq < end) {
      const x = v128.load32_splat(xq),
        y = v128.load32_splat(xq, 4);
      const q0 = v128.load(w),
        q1 = v128.load(w, 16),
        q2 = v128.load(w, 32),
        q3 = v128.load(w, 48);
      s0 = addLine(s0, q0, x, y, nibbles);
      s1 = addLine(s1, q1, x, y, nibbles);
      s2 = addLine(s2, q2, x, y, nibbles);
      s3 = addLine(s3, q3, x, y, nibbles);
      xq += 8;
      w += 64;
    }
    const xScale = v128.load32_splat(xScales),
      offset = offsetAt(xScales + sums);
    t0 = addBlock(t0, i32x4.add(offset, total(s0)), loadHalves(w, fields, unit), xScale);
    t1 = addBlock(t1, i32x4.add(offset, total(s1)), loadHalves(w + 8, fields, unit), xScale);
    t2 = addBlock(t2, i32x4.add(offset, total(s2)), loadHalves(w + 16, fields, unit), xScale);
    t3 = addBlock(t3, i32x4.add(offset, total(s3)), loadHalves(w + 24, fields, unit), xScale);
    xScales += 4;
    w += SCALE_BYTES;
  }
  v128.store(out, t0);
  v128.store(out, t1, 16);
  v128.store(out, t2, 32);
  v128.store(out, t3, 48);
}

/**
 * Eight outputs: those of the first half of a tile's rows (h = 0) or of the second (h = 32). The
 * totals lie in `out`: the registers are full.
 */
// @ts-ignore: decorator
@inline
function fourRows(
  h: usize,
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
  sums: usize,
  w: usize,
  blocks: u32,
): void {
  // Not held: there is no register left for them.
  const fields = i32x4.splat(HALF_FIELDS);
  const unit = i32x4.splat(HALF_SCALE);
  const nibbles = hold(NIBBLES, blocks);
  const zero = f32x4.splat(0);
  store(o0, zero, zero);
  store(o1, zero, zero);
  store(o2, zero, zero);
  store(o3, zero, zero);
  w += h;
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
    const end = x0 + 32;
    while (x0 < end) {
      const p = v128.load(w),
        q = v128.load(w, 16);
      const pl = low(p, nibbles),
        ql = low(q, nibbles);
      const ph = high(p, nibbles),
        qh = high(q, nibbles);
      let x = v128.load32_splat(x0);
      a0 = addProducts(a0, x, pl);
      b0 = addProducts(b0, x, ql);
      x = v128.load32_splat(x0, 4);
      a0 = addProducts(a0, x, ph);
      b0 = addProducts(b0, x, qh);
      x = v128.load32_splat(x1);
      a1 = addProducts(a1, x, pl);
      b1 = addProducts(b1, x, ql);
      x = v128.load32_splat(x1, 4);
      a1 = addProducts(a1, x, ph);
      b1 = addProducts(b1, x, qh);
      x = v128.load32_splat(x2);
      a2 = addProducts(a2, x, pl);
      b2 = addProducts(b2, x, ql);
      x = v128.load32_splat(x2, 4);
      a2 = addProducts(a2, x, ph);
      b2 = addProducts(b2, x, qh);
      x = v128.load32_splat(x3);
      a3 = addProducts(a3, x, pl);
      b3 = addProducts(b3, x, ql);
      x = v128.load32_splat(x3, 4);
      a3 = addProducts(a3, x, ph);
      b3 = addProducts(b3, x, qh);
      x0 += 8;
      x1 += 8;
      x2 += 8;
      x3 += 8;
      w += 64;
    }
    const scales = w - h + (h >> 1);
    const da = loadHalves(scales, fields, unit),
      db = loadHalves(scales + 8, fields, unit);
    closeRow(o0, s0, sums, a0, b0, da, db);
    closeRow(o1, s1, sums, a1, b1, da, db);
    closeRow(o2, s2, sums, a2, b2, da, db);
    closeRow(o3, s3, sums, a3, b3, da, db);
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    w += SCALE_BYTES;
  }
}

/** Adds a block of one row to its eight totals. */
// @ts-ignore: decorator
@inline
function closeRow(
  out: usize,
  xScales: usize,
  sums: usize,
  a: v128,
  b: v128,
  da: v128,
  db: v128,
): void {
  const xScale = v128.load32_splat(xScales),
    offset = offsetAt(xScales + sums);
  v128.store(out, addBlock(v128.load(out), i32x4.add(offset, total(a)), da, xScale));
  v128.store(out, addBlock(v128.load(out, 16), i32x4.add(offset, total(b)), db, xScale), 16);
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}
