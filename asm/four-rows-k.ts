/**
 * Four rows and all 16 outputs of a tile, for weights that come in superblocks of 256 numbers: the
 * K formats. Weights and scales are unpacked in registers, once for four rows. The totals over
 * superblocks lie in `out`.
 *
 * Numerics: see `matmul-q45k.ts`, `matmul-q6k.ts` and `matmul-q23k.ts`.
 */
import { hold } from './hold';
import * as q23k from './matmul-q23k';
import { firstOf, secondOf } from './matmul-q45';
import * as q45k from './matmul-q45k';
import * as q6k from './matmul-q6k';
import { SUMS_BYTES } from './quantize';
import { addProducts, factorsOf, FIFTH_BIT, NIBBLES, weighedTotal } from './small-weights';
import { superblock } from './superblock';
import {
  hasFifth,
  hasMinimum,
  hasNibbles,
  hasThird,
  hasTwoBits,
  isQ6,
  quantsAt,
  scalesAt,
  superblockBytes,
} from './weight-format';

/** Outputs that are computed at a time, in bytes of `out`. */
const STEP: usize = 32;

/**
 * Over `superblocks` superblocks. Rows are those at 0, r1, r2, r3 times `…Bytes`; they may be the
 * same.
 */
export function fourRows<F>(
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
  const mask = hold(maskOf<F>(), <u32>superblocks),
    upperBit = hold(hasFifth<F>() ? FIFTH_BIT : q23k.THIRD_BIT, <u32>superblocks);
  const blocks: usize = isQ6<F>() ? 16 : 8;
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
    for (const end = w + superblocks * superblockBytes<F>(); w < end; w += superblockBytes<F>()) {
      let ta0 = i32x4.splat(0),
        tb0 = ta0;
      let ta1 = ta0,
        tb1 = ta1;
      let ta2 = ta0,
        tb2 = ta2;
      let ta3 = ta0,
        tb3 = ta3;
      let ma0 = ta0,
        mb0 = ta0;
      let ma1 = ta0,
        mb1 = ta0;
      let ma2 = ta0,
        mb2 = ta0;
      let ma3 = ta0,
        mb3 = ta0;
      let pUpper = ta0,
        qUpper = ta0;
      let quants = w + quantsAt<F>();
      let y0 = offsets,
        y1 = offsets + r1 * sumBytes,
        y2 = offsets + r2 * sumBytes,
        y3 = offsets + r3 * sumBytes;
      for (let block: usize = 0; block != blocks; block++) {
        if (hasTwoBits<F>()) {
          if (hasThird<F>()) {
            pUpper = v128.load(quants);
            qUpper = v128.load(quants, 16);
            quants += 64;
          }
          const firstPart = block << 1;
          for (let part = firstPart; part < firstPart + 2; part++) {
            const packed = w + scalesAt<F>() + ((part >> 2) << 6),
              shift = (<i32>part & 3) << 3;
            const packedScales = v128.load(packed),
              otherScales = v128.load(packed, 16);
            const f = factorsOf(scaleAt<F>(packedScales, shift)),
              g = factorsOf(scaleAt<F>(otherScales, shift));
            const p = v128.load(quants),
              q = v128.load(quants, 16);
            const a0 = q23k.quantAt<F>(p, pUpper, 0, mask, upperBit),
              a1 = q23k.quantAt<F>(p, pUpper, 1, mask, upperBit),
              a2 = q23k.quantAt<F>(p, pUpper, 2, mask, upperBit),
              a3 = q23k.quantAt<F>(p, pUpper, 3, mask, upperBit);
            const b0 = q23k.quantAt<F>(q, qUpper, 0, mask, upperBit),
              b1 = q23k.quantAt<F>(q, qUpper, 1, mask, upperBit),
              b2 = q23k.quantAt<F>(q, qUpper, 2, mask, upperBit),
              b3 = q23k.quantAt<F>(q, qUpper, 3, mask, upperBit);
            const fm = hasMinimum<F>() ? factorsOf(q23k.minimumAt(packedScales, shift)) : f,
              gm = hasMinimum<F>() ? factorsOf(q23k.minimumAt(otherScales, shift)) : g;
            let sum = v128.load32_splat(y0),
              start = q23k.startOf<F>(sum),
              u0 = v128.load32_splat(x0),
              u1 = v128.load32_splat(x0, 4),
              u2 = v128.load32_splat(x0, 8),
              u3 = v128.load32_splat(x0, 12);
            ta0 = i32x4.add(
              ta0,
              weighedTotal(q6k.addQuarters(start, u0, u1, u2, u3, a0, a1, a2, a3), f),
            );
            tb0 = i32x4.add(
              tb0,
              weighedTotal(q6k.addQuarters(start, u0, u1, u2, u3, b0, b1, b2, b3), g),
            );
            if (hasMinimum<F>()) {
              ma0 = i32x4.add(ma0, weighedTotal(sum, fm));
              mb0 = i32x4.add(mb0, weighedTotal(sum, gm));
            }
            sum = v128.load32_splat(y1);
            start = q23k.startOf<F>(sum);
            u0 = v128.load32_splat(x1);
            u1 = v128.load32_splat(x1, 4);
            u2 = v128.load32_splat(x1, 8);
            u3 = v128.load32_splat(x1, 12);
            ta1 = i32x4.add(
              ta1,
              weighedTotal(q6k.addQuarters(start, u0, u1, u2, u3, a0, a1, a2, a3), f),
            );
            tb1 = i32x4.add(
              tb1,
              weighedTotal(q6k.addQuarters(start, u0, u1, u2, u3, b0, b1, b2, b3), g),
            );
            if (hasMinimum<F>()) {
              ma1 = i32x4.add(ma1, weighedTotal(sum, fm));
              mb1 = i32x4.add(mb1, weighedTotal(sum, gm));
            }
            sum = v128.load32_splat(y2);
            start = q23k.startOf<F>(sum);
            u0 = v128.load32_splat(x2);
            u1 = v128.load32_splat(x2, 4);
            u2 = v128.load32_splat(x2, 8);
            u3 = v128.load32_splat(x2, 12);
            ta2 = i32x4.add(
              ta2,
              weighedTotal(q6k.addQuarters(start, u0, u1, u2, u3, a0, a1, a2, a3), f),
            );
            tb2 = i32x4.add(
              tb2,
              weighedTotal(q6k.addQuarters(start, u0, u1, u2, u3, b0, b1, b2, b3), g),
            );
            if (hasMinimum<F>()) {
              ma2 = i32x4.add(ma2, weighedTotal(sum, fm));
              mb2 = i32x4.add(mb2, weighedTotal(sum, gm));
            }
            sum = v128.load32_splat(y3);
            start = q23k.startOf<F>(sum);
            u0 = v128.load32_splat(x3);
            u1 = v128.load32_splat(x3, 4);
            u2 = v128.load32_splat(x3, 8);
            u3 = v128.load32_splat(x3, 12);
            ta3 = i32x4.add(
              ta3,
              weighedTotal(q6k.addQuarters(start, u0, u1, u2, u3, a0, a1, a2, a3), f),
            );
            tb3 = i32x4.add(
              tb3,
              weighedTotal(q6k.addQuarters(start, u0, u1, u2, u3, b0, b1, b2, b3), g),
            );
            if (hasMinimum<F>()) {
              ma3 = i32x4.add(ma3, weighedTotal(sum, fm));
              mb3 = i32x4.add(mb3, weighedTotal(sum, gm));
            }
            x0 += 16;
            x1 += 16;
            x2 += 16;
            x3 += 16;
            y0 += 4;
            y1 += 4;
            y2 += 4;
            y3 += 4;
            quants += 64;
            if (hasThird<F>()) {
              pUpper = i32x4.shr_u(pUpper, 4);
              qUpper = i32x4.shr_u(qUpper, 4);
            }
          }
        } else if (isQ6<F>()) {
          const packed = w + scalesAt<F>() + ((block >> 2) << 6),
            shift = (<i32>block & 3) << 3;
          const f = factorsOf(scaleAt<F>(v128.load(packed), shift)),
            g = factorsOf(scaleAt<F>(v128.load(packed, 16), shift));
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
          const packed = w + scalesAt<F>() + ((block >> 2) << 6),
            shift = (<i32>block & 3) << 3;
          const f = factorsOf(scaleAt<F>(v128.load(packed), shift)),
            g = factorsOf(scaleAt<F>(v128.load(packed, 16), shift));
          if (hasFifth<F>()) {
            pUpper = v128.load(quants);
            qUpper = v128.load(quants, 16);
            quants += 64;
          }
          const endOfBlock = x0 + 32;
          do {
            let a0 = i32x4.splat(0),
              b0 = a0;
            let a1 = a0,
              b1 = a0;
            let a2 = a0,
              b2 = a0;
            let a3 = a0,
              b3 = a0;
            for (const end = x0 + q45k.partOf<F>(); x0 < end; x0 += 8) {
              const p = v128.load(quants),
                q = v128.load(quants, 16);
              const pl = firstOf<F>(p, pUpper, mask, upperBit),
                ph = secondOf<F>(p, pUpper, mask, upperBit),
                ql = firstOf<F>(q, qUpper, mask, upperBit),
                qh = secondOf<F>(q, qUpper, mask, upperBit);
              if (hasFifth<F>()) {
                pUpper = i32x4.shr_u(pUpper, 2);
                qUpper = i32x4.shr_u(qUpper, 2);
              }
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
          } while (hasFifth<F>() && x0 < endOfBlock);
        }
      }
      // Once for all rows, by names: V8 packs a pair of vectors only if both have the same users.
      const unit = v128.load(w),
        otherUnit = v128.load(w, 16);
      const minimumUnit = hasMinimum<F>() ? v128.load(w, 64) : unit,
        otherMinimumUnit = hasMinimum<F>() ? v128.load(w, 80) : unit;
      const minima = w + q45k.minimaAt<F>();
      const m = hasNibbles<F>() ? v128.load(minima) : unit,
        n = hasNibbles<F>() ? v128.load(minima, 64) : unit;
      const otherM = hasNibbles<F>() ? v128.load(minima, 16) : unit,
        otherN = hasNibbles<F>() ? v128.load(minima, 80) : unit;
      // All is loaded before anything is stored, for the last of the rows may be the same one.
      let y = v128.load32_splat(scale);
      let minimum = minimumOf<F>(ma0, m, n, offsets);
      ta0 = superblock<F>(ta0, unit, minimum, minimumUnit, y);
      minimum = minimumOf<F>(mb0, otherM, otherN, offsets);
      tb0 = superblock<F>(tb0, otherUnit, minimum, otherMinimumUnit, y);
      ta0 = f32x4.add(v128.load(o0), ta0);
      tb0 = f32x4.add(v128.load(o0, 16), tb0);
      y = v128.load32_splat(scale + r1 * scaleBytes);
      minimum = minimumOf<F>(ma1, m, n, offsets + r1 * sumBytes);
      ta1 = superblock<F>(ta1, unit, minimum, minimumUnit, y);
      minimum = minimumOf<F>(mb1, otherM, otherN, offsets + r1 * sumBytes);
      tb1 = superblock<F>(tb1, otherUnit, minimum, otherMinimumUnit, y);
      ta1 = f32x4.add(v128.load(o1), ta1);
      tb1 = f32x4.add(v128.load(o1, 16), tb1);
      y = v128.load32_splat(scale + r2 * scaleBytes);
      minimum = minimumOf<F>(ma2, m, n, offsets + r2 * sumBytes);
      ta2 = superblock<F>(ta2, unit, minimum, minimumUnit, y);
      minimum = minimumOf<F>(mb2, otherM, otherN, offsets + r2 * sumBytes);
      tb2 = superblock<F>(tb2, otherUnit, minimum, otherMinimumUnit, y);
      ta2 = f32x4.add(v128.load(o2), ta2);
      tb2 = f32x4.add(v128.load(o2, 16), tb2);
      y = v128.load32_splat(scale + r3 * scaleBytes);
      minimum = minimumOf<F>(ma3, m, n, offsets + r3 * sumBytes);
      ta3 = superblock<F>(ta3, unit, minimum, minimumUnit, y);
      minimum = minimumOf<F>(mb3, otherM, otherN, offsets + r3 * sumBytes);
      tb3 = superblock<F>(tb3, otherUnit, minimum, otherMinimumUnit, y);
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

/** The lowest bits of four bytes, as many as lie together. */
// @ts-ignore: decorator
@inline
function maskOf<F>(): u32 {
  if (isQ6<F>()) return q6k.SIX_BITS;
  return hasTwoBits<F>() ? q23k.TWO_BITS : NIBBLES;
}

/** The scale in that byte of each lane which `shift` bits lie below. */
// @ts-ignore: decorator
@inline
function scaleAt<F>(packed: v128, shift: i32): v128 {
  if (hasTwoBits<F>()) return q23k.scaleAt<F>(packed, shift);
  if (isQ6<F>()) return q6k.signedByte(packed, 24 - shift);
  return v128.and(i32x4.shr_u(packed, shift), i32x4.splat(255));
}

/** −Σ_b m · Σ xq of four outputs: what was summed block by block, or of all blocks at once. */
// @ts-ignore: decorator
@inline
function minimumOf<F>(summed: v128, m: v128, n: v128, xSums: usize): v128 {
  return hasNibbles<F>() ? q45k.minimumSum(m, n, xSums) : summed;
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
}
