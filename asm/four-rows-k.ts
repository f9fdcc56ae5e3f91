/**
 * Four rows and all 16 outputs of a tile, over a superblock of 256 numbers of Q4_K or Q6_K weights
 * that has been unpacked:
 *
 *   quants, a byte each: lines of 64 bytes with the same four k of each output
 *   FACTORS_AT  a line for each block: the scales, as `factorsOf` makes them
 *   MINIMA_AT   Q4_K: four lines of two minima of each output (int16): of blocks 0 and 2, 1 and 3,
 *               4 and 6, 5 and 7
 *   UNITS_AT    d, and of Q4_K d_min, of each output
 *
 * The totals over superblocks lie in `out`. Numerics: see `matmul-q4k.ts` and `matmul-q6k.ts`.
 */
import { quarter } from './lanes';
import * as q4k from './matmul-q4k';
import * as q6k from './matmul-q6k';
import { MINIMUM_SUMS_AT } from './quantize';
import { addProducts, weighedTotal } from './small-weights';

export const FACTORS_AT: usize = 256 * 16;
export const MINIMA_AT: usize = FACTORS_AT + 16 * 64;
export const UNITS_AT: usize = MINIMA_AT + 4 * 64;

/** Outputs that are computed at a time, in bytes of `out`. */
const STEP: usize = isDefined(WIDE) ? 32 : 16;

/** Rows are those at 0, r1, r2, r3 times `…Bytes`; they may be the same. */
// @ts-ignore: decorator
@inline
export function fourRowsK(
  isQ6: bool,
  out: usize,
  outBytes: usize,
  x: usize,
  xBytes: usize,
  scales: usize,
  scaleBytes: usize,
  sums: usize,
  sumBytes: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  panel: usize,
): void {
  for (let step: usize = 0; step < 64; step += STEP) {
    let w = panel + step,
      factors = w + FACTORS_AT,
      offsets = sums;
    let x0 = x,
      x1 = x + r1 * xBytes,
      x2 = x + r2 * xBytes,
      x3 = x + r3 * xBytes;
    let ta0 = i32x4.splat(0),
      tb0 = ta0;
    let ta1 = i32x4.splat(0),
      tb1 = ta1;
    let ta2 = i32x4.splat(0),
      tb2 = ta2;
    let ta3 = i32x4.splat(0),
      tb3 = ta3;
    for (const end = x0 + 256; x0 < end; ) {
      let a0 = isQ6 ? v128.load32_splat(offsets) : i32x4.splat(0),
        b0 = a0;
      let a1 = isQ6 ? v128.load32_splat(offsets + r1 * sumBytes) : i32x4.splat(0),
        b1 = a1;
      let a2 = isQ6 ? v128.load32_splat(offsets + r2 * sumBytes) : i32x4.splat(0),
        b2 = a2;
      let a3 = isQ6 ? v128.load32_splat(offsets + r3 * sumBytes) : i32x4.splat(0),
        b3 = a3;
      for (const endOfBlock = x0 + (isQ6 ? 16 : 32); x0 < endOfBlock; x0 += 4) {
        const p = v128.load(w),
          q = isDefined(WIDE) ? v128.load(w, 16) : p;
        let y = v128.load32_splat(x0);
        a0 = addProducts(a0, y, p);
        if (isDefined(WIDE)) b0 = addProducts(b0, y, q);
        y = v128.load32_splat(x1);
        a1 = addProducts(a1, y, p);
        if (isDefined(WIDE)) b1 = addProducts(b1, y, q);
        y = v128.load32_splat(x2);
        a2 = addProducts(a2, y, p);
        if (isDefined(WIDE)) b2 = addProducts(b2, y, q);
        y = v128.load32_splat(x3);
        a3 = addProducts(a3, y, p);
        if (isDefined(WIDE)) b3 = addProducts(b3, y, q);
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += 64;
      }
      const p = v128.load(factors),
        q = isDefined(WIDE) ? v128.load(factors, 16) : p;
      ta0 = i32x4.add(ta0, weighedTotal(a0, p));
      if (isDefined(WIDE)) tb0 = i32x4.add(tb0, weighedTotal(b0, q));
      ta1 = i32x4.add(ta1, weighedTotal(a1, p));
      if (isDefined(WIDE)) tb1 = i32x4.add(tb1, weighedTotal(b1, q));
      ta2 = i32x4.add(ta2, weighedTotal(a2, p));
      if (isDefined(WIDE)) tb2 = i32x4.add(tb2, weighedTotal(b2, q));
      ta3 = i32x4.add(ta3, weighedTotal(a3, p));
      if (isDefined(WIDE)) tb3 = i32x4.add(tb3, weighedTotal(b3, q));
      factors += 64;
      offsets += 4;
    }
    const from = panel + step,
      o0 = out + step,
      o1 = o0 + r1 * outBytes,
      o2 = o0 + r2 * outBytes,
      o3 = o0 + r3 * outBytes;
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    ta0 = close(isQ6, o0, 0, ta0, from, sums, scales);
    if (isDefined(WIDE)) tb0 = close(isQ6, o0, 1, tb0, from, sums, scales);
    ta1 = close(isQ6, o1, 0, ta1, from, sums + r1 * sumBytes, scales + r1 * scaleBytes);
    if (isDefined(WIDE)) tb1 = close(isQ6, o1, 1, tb1, from, sums + r1 * sumBytes, scales + r1 * scaleBytes);
    ta2 = close(isQ6, o2, 0, ta2, from, sums + r2 * sumBytes, scales + r2 * scaleBytes);
    if (isDefined(WIDE)) tb2 = close(isQ6, o2, 1, tb2, from, sums + r2 * sumBytes, scales + r2 * scaleBytes);
    ta3 = close(isQ6, o3, 0, ta3, from, sums + r3 * sumBytes, scales + r3 * scaleBytes);
    if (isDefined(WIDE)) tb3 = close(isQ6, o3, 1, tb3, from, sums + r3 * sumBytes, scales + r3 * scaleBytes);
    store(o0, ta0, tb0);
    store(o1, ta1, tb1);
    store(o2, ta2, tb2);
    store(o3, ta3, tb3);
  }
}

/** The n-th four totals at `out`, with a superblock added. */
// @ts-ignore: decorator
@inline
function close(
  isQ6: bool,
  out: usize,
  n: i32,
  sum: v128,
  panel: usize,
  sums: usize,
  scale: usize,
): v128 {
  const unit = quarter(panel + UNITS_AT, n),
    xScale = v128.load32_splat(scale);
  const before = quarter(out, n);
  if (isQ6) return f32x4.add(before, q6k.superblock(sum, unit, xScale));
  const minimum = minimumSum(panel, n, sums);
  const minimumUnit = quarter(panel + UNITS_AT + 64, n);
  return f32x4.add(before, q4k.superblock(sum, unit, minimum, minimumUnit, xScale));
}

/** −Σ_b m · Σ xq of four outputs. */
// @ts-ignore: decorator
@inline
function minimumSum(panel: usize, n: i32, sums: usize): v128 {
  const a = i32x4.dot_i16x8_s(
    quarter(panel + MINIMA_AT, n),
    v128.load32_splat(sums, MINIMUM_SUMS_AT),
  );
  const b = i32x4.dot_i16x8_s(
    quarter(panel + MINIMA_AT + 64, n),
    v128.load32_splat(sums, MINIMUM_SUMS_AT + 4),
  );
  const c = i32x4.dot_i16x8_s(
    quarter(panel + MINIMA_AT + 128, n),
    v128.load32_splat(sums, MINIMUM_SUMS_AT + 8),
  );
  const d = i32x4.dot_i16x8_s(
    quarter(panel + MINIMA_AT + 192, n),
    v128.load32_splat(sums, MINIMUM_SUMS_AT + 12),
  );
  return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  if (isDefined(WIDE)) v128.store(out, b, 16);
}
