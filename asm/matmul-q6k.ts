/**
 * A linear layer with Q6_K weights and activations of 8 bits (`quantize.ts`). With blocks b of 16 and q = 0 … 63,
 *
 *   out[r, n] = Σ_b Σ_k xq[r, k] · (q[n, k] − 32) · s[n, b] · d[n] · d_x[r],   s = −128 … 127; d of 16 blocks, d_x of two
 *
 * Numerics: two blocks, which share d and d_x, give an exact integer: at most 32 · 127 · 32 · 128 < 2^24, so it is exact as a float32 too. Then it is
 * multiplied by d, then by d_x, and added to the total, each step rounded. `quantize8` has left −8 · Σ xq of each 16 in xSums.
 *
 * A pair of products is at most 2 · 127 · 63 = 16,002, and two pairs fit in an int16.
 */
import { dot2, dot4 } from './block';
import { held } from './held';

/** What is before every 256 numbers of 16 rows: d (float32), then 16 scales of each row. */
const SCALES_AT: usize = 4 * 16;
const HEADER_BYTES: usize = SCALES_AT + 16 * 16;
/** Of 16 numbers of 16 rows: three lines, with the fourth quarter in the upper bits of the others. */
const BLOCK_BYTES: usize = 3 * 64;

/** xq int8 [rows][blocks][32], xScales float32 and xSums 2 × int16 [rows][blocks]; `blocks` of 32 are a multiple of 8. */
export function matmulQ6K(out: usize, outStride: u32, xq: usize, xScales: usize, xSums: usize, rows: u32, weights: usize, blocks: u32, firstTile: u32, endTile: u32): void {
  const outBytes = <usize>outStride << 2;
  const xBytes = <usize>blocks << 5;
  const scaleBytes = <usize>blocks << 2;
  const sums = xSums - xScales;
  const tileBytes = <usize>blocks * 2 * BLOCK_BYTES + <usize>(blocks >> 3) * HEADER_BYTES;
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * tileBytes;
    const o = out + (<usize>tile << 6);
    let row: usize = 0;
    for (; row + 4 <= <usize>rows; row += 4) severalRows(4, o + row * outBytes, outBytes, xq + row * xBytes, xBytes, xScales + row * scaleBytes, scaleBytes, sums, w, blocks);
    for (; row < <usize>rows; row++) severalRows(1, o + row * outBytes, outBytes, xq + row * xBytes, xBytes, xScales + row * scaleBytes, scaleBytes, sums, w, blocks);
  }
}

/** All 16 outputs of one row or of four, four outputs at a time. The totals lie in `out`. */
// @ts-ignore: decorator
@inline
function severalRows(count: i32, out: usize, outBytes: usize, xq: usize, xBytes: usize, xScales: usize, scaleBytes: usize, sums: usize, w: usize, blocks: u32): void {
  const six = held(0x3f3f3f3f, blocks);
  const out1 = out + outBytes, out2 = out1 + outBytes, out3 = out2 + outBytes;
  const xScales1 = xScales + scaleBytes, xScales2 = xScales1 + scaleBytes, xScales3 = xScales2 + scaleBytes;
  for (let i: usize = 0; i < <usize>count; i++) memory.fill(out + i * outBytes, 0, 64);
  let header = w, scales = w;
  for (let block: usize = 0; block < <usize>blocks; block++) {
    if ((block & 7) == 0) {
      header = w;
      scales = w + SCALES_AT;
      w += HEADER_BYTES;
    }
    const scaleOffset = block << 2;
    for (let g: usize = 0; g < 64; g += 16) {
      const s0 = signed(scales + (g >> 2)), s1 = signed(scales + (g >> 2) + 16);
      const both = i8x16.shuffle(s0, s1, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
      const sum = xScales + scaleOffset + sums;
      let t0 = offset(sum, both), t1 = t0, t2 = t0, t3 = t0;
      if (count == 4) {
        t1 = offset(sum + scaleBytes, both);
        t2 = offset(sum + 2 * scaleBytes, both);
        t3 = offset(sum + 3 * scaleBytes, both);
      }
      let scale = twice(s0);
      let x = xq + (block << 5);
      let p = w + g;
      for (const end = p + 2 * BLOCK_BYTES; p < end; p += BLOCK_BYTES) {
        const q0 = v128.load(p), q1 = v128.load(p, 64), q2 = v128.load(p, 128);
        const u0 = v128.and(q0, six), u1 = v128.and(q1, six), u2 = v128.and(q2, six);
        const u3 = fourth(q0, q1, q2, six);
        t0 = addBlock(t0, u0, u1, u2, u3, x, scale);
        if (count == 4) {
          t1 = addBlock(t1, u0, u1, u2, u3, x + xBytes, scale);
          t2 = addBlock(t2, u0, u1, u2, u3, x + 2 * xBytes, scale);
          t3 = addBlock(t3, u0, u1, u2, u3, x + 3 * xBytes, scale);
        }
        scale = twice(s1);
        x += 16;
      }
      const d = v128.load(header + g);
      addTo(out + g, t0, d, xScales + scaleOffset);
      if (count == 4) {
        addTo(out1 + g, t1, d, xScales1 + scaleOffset);
        addTo(out2 + g, t2, d, xScales2 + scaleOffset);
        addTo(out3 + g, t3, d, xScales3 + scaleOffset);
      }
    }
    scales += 32;
    w += 2 * BLOCK_BYTES;
  }
}

/** Six bits from the two upper bits of three bytes. */
// @ts-ignore: decorator
@inline
function fourth(q0: v128, q1: v128, q2: v128, six: v128): v128 {
  const upper0 = i16x8.shr_u(v128.andnot(q0, six), 6), upper1 = i16x8.shr_u(v128.andnot(q1, six), 4), upper2 = i16x8.shr_u(v128.andnot(q2, six), 2);
  return v128.or(v128.or(upper0, upper1), upper2);
}

/** Four signed bytes as int16, in the lower half. */
// @ts-ignore: decorator
@inline
function signed(pointer: usize): v128 {
  return i16x8.extend_low_i8x16_s(v128.load32_zero(pointer));
}

/** Each of the first four int16 twice. */
// @ts-ignore: decorator
@inline
function twice(s: v128): v128 {
  return i8x16.shuffle(s, s, 0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7);
}

/** −32 · (s_0 · Σ xq + s_1 · Σ xq) of two blocks. `sum`: −8 · Σ xq of each; `both`: s_0 and s_1 of four rows. */
// @ts-ignore: decorator
@inline
function offset(sum: usize, both: v128): v128 {
  return i32x4.shl(i32x4.dot_i16x8_s(v128.load32_splat(sum), both), 2);
}

/** total + s · Σ xq · q over 16 numbers, of four rows of weights and one of activations. */
// @ts-ignore: decorator
@inline
function addBlock(total: v128, u0: v128, u1: v128, u2: v128, u3: v128, x: usize, scale: v128): v128 {
  const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4), x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
  if (isDefined(DOT4)) {
    const products = dot4(x3, u3, dot4(x2, u2, dot4(x1, u1, dot4(x0, u0, i32x4.splat(0)))));
    return i32x4.add(total, i32x4.mul(products, i32x4.shr_s(scale, 16)));
  }
  const first = i32x4.dot_i16x8_s(i16x8.add(dot2(x0, u0), dot2(x1, u1)), scale);
  const second = i32x4.dot_i16x8_s(i16x8.add(dot2(x2, u2), dot2(x3, u3)), scale);
  return i32x4.add(total, i32x4.add(first, second));
}

// @ts-ignore: decorator
@inline
function addTo(total: usize, sum: v128, d: v128, xScale: usize): void {
  const term = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sum), d), v128.load32_splat(xScale));
  v128.store(total, f32x4.add(v128.load(total), term));
}
