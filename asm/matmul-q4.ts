/**
 * A linear layer with 4-bit weights, q4_0 or Q4_K, and activations of 8 bits (`quantize.ts`). With blocks b of 32 and q = 0 … 15,
 *
 *   q4_0   out[r, n] = Σ_b Σ_k xq[r, k] · (q[n, k] − 8) · d[n, b] · d_x[r, b]
 *   Q4_K   out[r, n] = Σ_b Σ_k xq[r, k] · (q[n, k] · s[n, b] − m[n, b]) · d_x[r, b],   s = d · s', m = d_min · m'
 *
 * where d and d_min are of 8 blocks, s' and m' = 0 … 63 of each. Weights are exact, activations off by 2^−8 of the largest in their block.
 *
 * Numerics: Σ xq · q of a block is an exact integer S; `quantize8` has left −8 · Σ xq, call it X, in xSums. Blocks are added in order:
 *
 *   q4_0   (S + X) · d · d_x
 *   Q4_K   (S · s + X · (m / 8)) · d_x;   s and m / 8 are exact: 11 bits of an f16 times 6
 *
 * S is formed in one of two ways, with the same result. A pair of products is at most 2 · 127 · 15 = 3,810, and a lane meets eight pairs in a block:
 * 30,480 fits in an int16. So pairs are summed as int16, two instructions for 16 products. Where the dot product over four bytes is a single
 * instruction, it takes but one.
 *
 * Rows are taken four at a time, with eight outputs; those that are left over one by one, with all 16 outputs of a tile, which is no slower.
 */
import { dot2, dot4 } from './block';
import { HALF_FIELDS, HALF_SCALE, loadHalves } from './half';
import { held } from './held';

/** Of a block of 32 numbers of 16 rows. */
const QUANT_BYTES: usize = 16 * 16;
const SCALE_BYTES: usize = 2 * 16;
const BLOCK_BYTES: usize = QUANT_BYTES + SCALE_BYTES;
/** Q4_K: d and d_min of 16 rows, before every eighth block. */
const HEADER_BYTES: usize = 2 * 2 * 16;
const BLOCKS_PER_HEADER: u32 = 8;
const NIBBLES: u32 = 0x0f0f0f0f;
/** What undoes the exponent bias of a stored half, and divides by 8. */
const EIGHTH: u32 = HALF_SCALE - (3 << 23);

/** xq int8 [rows][blocks][32], xScales float32 and xSums 2 × int16 [rows][blocks] */
export function matmulQ4(out: usize, outStride: u32, xq: usize, xScales: usize, xSums: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  matmul(false, out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** The same; `blocks` is a multiple of 8. */
export function matmulQ4K(out: usize, outStride: u32, xq: usize, xScales: usize, xSums: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  matmul(true, out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

// @ts-ignore: decorator
@inline
function matmul(k: bool, out: usize, outStride: u32, xq: usize, xScales: usize, xSums: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  const outBytes = <usize>outStride << 2;
  const xBytes = <usize>blocks << 5;
  const scaleBytes = <usize>blocks << 2;
  const sums = xSums - xScales;
  const tileBytes = <usize>blocks * BLOCK_BYTES + (k ? <usize>(blocks / BLOCKS_PER_HEADER) * HEADER_BYTES : 0);
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * tileBytes;
    const o = out + (<usize>tile << 6);
    let row: usize = 0;
    for (; row + 4 <= <usize>rows; row += 4) {
      const o0 = o + row * outBytes, x0 = xq + row * xBytes, s0 = xScales + row * scaleBytes;
      const o1 = o0 + outBytes, o2 = o1 + outBytes, o3 = o2 + outBytes;
      const x1 = x0 + xBytes, x2 = x1 + xBytes, x3 = x2 + xBytes;
      const s1 = s0 + scaleBytes, s2 = s1 + scaleBytes, s3 = s2 + scaleBytes;
      for (let h: usize = 0; h < 64; h += 32) fourRows(k, h, o0 + h, o1 + h, o2 + h, o3 + h, x0, x1, x2, x3, s0, s1, s2, s3, sums, w, blocks);
    }
    for (; row < <usize>rows; row++) oneRow(k, o + row * outBytes, xq + row * xBytes, xScales + row * scaleBytes, sums, w, blocks);
  }
}

/** sum + products of four signed bytes, four times over, and 16 small ones: summed by fours as int32, or by twos as int16. */
// @ts-ignore: decorator
@inline
function addProducts(sum: v128, x: v128, q: v128): v128 {
  return isDefined(DOT4) ? dot4(x, q, sum) : i16x8.add(sum, dot2(x, q));
}

/** S. */
// @ts-ignore: decorator
@inline
function total(sum: v128): v128 {
  return isDefined(DOT4) ? sum : i32x4.extadd_pairwise_i16x8_s(sum);
}

/** X of a block, in every lane. */
// @ts-ignore: decorator
@inline
function offsetAt(sums: usize): v128 {
  return i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(sums));
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

/** d or s of four rows, the first of which is row r of the tile. `scales`: those of the block. */
// @ts-ignore: decorator
@inline
function scaleAt(k: bool, header: usize, scales: usize, r: usize, fields: v128, unit: v128): v128 {
  if (!k) return loadHalves(scales + 2 * r, fields, unit);
  return f32x4.mul(loadHalves(header + 2 * r, fields, unit), sixBits(scales + r));
}

/** m / 8 of four rows; q4_0 has none. */
// @ts-ignore: decorator
@inline
function minimumAt(k: bool, header: usize, scales: usize, r: usize, fields: v128): v128 {
  if (!k) return f32x4.splat(0);
  return f32x4.mul(loadHalves(header + 32 + 2 * r, fields, i32x4.splat(EIGHTH)), sixBits(scales + 16 + r));
}

/** Four bytes as float32. */
// @ts-ignore: decorator
@inline
function sixBits(pointer: usize): v128 {
  return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(pointer))));
}

/** `to` and what a block adds to it. */
// @ts-ignore: decorator
@inline
function addBlock(k: bool, to: v128, sum: v128, offset: v128, scale: v128, minimum: v128, xScale: v128): v128 {
  if (!k) return f32x4.add(to, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(i32x4.add(offset, total(sum))), scale), xScale));
  const weighed = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(total(sum)), scale), f32x4.mul(f32x4.convert_i32x4_s(offset), minimum));
  return f32x4.add(to, f32x4.mul(weighed, xScale));
}

// @ts-ignore: decorator
@inline
function oneRow(k: bool, out: usize, xq: usize, xScales: usize, sums: usize, w: usize, blocks: u32): void {
  const fields = held(HALF_FIELDS, blocks);
  const unit = held(HALF_SCALE, blocks);
  const nibbles = held(NIBBLES, blocks);
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  let header = w;
  for (let block: u32 = 0; block < blocks; block++) {
    if (k && block % BLOCKS_PER_HEADER == 0) {
      header = w;
      w += HEADER_BYTES;
    }
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
    const xScale = v128.load32_splat(xScales), offset = offsetAt(xScales + sums);
    t0 = addBlock(k, t0, s0, offset, scaleAt(k, header, w, 0, fields, unit), minimumAt(k, header, w, 0, fields), xScale);
    t1 = addBlock(k, t1, s1, offset, scaleAt(k, header, w, 4, fields, unit), minimumAt(k, header, w, 4, fields), xScale);
    t2 = addBlock(k, t2, s2, offset, scaleAt(k, header, w, 8, fields, unit), minimumAt(k, header, w, 8, fields), xScale);
    t3 = addBlock(k, t3, s3, offset, scaleAt(k, header, w, 12, fields, unit), minimumAt(k, header, w, 12, fields), xScale);
    xScales += 4;
    w += SCALE_BYTES;
  }
  v128.store(out, t0);
  v128.store(out, t1, 16);
  v128.store(out, t2, 32);
  v128.store(out, t3, 48);
}

/** Eight outputs: those of the first half of a tile's rows (h = 0) or of the second (h = 32). The totals lie in `out`: the registers are full. */
// @ts-ignore: decorator
@inline
function fourRows(k: bool, h: usize, o0: usize, o1: usize, o2: usize, o3: usize, x0: usize, x1: usize, x2: usize, x3: usize, s0: usize, s1: usize, s2: usize, s3: usize, sums: usize, w: usize, blocks: u32): void {
  // Not held: there is no register left for them.
  const fields = i32x4.splat(HALF_FIELDS);
  const unit = i32x4.splat(HALF_SCALE);
  const nibbles = held(NIBBLES, blocks);
  const zero = f32x4.splat(0);
  const r = h >> 2;
  store(o0, zero, zero);
  store(o1, zero, zero);
  store(o2, zero, zero);
  store(o3, zero, zero);
  let header = w;
  w += h;
  const first = s0;
  const endOfScales = s0 + (<usize>blocks << 2);
  while (s0 < endOfScales) {
    if (k && (s0 - first) % (BLOCKS_PER_HEADER << 2) == 0) {
      header = w - h;
      w += HEADER_BYTES;
    }
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
    const scales = w - h;
    const da = scaleAt(k, header, scales, r, fields, unit), db = scaleAt(k, header, scales, r + 4, fields, unit);
    const ma = minimumAt(k, header, scales, r, fields), mb = minimumAt(k, header, scales, r + 4, fields);
    closeRow(k, o0, s0, sums, a0, b0, da, db, ma, mb);
    closeRow(k, o1, s1, sums, a1, b1, da, db, ma, mb);
    closeRow(k, o2, s2, sums, a2, b2, da, db, ma, mb);
    closeRow(k, o3, s3, sums, a3, b3, da, db, ma, mb);
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
function closeRow(k: bool, out: usize, xScales: usize, sums: usize, a: v128, b: v128, da: v128, db: v128, ma: v128, mb: v128): void {
  const xScale = v128.load32_splat(xScales), offset = offsetAt(xScales + sums);
  v128.store(out, addBlock(k, v128.load(out), a, offset, da, ma, xScale));
  v128.store(out, addBlock(k, v128.load(out, 16), b, offset, db, mb, xScale), 16);
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}
