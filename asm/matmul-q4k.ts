/**
 * A linear layer with Q4_K weights and activations of 8 bits (`quantize8K`). With superblocks B of
 * 256, blocks b of 32 in them, and q = 0 … 15,
 *
 *   out[r, n] = Σ_B d_x[r, B] · (d[n, B] · Σ_b s[n, b] · Σ_k xq[r, k] · q[n, k] − d_min[n, B] · Σ_b
 *   m[n, b] · Σ_k xq[r, k]), s, m = 0 … 63
 *
 * Numerics: both sums over b are exact integers, below 2^25. They become float32, are multiplied by
 * d and d_min, subtracted, multiplied by d_x and added to the total, each step rounded; superblocks
 * in order.
 *
 * Rows are taken four at a time, with four outputs; those that are left over one by one, with all
 * 16 outputs of a tile, which is no slower.
 */
import { addLine, addProducts, high, low, NIBBLES, weighedTotal } from './four-bits';
import { hold } from './hold';
import { twiceHigh, twiceLow } from './lanes';
import { SUMS_BYTES } from './quantize';

/**
 * A superblock of 16 rows: d and d_min (float32), s of each block (bytes), m of two blocks side by
 * side (bytes), then the quants of each block.
 */
const MINIMUM_UNITS_AT: usize = 4 * 16;
const SCALES_AT: usize = 2 * 4 * 16;
const MINIMA_AT: usize = SCALES_AT + 8 * 16;
const QUANTS_AT: usize = MINIMA_AT + 8 * 16;
const BLOCK_BYTES: usize = 16 * 16;
export const SUPERBLOCK_BYTES: usize = QUANTS_AT + 8 * BLOCK_BYTES;

/** −Σ xq of the eight blocks, as int16. */
// @ts-ignore: decorator
@inline
function blockSums(xSums: usize): v128 {
  const first = i32x4.extadd_pairwise_i16x8_s(v128.load(xSums)),
    second = i32x4.extadd_pairwise_i16x8_s(v128.load(xSums, 16));
  return i16x8.narrow_i32x4_s(i32x4.shr_s(first, 4), i32x4.shr_s(second, 4));
}

/** −Σ_b m · Σ xq of four rows; `x`: what `blockSums` gives. */
// @ts-ignore: decorator
@inline
function minimumSum(minima: usize, x: v128): v128 {
  const a = i32x4.dot_i16x8_s(v128.load8x8_u(minima), i32x4.shuffle(x, x, 0, 0, 0, 0));
  const b = i32x4.dot_i16x8_s(v128.load8x8_u(minima, 32), i32x4.shuffle(x, x, 1, 1, 1, 1));
  const c = i32x4.dot_i16x8_s(v128.load8x8_u(minima, 64), i32x4.shuffle(x, x, 2, 2, 2, 2));
  const d = i32x4.dot_i16x8_s(v128.load8x8_u(minima, 96), i32x4.shuffle(x, x, 3, 3, 3, 3));
  return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
}

/**
 * Adds a superblock to the totals of four rows. `group`: 16 times the number of the first, divided
 * by 4.
 */
// @ts-ignore: decorator
@inline
function addSuperblock(out: usize, w: usize, group: usize, sum: v128, x: v128, xScale: v128): void {
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(w + group));
  const minimum = f32x4.mul(
    f32x4.convert_i32x4_s(minimumSum(w + MINIMA_AT + (group >> 1), x)),
    v128.load(w + group, MINIMUM_UNITS_AT),
  );
  v128.store(
    out + group,
    f32x4.add(v128.load(out + group), f32x4.mul(f32x4.add(scaled, minimum), xScale)),
  );
}

// @ts-ignore: decorator
@inline
export function oneRow(
  out: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  w: usize,
  superblocks: usize,
): void {
  const nibbles = hold(NIBBLES, superblocks);
  memory.fill(out, 0, 64);
  for (const end = w + superblocks * SUPERBLOCK_BYTES; w < end; w += SUPERBLOCK_BYTES) {
    let t0 = i32x4.splat(0),
      t1 = t0,
      t2 = t0,
      t3 = t0;
    let scales = w + SCALES_AT;
    let p = w + QUANTS_AT;
    while (scales < w + MINIMA_AT) {
      let s0 = i32x4.splat(0),
        s1 = s0,
        s2 = s0,
        s3 = s0;
      const endOfBlock = xq + 32;
      while (xq < endOfBlock) {
        const x = v128.load32_splat(xq),
          y = v128.load32_splat(xq, 4);
        const q0 = v128.load(p),
          q1 = v128.load(p, 16),
          q2 = v128.load(p, 32),
          q3 = v128.load(p, 48);
        s0 = addLine(s0, q0, x, y, nibbles);
        s1 = addLine(s1, q1, x, y, nibbles);
        s2 = addLine(s2, q2, x, y, nibbles);
        s3 = addLine(s3, q3, x, y, nibbles);
        xq += 8;
        p += 64;
      }
      const a = v128.load8x8_u(scales),
        b = v128.load8x8_u(scales, 8);
      t0 = i32x4.add(t0, weighedTotal(s0, twiceLow(a)));
      t1 = i32x4.add(t1, weighedTotal(s1, twiceHigh(a)));
      t2 = i32x4.add(t2, weighedTotal(s2, twiceLow(b)));
      t3 = i32x4.add(t3, weighedTotal(s3, twiceHigh(b)));
      scales += 16;
    }
    const x = blockSums(xSums),
      xScale = v128.load32_splat(xScales);
    addSuperblock(out, w, 0, t0, x, xScale);
    addSuperblock(out, w, 16, t1, x, xScale);
    addSuperblock(out, w, 32, t2, x, xScale);
    addSuperblock(out, w, 48, t3, x, xScale);
    xScales += 4;
    xSums += SUMS_BYTES;
  }
}

/** All 16 outputs, four at a time. */
// @ts-ignore: decorator
@inline
export function fourRows(
  out: usize,
  outBytes: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  w: usize,
  superblocks: usize,
): void {
  const nibbles = hold(NIBBLES, superblocks);
  const out1 = out + outBytes,
    out2 = out1 + outBytes,
    out3 = out2 + outBytes;
  const xBytes = superblocks << 8,
    scaleBytes = superblocks << 2,
    sumBytes = superblocks * SUMS_BYTES;
  for (let i: usize = 0; i < 4; i++) memory.fill(out + i * outBytes, 0, 64);
  for (const end = w + superblocks * SUPERBLOCK_BYTES; w < end; w += SUPERBLOCK_BYTES) {
    for (let group: usize = 0; group < 64; group += 16) {
      let t0 = i32x4.splat(0),
        t1 = t0,
        t2 = t0,
        t3 = t0;
      let x0 = xq,
        x1 = x0 + xBytes,
        x2 = x1 + xBytes,
        x3 = x2 + xBytes;
      let scales = w + SCALES_AT + (group >> 2);
      let p = w + QUANTS_AT + group;
      while (scales < w + MINIMA_AT) {
        let s0 = i32x4.splat(0),
          s1 = s0,
          s2 = s0,
          s3 = s0;
        const endOfBlock = x0 + 32;
        while (x0 < endOfBlock) {
          const q = v128.load(p);
          const ql = low(q, nibbles),
            qh = high(q, nibbles);
          s0 = addProducts(
            addProducts(s0, v128.load32_splat(x0), ql),
            v128.load32_splat(x0, 4),
            qh,
          );
          s1 = addProducts(
            addProducts(s1, v128.load32_splat(x1), ql),
            v128.load32_splat(x1, 4),
            qh,
          );
          s2 = addProducts(
            addProducts(s2, v128.load32_splat(x2), ql),
            v128.load32_splat(x2, 4),
            qh,
          );
          s3 = addProducts(
            addProducts(s3, v128.load32_splat(x3), ql),
            v128.load32_splat(x3, 4),
            qh,
          );
          x0 += 8;
          x1 += 8;
          x2 += 8;
          x3 += 8;
          p += 64;
        }
        const scale = twiceLow(i16x8.extend_low_i8x16_u(v128.load32_zero(scales)));
        t0 = i32x4.add(t0, weighedTotal(s0, scale));
        t1 = i32x4.add(t1, weighedTotal(s1, scale));
        t2 = i32x4.add(t2, weighedTotal(s2, scale));
        t3 = i32x4.add(t3, weighedTotal(s3, scale));
        scales += 16;
      }
      addSuperblock(out, w, group, t0, blockSums(xSums), v128.load32_splat(xScales));
      addSuperblock(
        out1,
        w,
        group,
        t1,
        blockSums(xSums + sumBytes),
        v128.load32_splat(xScales + scaleBytes),
      );
      addSuperblock(
        out2,
        w,
        group,
        t2,
        blockSums(xSums + 2 * sumBytes),
        v128.load32_splat(xScales + 2 * scaleBytes),
      );
      addSuperblock(
        out3,
        w,
        group,
        t3,
        blockSums(xSums + 3 * sumBytes),
        v128.load32_splat(xScales + 3 * scaleBytes),
      );
    }
    xq += 256;
    xScales += 4;
    xSums += SUMS_BYTES;
  }
}
