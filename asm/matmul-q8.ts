/**
 * A linear layer with q8_0 weights and activations of 14 bits (`quantize.ts`).
 *
 *   out[r, n] = Σ_b (Σ_{k in block b} xq[r, k] · wq[n, k]) · d_w[n, b] · d_x[r, b]
 *
 * Numerics: the sum over a block is an exact integer (at most 2^25), rounded to float32, then times d_w, times d_x, each rounded; blocks are
 * added in order. The same in every variant. Weights are exact, activations off by 2^−14 of the largest in their block: less than q8_0 itself.
 *
 * Two forms of activations. As int16 they need only baseline SIMD, and a single row then waits for the memory, not for the processor.
 * As two 7-bit halves of u = q + 8192 they go through `dot4`, faster where many rows share a weight: with u = 128·h + l,
 *
 *   Σ q·w = 128 · Σ h·w + Σ l·w − 8192 · Σ w
 *
 * Rows are taken four at a time; if they are not a multiple of four, the last are computed more than once.
 */
import { addBlock, dot4, sumPairs } from './block';
import { HALF_FIELDS, HALF_SCALE, loadHalves } from './half';
import { held } from './held';

/** xq int16 [rows][blocks][32], xScales float32 [rows][blocks] */
export function matmulQ8(out: usize, outStride: u32, xq: usize, xScales: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  matmul(false, out, outStride, xq, xScales, rows, weights, blocks, firstTile, endTile);
}

/** xq bytes [rows][blocks][32 upper halves, 32 lower halves], xScales float32 [rows][blocks] */
export function matmulQ8Halves(out: usize, outStride: u32, xq: usize, xScales: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  matmul(true, out, outStride, xq, xScales, rows, weights, blocks, firstTile, endTile);
}

// @ts-ignore: decorator
@inline
function matmul(halves: bool, out: usize, outStride: u32, xq: usize, xScales: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  const last = <usize>rows - 1;
  const outBytes = <usize>outStride << 2;
  const xBytes = <usize>blocks << 6;
  const scaleBytes = <usize>blocks << 2;
  const group = (<usize>blocks * 136 + 15) & ~15;
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * 4 * group;
    const o = out + (<usize>tile << 6);
    if (!halves && rows == 1) {
      oneRow(o, xq, xScales, w, group, blocks);
      continue;
    }
    for (let g: usize = 0; g < 4; g++) {
      for (let row: usize = 0; row < <usize>rows; row += 4) {
        const r1 = min(row + 1, last);
        const r2 = min(row + 2, last);
        const r3 = min(row + 3, last);
        const po = o + (g << 4), pw = w + g * group;
        const o0 = po + row * outBytes, o1 = po + r1 * outBytes, o2 = po + r2 * outBytes, o3 = po + r3 * outBytes;
        const x0 = xq + row * xBytes, x1 = xq + r1 * xBytes, x2 = xq + r2 * xBytes, x3 = xq + r3 * xBytes;
        const s0 = xScales + row * scaleBytes, s1 = xScales + r1 * scaleBytes, s2 = xScales + r2 * scaleBytes, s3 = xScales + r3 * scaleBytes;
        if (halves) fourRowsHalves(o0, o1, o2, o3, x0, x1, x2, x3, s0, s1, s2, s3, pw, blocks);
        else fourRows(o0, o1, o2, o3, x0, x1, x2, x3, s0, s1, s2, s3, pw, blocks);
      }
    }
  }
}

/** Four groups. */
// @ts-ignore: decorator
@inline
function oneRow(out: usize, xq: usize, xScales: usize, weights: usize, group: usize, blocks: u32): void {
  const fields = held(HALF_FIELDS, blocks);
  const scale = held(HALF_SCALE, blocks);
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  let w = weights;
  let d = weights + (<usize>blocks << 7);
  const endOfScales = xScales + (<usize>blocks << 2);
  while (xScales < endOfScales) {
    let l0 = i32x4.splat(0), l1 = l0, l2 = l0, l3 = l0;
    let h0 = l0, h1 = l0, h2 = l0, h3 = l0;
    const end = xq + 64;
    while (xq < end) {
      const x = v128.load64_splat(xq);
      l0 = i32x4.add(l0, i32x4.dot_i16x8_s(v128.load8x8_s(w), x));
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(v128.load8x8_s(w, 8), x));
      l1 = i32x4.add(l1, i32x4.dot_i16x8_s(v128.load8x8_s(w + group), x));
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(v128.load8x8_s(w + group, 8), x));
      l2 = i32x4.add(l2, i32x4.dot_i16x8_s(v128.load8x8_s(w + 2 * group), x));
      h2 = i32x4.add(h2, i32x4.dot_i16x8_s(v128.load8x8_s(w + 2 * group, 8), x));
      l3 = i32x4.add(l3, i32x4.dot_i16x8_s(v128.load8x8_s(w + 3 * group), x));
      h3 = i32x4.add(h3, i32x4.dot_i16x8_s(v128.load8x8_s(w + 3 * group, 8), x));
      xq += 8;
      w += 16;
    }
    const xScale = v128.load32_splat(xScales);
    t0 = addBlock(t0, sumPairs(l0, h0), loadHalves(d, fields, scale), xScale);
    t1 = addBlock(t1, sumPairs(l1, h1), loadHalves(d + group, fields, scale), xScale);
    t2 = addBlock(t2, sumPairs(l2, h2), loadHalves(d + 2 * group, fields, scale), xScale);
    t3 = addBlock(t3, sumPairs(l3, h3), loadHalves(d + 3 * group, fields, scale), xScale);
    xScales += 4;
    d += 8;
  }
  v128.store(out, t0);
  v128.store(out, t1, 16);
  v128.store(out, t2, 32);
  v128.store(out, t3, 48);
}

/** One group. The totals lie in `out`: the registers are full. */
// @ts-ignore: decorator
@inline
function fourRows(o0: usize, o1: usize, o2: usize, o3: usize, x0: usize, x1: usize, x2: usize, x3: usize, s0: usize, s1: usize, s2: usize, s3: usize, weights: usize, blocks: u32): void {
  const fields = held(HALF_FIELDS, blocks);
  const scale = held(HALF_SCALE, blocks);
  store(o0, o1, o2, o3, f32x4.splat(0), f32x4.splat(0), f32x4.splat(0), f32x4.splat(0));
  let w = weights;
  let d = weights + (<usize>blocks << 7);
  const endOfScales = s0 + (<usize>blocks << 2);
  while (s0 < endOfScales) {
    let l0 = i32x4.splat(0), l1 = l0, l2 = l0, l3 = l0;
    let h0 = l0, h1 = l0, h2 = l0, h3 = l0;
    const end = x0 + 64;
    while (x0 < end) {
      const low = v128.load8x8_s(w), high = v128.load8x8_s(w, 8);
      let x = v128.load64_splat(x0);
      l0 = i32x4.add(l0, i32x4.dot_i16x8_s(low, x));
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(high, x));
      x = v128.load64_splat(x1);
      l1 = i32x4.add(l1, i32x4.dot_i16x8_s(low, x));
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(high, x));
      x = v128.load64_splat(x2);
      l2 = i32x4.add(l2, i32x4.dot_i16x8_s(low, x));
      h2 = i32x4.add(h2, i32x4.dot_i16x8_s(high, x));
      x = v128.load64_splat(x3);
      l3 = i32x4.add(l3, i32x4.dot_i16x8_s(low, x));
      h3 = i32x4.add(h3, i32x4.dot_i16x8_s(high, x));
      x0 += 8;
      x1 += 8;
      x2 += 8;
      x3 += 8;
      w += 16;
    }
    const weightScales = loadHalves(d, fields, scale);
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    l0 = addBlock(v128.load(o0), sumPairs(l0, h0), weightScales, v128.load32_splat(s0));
    l1 = addBlock(v128.load(o1), sumPairs(l1, h1), weightScales, v128.load32_splat(s1));
    l2 = addBlock(v128.load(o2), sumPairs(l2, h2), weightScales, v128.load32_splat(s2));
    l3 = addBlock(v128.load(o3), sumPairs(l3, h3), weightScales, v128.load32_splat(s3));
    store(o0, o1, o2, o3, l0, l1, l2, l3);
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    d += 8;
  }
}

/** One group. The totals lie in `out`: the registers are full. */
// @ts-ignore: decorator
@inline
function fourRowsHalves(o0: usize, o1: usize, o2: usize, o3: usize, x0: usize, x1: usize, x2: usize, x3: usize, s0: usize, s1: usize, s2: usize, s3: usize, weights: usize, blocks: u32): void {
  const fields = held(HALF_FIELDS, blocks);
  const scale = held(HALF_SCALE, blocks);
  const ones = held(0x01010101, blocks);
  store(o0, o1, o2, o3, f32x4.splat(0), f32x4.splat(0), f32x4.splat(0), f32x4.splat(0));
  let w = weights;
  let d = weights + (<usize>blocks << 7);
  const endOfScales = s0 + (<usize>blocks << 2);
  while (s0 < endOfScales) {
    let sum = i32x4.splat(0);
    let l0 = sum, l1 = sum, l2 = sum, l3 = sum;
    let h0 = sum, h1 = sum, h2 = sum, h3 = sum;
    const end = x0 + 32;
    while (x0 < end) {
      const q = v128.load(w);
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
      w += 16;
    }
    const offset = i32x4.shl(sum, 13);
    const weightScales = loadHalves(d, fields, scale);
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    l0 = addBlock(v128.load(o0), joined(h0, l0, offset), weightScales, v128.load32_splat(s0));
    l1 = addBlock(v128.load(o1), joined(h1, l1, offset), weightScales, v128.load32_splat(s1));
    l2 = addBlock(v128.load(o2), joined(h2, l2, offset), weightScales, v128.load32_splat(s2));
    l3 = addBlock(v128.load(o3), joined(h3, l3, offset), weightScales, v128.load32_splat(s3));
    store(o0, o1, o2, o3, l0, l1, l2, l3);
    x0 += 32;
    x1 += 32;
    x2 += 32;
    x3 += 32;
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    d += 8;
  }
}

// @ts-ignore: decorator
@inline
function store(o0: usize, o1: usize, o2: usize, o3: usize, t0: v128, t1: v128, t2: v128, t3: v128): void {
  v128.store(o0, t0);
  v128.store(o1, t1);
  v128.store(o2, t2);
  v128.store(o3, t3);
}

// @ts-ignore: decorator
@inline
function joined(high: v128, low: v128, offset: v128): v128 {
  return i32x4.sub(i32x4.add(i32x4.shl(high, 7), low), offset);
}
