/**
 * A linear layer with Q2_K or Q3_K weights and activations of 8 bits (`quantize8K`). With
 * superblocks B of 256, blocks b of 16 in them, and q = 0 … 3 or 0 … 7,
 *
 *   Q2_K: as Q4_K (`matmul-q45k.ts`), s, m = 0 … 15
 *
 *   Q3_K: as Q6_K (`matmul-q6k.ts`), with q − 4 in place of q − 32, s = −32 … 31
 *
 * Numerics: as with Q4_K, and as with Q6_K. From the −32 · Σ xq of a block that `quantize8K` has
 * left in xSums, Q3_K's sums over k begin at an eighth; Q2_K's minima are weighed with it, and the
 * 1/32 is in the d_min that is stored.
 */
import { hold } from './hold';
import { add64, quarter } from './lanes';
import { signedByte } from './matmul-q6k';
import { SUMS_BYTES } from './quantize';
import { addProducts, eighth, factorsOf, ONES, total, weighedTotal } from './small-weights';
import { superblock } from './superblock';
import { hasMinimum, hasThird, quantsAt, scalesAt, superblockBytes } from './weight-format';

export const TWO_BITS: u32 = 0x03030303;
export const THIRD_BIT: u32 = 0x04040404;

/** One row and `blocks` blocks of one tile, added to `out`. */
// @ts-ignore: decorator
@inline
export function oneRow<F>(
  out: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  weights: usize,
  blocks: usize,
): void {
  const two = hold(TWO_BITS, <u32>blocks),
    third = hold(THIRD_BIT, <u32>blocks),
    ones = hold(ONES, <u32>blocks);
  for (const end = xScales + ((blocks >> 3) << 2); xScales < end; xScales += 4) {
    let ta = i32x4.splat(0),
      tb = ta,
      tc = ta,
      td = ta;
    let ma = ta,
      mb = ta,
      mc = ta,
      md = ta;
    let ha = ta,
      hb = ta,
      hc = ta,
      hd = ta;
    let sums = xSums,
      quants = weights + quantsAt<F>();
    for (let pair: usize = 0; pair < 16; pair += 2) {
      if (hasThird<F>()) {
        ha = v128.load(quants);
        hb = v128.load(quants, 16);
        hc = v128.load(quants, 32);
        hd = v128.load(quants, 48);
        quants += 64;
      }
      for (let part = pair; part < pair + 2; part++) {
        const x0 = v128.load32_splat(xq),
          x1 = v128.load32_splat(xq, 4),
          x2 = v128.load32_splat(xq, 8),
          x3 = v128.load32_splat(xq, 12),
          sum = v128.load32_splat(sums),
          start = startOf<F>(sum);
        const a = addBlock<F>(start, x0, x1, x2, x3, quarter(quants, 0), ha, two, third),
          b = addBlock<F>(start, x0, x1, x2, x3, quarter(quants, 1), hb, two, third),
          c = addBlock<F>(start, x0, x1, x2, x3, quarter(quants, 2), hc, two, third),
          d = addBlock<F>(start, x0, x1, x2, x3, quarter(quants, 3), hd, two, third);
        const scales = weights + scalesAt<F>() + ((part >> 2) << 6),
          shift = (<i32>part & 3) << 3;
        const p = v128.load(scales),
          q = v128.load(scales, 16),
          r = v128.load(scales, 32),
          s = v128.load(scales, 48);
        ta = i32x4.add(ta, i32x4.mul(total(a, ones), scaleAt<F>(p, shift)));
        tb = i32x4.add(tb, i32x4.mul(total(b, ones), scaleAt<F>(q, shift)));
        tc = i32x4.add(tc, i32x4.mul(total(c, ones), scaleAt<F>(r, shift)));
        td = i32x4.add(td, i32x4.mul(total(d, ones), scaleAt<F>(s, shift)));
        if (hasMinimum<F>()) {
          ma = i32x4.add(ma, weighedTotal(sum, factorsOf(minimumAt(p, shift))));
          mb = i32x4.add(mb, weighedTotal(sum, factorsOf(minimumAt(q, shift))));
          mc = i32x4.add(mc, weighedTotal(sum, factorsOf(minimumAt(r, shift))));
          md = i32x4.add(md, weighedTotal(sum, factorsOf(minimumAt(s, shift))));
        }
        xq += 16;
        sums += 4;
        quants += 64;
        if (hasThird<F>()) {
          ha = i32x4.shr_u(ha, 4);
          hb = i32x4.shr_u(hb, 4);
          hc = i32x4.shr_u(hc, 4);
          hd = i32x4.shr_u(hd, 4);
        }
      }
    }
    const scale = v128.load32_splat(xScales);
    const sa = superblock<F>(ta, v128.load(weights), ma, minimumUnit<F>(weights, 0), scale),
      sb = superblock<F>(tb, v128.load(weights, 16), mb, minimumUnit<F>(weights, 1), scale),
      sc = superblock<F>(tc, v128.load(weights, 32), mc, minimumUnit<F>(weights, 2), scale),
      sd = superblock<F>(td, v128.load(weights, 48), md, minimumUnit<F>(weights, 3), scale);
    add64(out, sa, sb, sc, sd);
    weights += superblockBytes<F>();
    xSums += SUMS_BYTES;
  }
}

/** What the sums of a block begin at, from −32 · Σ xq. */
// @ts-ignore: decorator
@inline
export function startOf<F>(sum: v128): v128 {
  return hasThird<F>() ? eighth(sum) : i32x4.splat(0);
}

/** sum + the products of a block of four outputs. */
// @ts-ignore: decorator
@inline
function addBlock<F>(
  sum: v128,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  q: v128,
  thirds: v128,
  two: v128,
  third: v128,
): v128 {
  const first = addProducts(sum, x0, quantAt<F>(q, thirds, 0, two, third)),
    second = addProducts(first, x1, quantAt<F>(q, thirds, 1, two, third)),
    last = addProducts(second, x2, quantAt<F>(q, thirds, 2, two, third));
  return addProducts(last, x3, quantAt<F>(q, thirds, 3, two, third));
}

/**
 * The n-th of the four quants in each byte; their third bits are the lower ones of `thirds`. (They
 * are shifted down by two, and up: where one is used as it lies, V8 packs nothing.)
 */
// @ts-ignore: decorator
@inline
export function quantAt<F>(q: v128, thirds: v128, n: i32, two: v128, third: v128): v128 {
  const lower = v128.and(n == 0 ? q : i32x4.shr_u(q, 2 * n), two);
  if (!hasThird<F>()) return lower;
  const placed = i32x4.shl(n < 2 ? thirds : i32x4.shr_u(thirds, 2), 2 - (n & 1));
  return v128.or(lower, v128.and(placed, third));
}

/** The scale in that byte of each lane which `shift` bits lie below. */
// @ts-ignore: decorator
@inline
export function scaleAt<F>(packed: v128, shift: i32): v128 {
  if (hasThird<F>()) return signedByte(packed, 24 - shift);
  return v128.and(i32x4.shr_u(packed, shift), i32x4.splat(15));
}

/** The minimum beside it. */
// @ts-ignore: decorator
@inline
export function minimumAt(packed: v128, shift: i32): v128 {
  return v128.and(i32x4.shr_u(packed, shift + 4), i32x4.splat(15));
}

/** d_min / 32 of the n-th four outputs. */
// @ts-ignore: decorator
@inline
function minimumUnit<F>(w: usize, n: i32): v128 {
  return hasMinimum<F>() ? quarter(w + 64, n) : quarter(w, n);
}
