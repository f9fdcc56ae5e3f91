/**
 * A linear layer with q4_0 weights and activations of 8 bits (`quantize.ts`).
 *
 *   out[r, n] = Σ_b (Σ_{k in block b} xq[r, k] · (wq[n, k] − 8)) · d_w[n, b] · d_x[r, b],   wq = 0 … 15
 *
 * The sum over a block begins at −8 · Σ xq, which `quantize8` has left in xSums. Numerics as in `matmul-q8.ts`; weights are exact, activations off
 * by 2^−8 of the largest in their block, as in llama.cpp.
 *
 * Rows are taken four at a time with two groups of outputs; if they are not a multiple of four, the last are computed more than once. A single row
 * takes the four groups of a tile.
 */
import { addBlock, dot4, evenBytes, oddBytes } from './block';
import { HALF_FIELDS, HALF_SCALE, loadHalves } from './half';
import { held } from './held';

/** xq int8 [rows][blocks][32], xScales float32 and xSums int32 [rows][blocks] */
export function matmulQ4(out: usize, outStride: u32, xq: usize, xScales: usize, xSums: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  const last = <usize>rows - 1;
  const outBytes = <usize>outStride << 2;
  const xBytes = <usize>blocks << 5;
  const scaleBytes = <usize>blocks << 2;
  const sums = xSums - xScales;
  const group = (<usize>blocks * 72 + 15) & ~15;
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * 4 * group;
    const o = out + (<usize>tile << 6);
    if (rows == 1) {
      oneRow(o, xq, xScales, sums, w, group, blocks);
      continue;
    }
    for (let half: usize = 0; half < 2; half++) {
      for (let row: usize = 0; row < <usize>rows; row += 4) {
        const r1 = min(row + 1, last);
        const r2 = min(row + 2, last);
        const r3 = min(row + 3, last);
        const po = o + (half << 5);
        const o0 = po + row * outBytes, o1 = po + r1 * outBytes, o2 = po + r2 * outBytes, o3 = po + r3 * outBytes;
        const x0 = xq + row * xBytes, x1 = xq + r1 * xBytes, x2 = xq + r2 * xBytes, x3 = xq + r3 * xBytes;
        const s0 = xScales + row * scaleBytes, s1 = xScales + r1 * scaleBytes, s2 = xScales + r2 * scaleBytes, s3 = xScales + r3 * scaleBytes;
        fourRows(o0, o1, o2, o3, x0, x1, x2, x3, s0, s1, s2, s3, sums, w + half * 2 * group, group, blocks);
      }
    }
  }
}

/** Which bits `dot8` takes at a time. */
// @ts-ignore: decorator
@inline
function heldNibbles(always: u32): v128 {
  return held(ASC_FEATURE_RELAXED_SIMD ? 0x0f0f0f0f : 0x000f000f, always);
}

/**
 * c + Σ_{j < 4} (x[j] · low nibble of q[4r + j] + y[j] · its high nibble) in each lane r; x and y are four signed bytes, four times over.
 * The baseline build takes even and odd bytes by themselves, as int16.
 */
// @ts-ignore: decorator
@inline
function dot8(x: v128, y: v128, q: v128, nibbles: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    return dot4(y, v128.and(i16x8.shr_u(q, 4), nibbles), dot4(x, v128.and(q, nibbles), c));
  }
  const evenLow = i32x4.dot_i16x8_s(v128.and(q, nibbles), evenBytes(x));
  const evenHigh = i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(q, 4), nibbles), evenBytes(y));
  const oddLow = i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(q, 8), nibbles), oddBytes(x));
  const oddHigh = i32x4.dot_i16x8_s(i16x8.shr_u(q, 12), oddBytes(y));
  return i32x4.add(c, i32x4.add(i32x4.add(evenLow, evenHigh), i32x4.add(oddLow, oddHigh)));
}

// @ts-ignore: decorator
@inline
function oneRow(out: usize, xq: usize, xScales: usize, sums: usize, weights: usize, group: usize, blocks: u32): void {
  const fields = held(HALF_FIELDS, blocks);
  const scale = held(HALF_SCALE, blocks);
  const nibbles = heldNibbles(blocks);
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  let w = weights;
  let d = weights + (<usize>blocks << 6);
  const endOfScales = xScales + (<usize>blocks << 2);
  while (xScales < endOfScales) {
    let s0 = v128.load32_splat(xScales + sums), s1 = s0, s2 = s0, s3 = s0;
    const end = xq + 32;
    while (xq < end) {
      const x = v128.load32_splat(xq), y = v128.load32_splat(xq, 4);
      s0 = dot8(x, y, v128.load(w), nibbles, s0);
      s1 = dot8(x, y, v128.load(w + group), nibbles, s1);
      s2 = dot8(x, y, v128.load(w + 2 * group), nibbles, s2);
      s3 = dot8(x, y, v128.load(w + 3 * group), nibbles, s3);
      xq += 8;
      w += 16;
    }
    const xScale = v128.load32_splat(xScales);
    t0 = addBlock(t0, s0, loadHalves(d, fields, scale), xScale);
    t1 = addBlock(t1, s1, loadHalves(d + group, fields, scale), xScale);
    t2 = addBlock(t2, s2, loadHalves(d + 2 * group, fields, scale), xScale);
    t3 = addBlock(t3, s3, loadHalves(d + 3 * group, fields, scale), xScale);
    xScales += 4;
    d += 8;
  }
  v128.store(out, t0);
  v128.store(out, t1, 16);
  v128.store(out, t2, 32);
  v128.store(out, t3, 48);
}

/** Two groups. The totals lie in `out`: the registers are full. */
// @ts-ignore: decorator
@inline
function fourRows(o0: usize, o1: usize, o2: usize, o3: usize, x0: usize, x1: usize, x2: usize, x3: usize, s0: usize, s1: usize, s2: usize, s3: usize, sums: usize, weights: usize, group: usize, blocks: u32): void {
  // Not held: there is no register left for them.
  const fields = i32x4.splat(HALF_FIELDS);
  const scale = i32x4.splat(HALF_SCALE);
  const nibbles = heldNibbles(blocks);
  const zero = f32x4.splat(0);
  store(o0, zero, zero);
  store(o1, zero, zero);
  store(o2, zero, zero);
  store(o3, zero, zero);
  let w = weights;
  let d = weights + (<usize>blocks << 6);
  const endOfScales = s0 + (<usize>blocks << 2);
  while (s0 < endOfScales) {
    let a0 = v128.load32_splat(s0 + sums), b0 = a0;
    let a1 = v128.load32_splat(s1 + sums), b1 = a1;
    let a2 = v128.load32_splat(s2 + sums), b2 = a2;
    let a3 = v128.load32_splat(s3 + sums), b3 = a3;
    const end = x0 + 32;
    while (x0 < end) {
      const p = v128.load(w), q = v128.load(w + group);
      let x = v128.load32_splat(x0), y = v128.load32_splat(x0, 4);
      a0 = dot8(x, y, p, nibbles, a0);
      b0 = dot8(x, y, q, nibbles, b0);
      x = v128.load32_splat(x1);
      y = v128.load32_splat(x1, 4);
      a1 = dot8(x, y, p, nibbles, a1);
      b1 = dot8(x, y, q, nibbles, b1);
      x = v128.load32_splat(x2);
      y = v128.load32_splat(x2, 4);
      a2 = dot8(x, y, p, nibbles, a2);
      b2 = dot8(x, y, q, nibbles, b2);
      x = v128.load32_splat(x3);
      y = v128.load32_splat(x3, 4);
      a3 = dot8(x, y, p, nibbles, a3);
      b3 = dot8(x, y, q, nibbles, b3);
      x0 += 8;
      x1 += 8;
      x2 += 8;
      x3 += 8;
      w += 16;
    }
    const da = loadHalves(d, fields, scale), db = loadHalves(d + group, fields, scale);
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
    d += 8;
  }
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}
