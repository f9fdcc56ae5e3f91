/**
 * A linear layer with q4_0 weights and activations of 8 bits (`quantize.ts`).
 *
 *   out[r, n] = Σ_b (Σ_{k in block b} xq[r, k] · (wq[n, k] − 8)) · d_w[n, b] · d_x[r, b],   wq = 0 … 15
 *
 * −8 · Σ xq of the block is what `quantize8` has left in xSums. Numerics as in `matmul-q8.ts`; weights are exact, activations off by 2^−8 of the
 * largest in their block, as in llama.cpp.
 *
 * The sum over a block is formed in one of two ways, with the same result. A pair of products is at most 2 · 127 · 15 = 3,810, and a lane meets
 * eight pairs in a block: 30,480 fits in an int16. So pairs are summed as int16, two instructions for 16 products. Where the dot product over four
 * bytes is a single instruction, it takes but one.
 *
 * Rows are taken four at a time, with eight outputs; if they are not a multiple of four, the last are computed more than once. A single row takes
 * all 16 outputs of a tile.
 */
import { addBlock, dot2, dot4 } from './block';
import { HALF_FIELDS, HALF_SCALE, loadHalves } from './half';
import { held } from './held';

/** Of a block of 32 numbers of 16 rows. */
const QUANT_BYTES: usize = 16 * 16;
const SCALE_BYTES: usize = 2 * 16;
const BLOCK_BYTES: usize = QUANT_BYTES + SCALE_BYTES;
const NIBBLES: u32 = 0x0f0f0f0f;

/** xq int8 [rows][blocks][32], xScales float32 and xSums int32 [rows][blocks] */
export function matmulQ4(out: usize, outStride: u32, xq: usize, xScales: usize, xSums: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  const last = <usize>rows - 1;
  const outBytes = <usize>outStride << 2;
  const xBytes = <usize>blocks << 5;
  const scaleBytes = <usize>blocks << 2;
  const sums = xSums - xScales;
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * blocks * BLOCK_BYTES;
    const o = out + (<usize>tile << 6);
    if (rows == 1) {
      oneRow(o, xq, xScales, sums, w, blocks);
      continue;
    }
    for (let row: usize = 0; row < <usize>rows; row += 4) {
      const r1 = min(row + 1, last);
      const r2 = min(row + 2, last);
      const r3 = min(row + 3, last);
      const o0 = o + row * outBytes, o1 = o + r1 * outBytes, o2 = o + r2 * outBytes, o3 = o + r3 * outBytes;
      const x0 = xq + row * xBytes, x1 = xq + r1 * xBytes, x2 = xq + r2 * xBytes, x3 = xq + r3 * xBytes;
      const s0 = xScales + row * scaleBytes, s1 = xScales + r1 * scaleBytes, s2 = xScales + r2 * scaleBytes, s3 = xScales + r3 * scaleBytes;
      for (let h: usize = 0; h < 64; h += 32) {
        const d = w + QUANT_BYTES + (h >> 1);
        fourRows(o0 + h, o1 + h, o2 + h, o3 + h, x0, x1, x2, x3, s0, s1, s2, s3, sums, w + h, d, blocks);
      }
    }
  }
}

/** sum + products of four signed bytes, four times over, and 16 small ones: summed by fours as int32, or by twos as int16. */
// @ts-ignore: decorator
@inline
function addProducts(sum: v128, x: v128, q: v128): v128 {
  return isDefined(DOT4) ? dot4(x, q, sum) : i16x8.add(sum, dot2(x, q));
}

/** The sum of a block, given −8 · Σ xq. */
// @ts-ignore: decorator
@inline
function total(sum: v128, offset: v128): v128 {
  return i32x4.add(offset, isDefined(DOT4) ? sum : i32x4.extadd_pairwise_i16x8_s(sum));
}

// @ts-ignore: decorator
@inline
function low(q: v128, nibbles: v128): v128 {
  return v128.and(q, nibbles);
}

// @ts-ignore: decorator
@inline
function high(q: v128, nibbles: v128): v128 {
  return v128.and(i16x8.shr_u(q, 4), nibbles);
}

// @ts-ignore: decorator
@inline
function oneRow(out: usize, xq: usize, xScales: usize, sums: usize, w: usize, blocks: u32): void {
  const fields = held(HALF_FIELDS, blocks);
  const scale = held(HALF_SCALE, blocks);
  const nibbles = held(NIBBLES, blocks);
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  const endOfScales = xScales + (<usize>blocks << 2);
  while (xScales < endOfScales) {
    let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    const end = xq + 32;
    while (xq < end) {
      const x = v128.load32_splat(xq), y = v128.load32_splat(xq, 4);
      const q0 = v128.load(w), q1 = v128.load(w, 16), q2 = v128.load(w, 32), q3 = v128.load(w, 48);
      s0 = addProducts(addProducts(s0, x, low(q0, nibbles)), y, high(q0, nibbles));
      s1 = addProducts(addProducts(s1, x, low(q1, nibbles)), y, high(q1, nibbles));
      s2 = addProducts(addProducts(s2, x, low(q2, nibbles)), y, high(q2, nibbles));
      s3 = addProducts(addProducts(s3, x, low(q3, nibbles)), y, high(q3, nibbles));
      xq += 8;
      w += 64;
    }
    const xScale = v128.load32_splat(xScales), offset = v128.load32_splat(xScales + sums);
    t0 = addBlock(t0, total(s0, offset), loadHalves(w, fields, scale), xScale);
    t1 = addBlock(t1, total(s1, offset), loadHalves(w + 8, fields, scale), xScale);
    t2 = addBlock(t2, total(s2, offset), loadHalves(w + 16, fields, scale), xScale);
    t3 = addBlock(t3, total(s3, offset), loadHalves(w + 24, fields, scale), xScale);
    xScales += 4;
    w += SCALE_BYTES;
  }
  v128.store(out, t0);
  v128.store(out, t1, 16);
  v128.store(out, t2, 32);
  v128.store(out, t3, 48);
}

/** Eight outputs, whose weights are at w and whose scales are at d. The totals lie in `out`: the registers are full. */
// @ts-ignore: decorator
@inline
function fourRows(o0: usize, o1: usize, o2: usize, o3: usize, x0: usize, x1: usize, x2: usize, x3: usize, s0: usize, s1: usize, s2: usize, s3: usize, sums: usize, w: usize, d: usize, blocks: u32): void {
  // Not held: there is no register left for them.
  const fields = i32x4.splat(HALF_FIELDS);
  const scale = i32x4.splat(HALF_SCALE);
  const nibbles = held(NIBBLES, blocks);
  const zero = f32x4.splat(0);
  store(o0, zero, zero);
  store(o1, zero, zero);
  store(o2, zero, zero);
  store(o3, zero, zero);
  const endOfScales = s0 + (<usize>blocks << 2);
  while (s0 < endOfScales) {
    let a0 = i32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
    let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    const end = x0 + 32;
    while (x0 < end) {
      const p = v128.load(w), q = v128.load(w, 16);
      const pl = low(p, nibbles), ql = low(q, nibbles);
      const ph = high(p, nibbles), qh = high(q, nibbles);
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
    const da = loadHalves(d, fields, scale), db = loadHalves(d + 8, fields, scale);
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    let xScale = v128.load32_splat(s0), offset = v128.load32_splat(s0 + sums);
    a0 = addBlock(v128.load(o0), total(a0, offset), da, xScale);
    b0 = addBlock(v128.load(o0, 16), total(b0, offset), db, xScale);
    xScale = v128.load32_splat(s1);
    offset = v128.load32_splat(s1 + sums);
    a1 = addBlock(v128.load(o1), total(a1, offset), da, xScale);
    b1 = addBlock(v128.load(o1, 16), total(b1, offset), db, xScale);
    xScale = v128.load32_splat(s2);
    offset = v128.load32_splat(s2 + sums);
    a2 = addBlock(v128.load(o2), total(a2, offset), da, xScale);
    b2 = addBlock(v128.load(o2, 16), total(b2, offset), db, xScale);
    xScale = v128.load32_splat(s3);
    offset = v128.load32_splat(s3 + sums);
    a3 = addBlock(v128.load(o3), total(a3, offset), da, xScale);
    b3 = addBlock(v128.load(o3, 16), total(b3, offset), db, xScale);
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

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}
