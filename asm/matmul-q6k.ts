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
import { HALF_FIELDS, HALF_SCALE, loadHalves } from './half';
import { held } from './held';

/** Of 16 numbers of 16 rows: two lines of lower bits, a line of upper bits, then a scale for each row. */
const LOW_BYTES: usize = 2 * 64;
const SCALES_AT: usize = LOW_BYTES + 64;
const BLOCK_BYTES: usize = SCALES_AT + 16;
/** d of 16 rows, before every 256 numbers. */
const HEADER_BYTES: usize = 2 * 16;

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
  const fields = i32x4.splat(HALF_FIELDS);
  const unit = i32x4.splat(HALF_SCALE);
  const lower = held(0x0f0f0f0f, blocks);
  const upper = held(0x30303030, blocks);
  const out1 = out + outBytes, out2 = out1 + outBytes, out3 = out2 + outBytes;
  const xScales1 = xScales + scaleBytes, xScales2 = xScales1 + scaleBytes, xScales3 = xScales2 + scaleBytes;
  for (let i: usize = 0; i < <usize>count; i++) memory.fill(out + i * outBytes, 0, 64);
  let header = w;
  for (let block: usize = 0; block < <usize>blocks; block++) {
    if ((block & 7) == 0) {
      header = w;
      w += HEADER_BYTES;
    }
    const scaleOffset = block << 2;
    for (let g: usize = 0; g < 64; g += 16) {
      let t0 = i32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
      let x = xq + (block << 5);
      let sum = xScales + scaleOffset + sums;
      let scales = w + SCALES_AT + (g >> 2);
      let p = w + g;
      for (const end = p + 2 * BLOCK_BYTES; p < end; p += BLOCK_BYTES) {
        const q0 = v128.load(p), q1 = v128.load(p, 64), h = v128.load(p, 128);
        const u0 = v128.or(v128.and(q0, lower), v128.and(i16x8.shl(h, 4), upper));
        const u1 = v128.or(v128.and(i16x8.shr_u(q0, 4), lower), v128.and(i16x8.shl(h, 2), upper));
        const u2 = v128.or(v128.and(q1, lower), v128.and(h, upper));
        const u3 = v128.or(v128.and(i16x8.shr_u(q1, 4), lower), v128.and(i16x8.shr_u(h, 2), upper));
        const scale = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(scales)));
        t0 = i32x4.add(t0, i32x4.mul(sumOfBlock(u0, u1, u2, u3, x, sum), scale));
        if (count == 4) {
          t1 = i32x4.add(t1, i32x4.mul(sumOfBlock(u0, u1, u2, u3, x + xBytes, sum + scaleBytes), scale));
          t2 = i32x4.add(t2, i32x4.mul(sumOfBlock(u0, u1, u2, u3, x + 2 * xBytes, sum + 2 * scaleBytes), scale));
          t3 = i32x4.add(t3, i32x4.mul(sumOfBlock(u0, u1, u2, u3, x + 3 * xBytes, sum + 3 * scaleBytes), scale));
        }
        x += 16;
        sum += 2;
        scales += BLOCK_BYTES;
      }
      const d = loadHalves(header + (g >> 1), fields, unit);
      addTo(out + g, t0, d, xScales + scaleOffset);
      if (count == 4) {
        addTo(out1 + g, t1, d, xScales1 + scaleOffset);
        addTo(out2 + g, t2, d, xScales2 + scaleOffset);
        addTo(out3 + g, t3, d, xScales3 + scaleOffset);
      }
    }
    w += 2 * BLOCK_BYTES;
  }
}

/** Σ xq · (q − 32) over 16 numbers, of four rows of weights and one of activations. */
// @ts-ignore: decorator
@inline
function sumOfBlock(u0: v128, u1: v128, u2: v128, u3: v128, x: usize, sum: usize): v128 {
  const offset = i32x4.shl(i32x4.extend_low_i16x8_s(v128.load16_splat(sum)), 2);
  const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4), x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
  if (isDefined(DOT4)) return dot4(x3, u3, dot4(x2, u2, dot4(x1, u1, dot4(x0, u0, offset))));
  const first = i32x4.extadd_pairwise_i16x8_s(i16x8.add(dot2(x0, u0), dot2(x1, u1)));
  const second = i32x4.extadd_pairwise_i16x8_s(i16x8.add(dot2(x2, u2), dot2(x3, u3)));
  return i32x4.add(i32x4.add(first, second), offset);
}

// @ts-ignore: decorator
@inline
function addTo(total: usize, sum: v128, d: v128, xScale: usize): void {
  const term = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sum), d), v128.load32_splat(xScale));
  v128.store(total, f32x4.add(v128.load(total), term));
}
