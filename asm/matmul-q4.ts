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
 *   Q4_K   S · s' · d · d_x;   S · s' is an exact integer below 2^22
 *
 * and in Q4_K before every eight blocks Σ_b m'[n, b] · (X · d_x) over them, times d_min / 8.
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
/** Q4_K: what is before every eighth block, for 16 rows: d and d_min / 8 (float32), then s' and m' of eight blocks (bytes). */
const MINIMUM_FACTORS_AT: usize = 4 * 16;
const SCALES_AT: usize = 2 * 4 * 16;
const MINIMA_AT: usize = SCALES_AT + 8 * 16;
const HEADER_BYTES: usize = MINIMA_AT + 8 * 16;
const BLOCKS_PER_HEADER: u32 = 8;
const NIBBLES: u32 = 0x0f0f0f0f;

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
  const tileBytes = <usize>blocks * QUANT_BYTES + (k ? <usize>(blocks / BLOCKS_PER_HEADER) * HEADER_BYTES : <usize>blocks * SCALE_BYTES);
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

/** S · s' of four rows; `scales`: each s' twice. */
// @ts-ignore: decorator
@inline
function weighed(sum: v128, scales: v128): v128 {
  return isDefined(DOT4) ? i32x4.mul(sum, i32x4.shr_u(scales, 16)) : i32x4.dot_i16x8_s(sum, scales);
}

/** Each of the first four of eight 16-bit numbers twice, which is one instruction. */
// @ts-ignore: decorator
@inline
function twiceLow(x: v128): v128 {
  return i8x16.shuffle(x, x, 0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7);
}

/** … of the last four. */
// @ts-ignore: decorator
@inline
function twiceHigh(x: v128): v128 {
  return i8x16.shuffle(x, x, 8, 9, 8, 9, 10, 11, 10, 11, 12, 13, 12, 13, 14, 15, 14, 15);
}

/** total + integer · d · d_x */
// @ts-ignore: decorator
@inline
function addScaled(total: v128, integer: v128, d: v128, xScale: v128): v128 {
  return f32x4.add(total, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(integer), d), xScale));
}

/** Adds to the totals of `count` rows of a tile, 8 or 16, what the minima of eight blocks contribute. `header` and `out`: of the first of those rows. */
// @ts-ignore: decorator
@inline
function addMinima(out: usize, header: usize, minima: usize, count: usize, xScales: usize, sums: usize): void {
  for (const end = out + (count << 2); out < end; out += 32) {
    let a = f32x4.splat(0), b = a;
    for (let i: usize = 0; i < BLOCKS_PER_HEADER; i++) {
      const x = f32x4.mul(f32x4.convert_i32x4_s(offsetAt(xScales + sums + (i << 2))), v128.load32_splat(xScales + (i << 2)));
      const m = v128.load8x8_u(minima + (i << 4));
      a = f32x4.add(a, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(m)), x));
      b = f32x4.add(b, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(m)), x));
    }
    v128.store(out, f32x4.add(v128.load(out), f32x4.mul(a, v128.load(header, MINIMUM_FACTORS_AT))));
    v128.store(out, f32x4.add(v128.load(out, 16), f32x4.mul(b, v128.load(header, MINIMUM_FACTORS_AT + 16))), 16);
    header += 32;
    minima += 8;
  }
}

// @ts-ignore: decorator
@inline
function oneRow(k: bool, out: usize, xq: usize, xScales: usize, sums: usize, w: usize, blocks: u32): void {
  const fields = held(HALF_FIELDS, blocks);
  const unit = held(HALF_SCALE, blocks);
  const nibbles = held(NIBBLES, blocks);
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  store4(out, t0, t1, t2, t3);
  let header = w, scales = w;
  for (let block: u32 = 0; block < blocks; block++) {
    if (k && block % BLOCKS_PER_HEADER == 0) {
      header = w;
      scales = w + SCALES_AT;
      w += HEADER_BYTES;
      store4(out, t0, t1, t2, t3);
      addMinima(out, header, header + MINIMA_AT, 16, xScales, sums);
      t0 = v128.load(out);
      t1 = v128.load(out, 16);
      t2 = v128.load(out, 32);
      t3 = v128.load(out, 48);
    }
    let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let line: usize = 0; line < 4; line++) {
      const x = v128.load32_splat(xq), y = v128.load32_splat(xq, 4);
      const q0 = v128.load(w), q1 = v128.load(w, 16), q2 = v128.load(w, 32), q3 = v128.load(w, 48);
      s0 = addProducts(addProducts(s0, x, low(q0, nibbles)), y, high(q0, nibbles));
      s1 = addProducts(addProducts(s1, x, low(q1, nibbles)), y, high(q1, nibbles));
      s2 = addProducts(addProducts(s2, x, low(q2, nibbles)), y, high(q2, nibbles));
      s3 = addProducts(addProducts(s3, x, low(q3, nibbles)), y, high(q3, nibbles));
      xq += 8;
      w += 64;
    }
    const xScale = v128.load32_splat(xScales);
    if (k) {
      const a = v128.load8x8_u(scales), b = v128.load8x8_u(scales, 8);
      t0 = addScaled(t0, weighed(s0, twiceLow(a)), v128.load(header), xScale);
      t1 = addScaled(t1, weighed(s1, twiceHigh(a)), v128.load(header, 16), xScale);
      t2 = addScaled(t2, weighed(s2, twiceLow(b)), v128.load(header, 32), xScale);
      t3 = addScaled(t3, weighed(s3, twiceHigh(b)), v128.load(header, 48), xScale);
      scales += 16;
    } else {
      const offset = offsetAt(xScales + sums);
      t0 = addScaled(t0, i32x4.add(offset, total(s0)), loadHalves(w, fields, unit), xScale);
      t1 = addScaled(t1, i32x4.add(offset, total(s1)), loadHalves(w + 8, fields, unit), xScale);
      t2 = addScaled(t2, i32x4.add(offset, total(s2)), loadHalves(w + 16, fields, unit), xScale);
      t3 = addScaled(t3, i32x4.add(offset, total(s3)), loadHalves(w + 24, fields, unit), xScale);
      w += SCALE_BYTES;
    }
    xScales += 4;
  }
  store4(out, t0, t1, t2, t3);
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
  store(o0, zero, zero);
  store(o1, zero, zero);
  store(o2, zero, zero);
  store(o3, zero, zero);
  let header = w, scales = w;
  w += h;
  const first = s0;
  const endOfScales = s0 + (<usize>blocks << 2);
  while (s0 < endOfScales) {
    if (k && (s0 - first) % (BLOCKS_PER_HEADER << 2) == 0) {
      header = w;
      scales = header - h + SCALES_AT + (h >> 2);
      const minima = scales + (MINIMA_AT - SCALES_AT);
      w += HEADER_BYTES;
      addMinima(o0, header, minima, 8, s0, sums);
      addMinima(o1, header, minima, 8, s1, sums);
      addMinima(o2, header, minima, 8, s2, sums);
      addMinima(o3, header, minima, 8, s3, sums);
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
    if (k) {
      const scale = v128.load8x8_u(scales);
      const sa = twiceLow(scale), sb = twiceHigh(scale);
      const da = v128.load(header), db = v128.load(header, 16);
      closeRow(o0, s0, weighed(a0, sa), weighed(b0, sb), da, db);
      closeRow(o1, s1, weighed(a1, sa), weighed(b1, sb), da, db);
      closeRow(o2, s2, weighed(a2, sa), weighed(b2, sb), da, db);
      closeRow(o3, s3, weighed(a3, sa), weighed(b3, sb), da, db);
      scales += 16;
    } else {
      const halves = w - h + (h >> 1);
      const da = loadHalves(halves, fields, unit), db = loadHalves(halves + 8, fields, unit);
      let offset = offsetAt(s0 + sums);
      closeRow(o0, s0, i32x4.add(offset, total(a0)), i32x4.add(offset, total(b0)), da, db);
      offset = offsetAt(s1 + sums);
      closeRow(o1, s1, i32x4.add(offset, total(a1)), i32x4.add(offset, total(b1)), da, db);
      offset = offsetAt(s2 + sums);
      closeRow(o2, s2, i32x4.add(offset, total(a2)), i32x4.add(offset, total(b2)), da, db);
      offset = offsetAt(s3 + sums);
      closeRow(o3, s3, i32x4.add(offset, total(a3)), i32x4.add(offset, total(b3)), da, db);
      w += SCALE_BYTES;
    }
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
  }
}

/** Adds a block of one row to its eight totals. */
// @ts-ignore: decorator
@inline
function closeRow(out: usize, xScales: usize, a: v128, b: v128, da: v128, db: v128): void {
  const xScale = v128.load32_splat(xScales);
  v128.store(out, addScaled(v128.load(out), a, da, xScale));
  v128.store(out, addScaled(v128.load(out, 16), b, db, xScale), 16);
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}

// @ts-ignore: decorator
@inline
function store4(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  store(out, a, b);
  store(out + 32, c, d);
}
