/**
 * A linear layer with Q6_K weights and activations of 8 bits (`quantize8K`). With superblocks B of
 * 256, blocks b of 16 in them, and q = 0 … 63,
 *
 *   out[r, n] = Σ_B d_x[r, B] · d[n, B] · Σ_b s[n, b] · Σ_k xq[r, k] · (q[n, k] − 32), s = −128 …
 *   127
 *
 * Numerics: the sum over b is an exact integer, below 2^27. It becomes a float32, is multiplied by
 * d, then by d_x, and added to the total, each step rounded; superblocks in order. `quantize8K` has
 * left −16 · Σ xq of each 16 in xSums.
 *
 * A pair of products is at most 2 · 127 · 63 = 16,002, and two pairs fit in an int16.
 *
 * Rows are taken four at a time, with four outputs; those that are left over one by one, with all
 * 16 outputs of a tile.
 */
import { dot2, dot4 } from './block';
import { hold } from './hold';
import { twiceHigh, twiceLow } from './lanes';
import { SUMS_BYTES } from './quantize';

/**
 * A superblock of 16 rows: d (float32), s of each block (int8), then each block: three lines, with
 * the fourth quarter in the upper bits of the others.
 */
const SCALES_AT: usize = 4 * 16;
const QUANTS_AT: usize = SCALES_AT + 16 * 16;
const BLOCK_BYTES: usize = 3 * 64;
export const SUPERBLOCK_BYTES: usize = QUANTS_AT + 16 * BLOCK_BYTES;
const SIX_BITS: u32 = 0x3f3f3f3f;

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
  const six = hold(SIX_BITS, superblocks);
  memory.fill(out, 0, 64);
  for (const end = w + superblocks * SUPERBLOCK_BYTES; w < end; w += SUPERBLOCK_BYTES) {
    let t0 = i32x4.splat(0),
      t1 = t0,
      t2 = t0,
      t3 = t0;
    let scales = w + SCALES_AT;
    let p = w + QUANTS_AT;
    while (scales < w + QUANTS_AT) {
      const x0 = v128.load32_splat(xq),
        x1 = v128.load32_splat(xq, 4),
        x2 = v128.load32_splat(xq, 8),
        x3 = v128.load32_splat(xq, 12);
      const sum = v128.load16_splat(xSums);
      const a = v128.load8x8_s(scales),
        b = v128.load8x8_s(scales, 8);
      t0 = addFourOutputs(t0, p, six, x0, x1, x2, x3, sum, twiceLow(a));
      t1 = addFourOutputs(t1, p + 16, six, x0, x1, x2, x3, sum, twiceHigh(a));
      t2 = addFourOutputs(t2, p + 32, six, x0, x1, x2, x3, sum, twiceLow(b));
      t3 = addFourOutputs(t3, p + 48, six, x0, x1, x2, x3, sum, twiceHigh(b));
      xq += 16;
      xSums += 2;
      scales += 16;
      p += BLOCK_BYTES;
    }
    addSuperblock(out, t0, w, xScales);
    addSuperblock(out + 16, t1, w + 16, xScales);
    addSuperblock(out + 32, t2, w + 32, xScales);
    addSuperblock(out + 48, t3, w + 48, xScales);
    xScales += 4;
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
  const six = hold(SIX_BITS, superblocks);
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
      let x = xq,
        sums = xSums;
      let scales = w + SCALES_AT + (group >> 2);
      let p = w + QUANTS_AT + group;
      while (scales < w + QUANTS_AT) {
        const q0 = v128.load(p),
          q1 = v128.load(p, 64),
          q2 = v128.load(p, 128);
        const u0 = v128.and(q0, six),
          u1 = v128.and(q1, six),
          u2 = v128.and(q2, six);
        const u3 = fourth(q0, q1, q2, six);
        const scale = twiceLow(i16x8.extend_low_i8x16_s(v128.load32_zero(scales)));
        t0 = addRow(t0, u0, u1, u2, u3, x, sums, scale);
        t1 = addRow(t1, u0, u1, u2, u3, x + xBytes, sums + sumBytes, scale);
        t2 = addRow(t2, u0, u1, u2, u3, x + 2 * xBytes, sums + 2 * sumBytes, scale);
        t3 = addRow(t3, u0, u1, u2, u3, x + 3 * xBytes, sums + 3 * sumBytes, scale);
        x += 16;
        sums += 2;
        scales += 16;
        p += BLOCK_BYTES;
      }
      addSuperblock(out + group, t0, w + group, xScales);
      addSuperblock(out + outBytes + group, t1, w + group, xScales + scaleBytes);
      addSuperblock(out + 2 * outBytes + group, t2, w + group, xScales + 2 * scaleBytes);
      addSuperblock(out + 3 * outBytes + group, t3, w + group, xScales + 3 * scaleBytes);
    }
    xq += 256;
    xScales += 4;
    xSums += SUMS_BYTES;
  }
}

/** Six bits from the two upper bits of three bytes. */
// @ts-ignore: decorator
@inline
function fourth(q0: v128, q1: v128, q2: v128, six: v128): v128 {
  const upper0 = i16x8.shr_u(v128.andnot(q0, six), 6),
    upper1 = i16x8.shr_u(v128.andnot(q1, six), 4),
    upper2 = i16x8.shr_u(v128.andnot(q2, six), 2);
  return v128.or(v128.or(upper0, upper1), upper2);
}

// @ts-ignore: decorator
@inline
function addFourOutputs(
  total: v128,
  p: usize,
  six: v128,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  sum: v128,
  scale: v128,
): v128 {
  const q0 = v128.load(p),
    q1 = v128.load(p, 64),
    q2 = v128.load(p, 128);
  return addBlock(
    total,
    v128.and(q0, six),
    v128.and(q1, six),
    v128.and(q2, six),
    fourth(q0, q1, q2, six),
    x0,
    x1,
    x2,
    x3,
    sum,
    scale,
  );
}

// @ts-ignore: decorator
@inline
function addRow(
  total: v128,
  u0: v128,
  u1: v128,
  u2: v128,
  u3: v128,
  x: usize,
  sum: usize,
  scale: v128,
): v128 {
  const x0 = v128.load32_splat(x),
    x1 = v128.load32_splat(x, 4),
    x2 = v128.load32_splat(x, 8),
    x3 = v128.load32_splat(x, 12);
  return addBlock(total, u0, u1, u2, u3, x0, x1, x2, x3, v128.load16_splat(sum), scale);
}

/**
 * total + s · Σ xq · (q − 32) over 16 numbers, of four rows of weights and one of activations.
 * `sum`: −16 · Σ xq; `scale`: each s twice.
 */
// @ts-ignore: decorator
@inline
function addBlock(
  total: v128,
  u0: v128,
  u1: v128,
  u2: v128,
  u3: v128,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  sum: v128,
  scale: v128,
): v128 {
  const offset = i32x4.add(total, i32x4.dot_i16x8_s(sum, scale));
  if (isDefined(DOT4)) {
    const products = dot4(x3, u3, dot4(x2, u2, dot4(x1, u1, dot4(x0, u0, i32x4.splat(0)))));
    return i32x4.add(offset, i32x4.mul(products, i32x4.shr_s(scale, 16)));
  }
  const first = i32x4.dot_i16x8_s(i16x8.add(dot2(x0, u0), dot2(x1, u1)), scale);
  const second = i32x4.dot_i16x8_s(i16x8.add(dot2(x2, u2), dot2(x3, u3)), scale);
  return i32x4.add(offset, i32x4.add(first, second));
}

/** Adds sum · d · d_x to four totals. */
// @ts-ignore: decorator
@inline
function addSuperblock(total: usize, sum: v128, d: usize, xScale: usize): void {
  const term = f32x4.mul(
    f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(d)),
    v128.load32_splat(xScale),
  );
  v128.store(total, f32x4.add(v128.load(total), term));
}
