/**
 * Four rows and all 16 outputs of a tile, for weights that come in superblocks of 256 numbers: Q4_K
 * and Q6_K. Weights and scales are unpacked in registers, once for four rows. The totals over
 * superblocks lie in `out`.
 *
 * Numerics: see `matmul-q4k.ts` and `matmul-q6k.ts`.
 */
import { hold } from './hold';
import * as q4k from './matmul-q4k';
import * as q6k from './matmul-q6k';
import { SUMS_BYTES } from './quantize';
import { addProducts, factorsOf, high, low, NIBBLES, weighedTotal } from './small-weights';

/** Outputs that are computed at a time, in bytes of `out`. */
const STEP: usize = 32;

/**
 * Over `superblocks` superblocks. Rows are those at 0, r1, r2, r3 times `…Bytes`; they may be the
 * same.
 */
// @ts-ignore: decorator
@inline
export function fourRowsOf(
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
  weights: usize,
  superblocks: usize,
): void {
  const mask = hold(isQ6 ? q6k.SIX_BITS : NIBBLES, <u32>superblocks);
  const blocks: usize = isQ6 ? 16 : 8;
  const superblockBytes = isQ6 ? q6k.SUPERBLOCK_BYTES : q4k.SUPERBLOCK_BYTES;
  for (let step: usize = 0; step < 64; step += STEP) {
    const o0 = out + step,
      o1 = o0 + r1 * outBytes,
      o2 = o0 + r2 * outBytes,
      o3 = o0 + r3 * outBytes;
    let x0 = x,
      x1 = x + r1 * xBytes,
      x2 = x + r2 * xBytes,
      x3 = x + r3 * xBytes;
    let w = weights + step,
      scale = scales,
      offsets = sums;
    for (const end = w + superblocks * superblockBytes; w < end; w += superblockBytes) {
      let ta0 = i32x4.splat(0),
        tb0 = ta0;
      let ta1 = i32x4.splat(0),
        tb1 = ta1;
      let ta2 = i32x4.splat(0),
        tb2 = ta2;
      let ta3 = i32x4.splat(0),
        tb3 = ta3;
      let quants = w + (isQ6 ? q6k.QUANTS : q4k.QUANTS);
      let y0 = offsets,
        y1 = offsets + r1 * sumBytes,
        y2 = offsets + r2 * sumBytes,
        y3 = offsets + r3 * sumBytes;
      for (let block: usize = 0; block != blocks; block++) {
        const packed = w + ((block >> 2) << 6) + (isQ6 ? q6k.SCALES : q4k.SCALES),
          shift = (<i32>block & 3) << 3;
        const f = factorsOf(scaleAt(isQ6, v128.load(packed), shift)),
          g = factorsOf(scaleAt(isQ6, v128.load(packed, 16), shift));
        if (isQ6) {
          const p0 = v128.load(quants),
            p1 = v128.load(quants, 64),
            p2 = v128.load(quants, 128);
          const q0 = v128.load(quants, 16),
            q1 = v128.load(quants, 80),
            q2 = v128.load(quants, 144);
          const a0 = v128.and(p0, mask),
            a1 = v128.and(p1, mask),
            a2 = v128.and(p2, mask),
            a3 = q6k.fourth(p0, p1, p2, mask);
          const b0 = v128.and(q0, mask),
            b1 = v128.and(q1, mask),
            b2 = v128.and(q2, mask),
            b3 = q6k.fourth(q0, q1, q2, mask);
          let offset = v128.load32_splat(y0),
            u0 = v128.load32_splat(x0),
            u1 = v128.load32_splat(x0, 4),
            u2 = v128.load32_splat(x0, 8),
            u3 = v128.load32_splat(x0, 12);
          ta0 = i32x4.add(
            ta0,
            weighedTotal(q6k.addQuarters(offset, u0, u1, u2, u3, a0, a1, a2, a3), f),
          );
          tb0 = i32x4.add(
            tb0,
            weighedTotal(q6k.addQuarters(offset, u0, u1, u2, u3, b0, b1, b2, b3), g),
          );
          offset = v128.load32_splat(y1);
          u0 = v128.load32_splat(x1);
          u1 = v128.load32_splat(x1, 4);
          u2 = v128.load32_splat(x1, 8);
          u3 = v128.load32_splat(x1, 12);
          ta1 = i32x4.add(
            ta1,
            weighedTotal(q6k.addQuarters(offset, u0, u1, u2, u3, a0, a1, a2, a3), f),
          );
          tb1 = i32x4.add(
            tb1,
            weighedTotal(q6k.addQuarters(offset, u0, u1, u2, u3, b0, b1, b2, b3), g),
          );
          offset = v128.load32_splat(y2);
          u0 = v128.load32_splat(x2);
          u1 = v128.load32_splat(x2, 4);
          u2 = v128.load32_splat(x2, 8);
          u3 = v128.load32_splat(x2, 12);
          ta2 = i32x4.add(
            ta2,
            weighedTotal(q6k.addQuarters(offset, u0, u1, u2, u3, a0, a1, a2, a3), f),
          );
          tb2 = i32x4.add(
            tb2,
            weighedTotal(q6k.addQuarters(offset, u0, u1, u2, u3, b0, b1, b2, b3), g),
          );
          offset = v128.load32_splat(y3);
          u0 = v128.load32_splat(x3);
          u1 = v128.load32_splat(x3, 4);
          u2 = v128.load32_splat(x3, 8);
          u3 = v128.load32_splat(x3, 12);
          ta3 = i32x4.add(
            ta3,
            weighedTotal(q6k.addQuarters(offset, u0, u1, u2, u3, a0, a1, a2, a3), f),
          );
          tb3 = i32x4.add(
            tb3,
            weighedTotal(q6k.addQuarters(offset, u0, u1, u2, u3, b0, b1, b2, b3), g),
          );
          x0 += 16;
          x1 += 16;
          x2 += 16;
          x3 += 16;
          y0 += 4;
          y1 += 4;
          y2 += 4;
          y3 += 4;
          quants += 192;
        } else {
          let a0 = i32x4.splat(0),
            b0 = a0;
          let a1 = i32x4.splat(0),
            b1 = a1;
          let a2 = i32x4.splat(0),
            b2 = a2;
          let a3 = i32x4.splat(0),
            b3 = a3;
          for (const endOfBlock = x0 + 32; x0 < endOfBlock; x0 += 8) {
            const p = v128.load(quants),
              q = v128.load(quants, 16);
            const pl = low(p, mask),
              ph = high(p, mask),
              ql = low(q, mask),
              qh = high(q, mask);
            let v = v128.load32_splat(x0);
            a0 = addProducts(a0, v, pl);
            b0 = addProducts(b0, v, ql);
            v = v128.load32_splat(x0, 4);
            a0 = addProducts(a0, v, ph);
            b0 = addProducts(b0, v, qh);
            v = v128.load32_splat(x1);
            a1 = addProducts(a1, v, pl);
            b1 = addProducts(b1, v, ql);
            v = v128.load32_splat(x1, 4);
            a1 = addProducts(a1, v, ph);
            b1 = addProducts(b1, v, qh);
            v = v128.load32_splat(x2);
            a2 = addProducts(a2, v, pl);
            b2 = addProducts(b2, v, ql);
            v = v128.load32_splat(x2, 4);
            a2 = addProducts(a2, v, ph);
            b2 = addProducts(b2, v, qh);
            v = v128.load32_splat(x3);
            a3 = addProducts(a3, v, pl);
            b3 = addProducts(b3, v, ql);
            v = v128.load32_splat(x3, 4);
            a3 = addProducts(a3, v, ph);
            b3 = addProducts(b3, v, qh);
            x1 += 8;
            x2 += 8;
            x3 += 8;
            quants += 64;
          }
          ta0 = i32x4.add(ta0, weighedTotal(a0, f));
          tb0 = i32x4.add(tb0, weighedTotal(b0, g));
          ta1 = i32x4.add(ta1, weighedTotal(a1, f));
          tb1 = i32x4.add(tb1, weighedTotal(b1, g));
          ta2 = i32x4.add(ta2, weighedTotal(a2, f));
          tb2 = i32x4.add(tb2, weighedTotal(b2, g));
          ta3 = i32x4.add(ta3, weighedTotal(a3, f));
          tb3 = i32x4.add(tb3, weighedTotal(b3, g));
        }
      }
      // Once for all rows, by names: V8 packs a pair of vectors only if both have the same users.
      const unit = v128.load(w),
        otherUnit = v128.load(w, 16);
      const minimumUnit = isQ6 ? unit : v128.load(w, 64),
        otherMinimumUnit = !isQ6 ? v128.load(w, 80) : minimumUnit;
      const m = isQ6 ? unit : q4k.evenMinima(w + q4k.MINIMA, 0),
        n = isQ6 ? unit : q4k.oddMinima(w + q4k.MINIMA, 0),
        o = isQ6 ? unit : q4k.evenMinima(w + q4k.MINIMA + 64, 0),
        p = isQ6 ? unit : q4k.oddMinima(w + q4k.MINIMA + 64, 0);
      const otherM = !isQ6 ? q4k.evenMinima(w + q4k.MINIMA, 1) : m,
        otherN = !isQ6 ? q4k.oddMinima(w + q4k.MINIMA, 1) : n,
        otherO = !isQ6 ? q4k.evenMinima(w + q4k.MINIMA + 64, 1) : o,
        otherP = !isQ6 ? q4k.oddMinima(w + q4k.MINIMA + 64, 1) : p;
      // All is loaded before anything is stored, for the last of the rows may be the same one.
      let y = v128.load32_splat(scale);
      if (isQ6) {
        ta0 = q6k.superblock(ta0, unit, y);
        tb0 = q6k.superblock(tb0, otherUnit, y);
      } else {
        ta0 = q4k.superblock(ta0, unit, q4k.minimumSum(m, n, o, p, offsets), minimumUnit, y);
        const minimum = q4k.minimumSum(otherM, otherN, otherO, otherP, offsets);
        tb0 = q4k.superblock(tb0, otherUnit, minimum, otherMinimumUnit, y);
      }
      ta0 = f32x4.add(v128.load(o0), ta0);
      tb0 = f32x4.add(v128.load(o0, 16), tb0);
      y = v128.load32_splat(scale + r1 * scaleBytes);
      if (isQ6) {
        ta1 = q6k.superblock(ta1, unit, y);
        tb1 = q6k.superblock(tb1, otherUnit, y);
      } else {
        ta1 = q4k.superblock(
          ta1,
          unit,
          q4k.minimumSum(m, n, o, p, offsets + r1 * sumBytes),
          minimumUnit,
          y,
        );
        const minimum = q4k.minimumSum(otherM, otherN, otherO, otherP, offsets + r1 * sumBytes);
        tb1 = q4k.superblock(tb1, otherUnit, minimum, otherMinimumUnit, y);
      }
      ta1 = f32x4.add(v128.load(o1), ta1);
      tb1 = f32x4.add(v128.load(o1, 16), tb1);
      y = v128.load32_splat(scale + r2 * scaleBytes);
      if (isQ6) {
        ta2 = q6k.superblock(ta2, unit, y);
        tb2 = q6k.superblock(tb2, otherUnit, y);
      } else {
        ta2 = q4k.superblock(
          ta2,
          unit,
          q4k.minimumSum(m, n, o, p, offsets + r2 * sumBytes),
          minimumUnit,
          y,
        );
        const minimum = q4k.minimumSum(otherM, otherN, otherO, otherP, offsets + r2 * sumBytes);
        tb2 = q4k.superblock(tb2, otherUnit, minimum, otherMinimumUnit, y);
      }
      ta2 = f32x4.add(v128.load(o2), ta2);
      tb2 = f32x4.add(v128.load(o2, 16), tb2);
      y = v128.load32_splat(scale + r3 * scaleBytes);
      if (isQ6) {
        ta3 = q6k.superblock(ta3, unit, y);
        tb3 = q6k.superblock(tb3, otherUnit, y);
      } else {
        ta3 = q4k.superblock(
          ta3,
          unit,
          q4k.minimumSum(m, n, o, p, offsets + r3 * sumBytes),
          minimumUnit,
          y,
        );
        const minimum = q4k.minimumSum(otherM, otherN, otherO, otherP, offsets + r3 * sumBytes);
        tb3 = q4k.superblock(tb3, otherUnit, minimum, otherMinimumUnit, y);
      }
      ta3 = f32x4.add(v128.load(o3), ta3);
      tb3 = f32x4.add(v128.load(o3, 16), tb3);
      store(o0, ta0, tb0);
      store(o1, ta1, tb1);
      store(o2, ta2, tb2);
      store(o3, ta3, tb3);
      scale += 4;
      offsets += SUMS_BYTES;
    }
  }
}

/** That byte of each lane which `shift` bits lie below: a scale. */
// @ts-ignore: decorator
@inline
function scaleAt(isQ6: bool, packed: v128, shift: i32): v128 {
  if (isQ6) return i32x4.shr_s(i32x4.shl(packed, 24 - shift), 24);
  return v128.and(i32x4.shr_u(packed, shift), i32x4.splat(255));
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}
