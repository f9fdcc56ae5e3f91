/**
 * A linear layer with weights of four or five bits in blocks of 32 and activations of 8 bits
 * (`quantize.ts`): q4_0, q4_1, q5_0 and q5_1. With blocks b, and q = 0 … 15 or 0 … 31,
 *
 *   q4_0, q5_0: out[r, n] = Σ_b d_x[r, b] · d[n, b] · Σ_k xq[r, k] · (q[n, k] − z), z = 8 or 16
 *
 *   q4_1, q5_1: out[r, n] = Σ_b d_x[r, b] · Σ_k xq[r, k] · (q[n, k] · d[n, b] + m[n, b])
 *
 * Weights are exact, activations off by 2^−8 of the largest in their block.
 *
 * Numerics: the sums over k are exact integers; those of products begin at the −z · Σ xq that
 * `quantize8` has left in xSums (−8, twice for z = 16), in the form that `small-weights.ts` sums
 * in, and with a minimum it is taken away again. Blocks are added in order. A block is sum · d ·
 * d_x, or (sum · d + Σ xq · m) · d_x, every step rounded.
 */
import { addBlock, addBlockWithMinimum } from './block';
import { HALF_FIELDS, HALF_SCALE, highHalves, LOW_HALF, lowHalves } from './half';
import { hold } from './hold';
import { store64 } from './lanes';
import {
  addProducts,
  doubled,
  FIFTH_BIT,
  high,
  low,
  NIBBLES,
  ONES,
  total,
  withFifth,
} from './small-weights';
import { blockBytes, hasFifth, hasMinimum, quantBytes } from './weight-format';

/** Of a block of activations. */
const X_BYTES: usize = 32;

/** One row and `blocks` blocks of one tile, added to `out`. */
// @ts-ignore: decorator
@inline
export function oneRow<F>(
  out: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  w: usize,
  blocks: usize,
): void {
  const fields = hold(HALF_FIELDS, <u32>blocks),
    unit = hold(HALF_SCALE, <u32>blocks),
    shift = hold(LOW_HALF, <u32>blocks);
  const nibbles = hold(NIBBLES, <u32>blocks),
    ones = hold(ONES, <u32>blocks),
    fifth = hold(FIFTH_BIT, <u32>blocks);
  let ta = v128.load(out),
    tb = v128.load(out, 16),
    tc = v128.load(out, 32),
    td = v128.load(out, 48);
  for (const end = xScales + (blocks << 2); xScales < end; xScales += 4) {
    const offset = offsetAt<F>(xSums);
    let a = offset,
      b = a,
      c = a,
      d = a;
    let fa = a,
      fb = a,
      fc = a,
      fd = a;
    if (hasFifth<F>()) {
      fa = v128.load(w);
      fb = v128.load(w, 16);
      fc = v128.load(w, 32);
      fd = v128.load(w, 48);
      w += 64;
    }
    for (const endOfBlock = xq + X_BYTES; xq < endOfBlock; xq += 8) {
      const first = v128.load32_splat(xq),
        second = v128.load32_splat(xq, 4);
      const p = v128.load(w),
        q = v128.load(w, 16),
        r = v128.load(w, 32),
        s = v128.load(w, 48);
      a = addFirst<F>(a, p, fa, first, nibbles, fifth);
      b = addFirst<F>(b, q, fb, first, nibbles, fifth);
      c = addFirst<F>(c, r, fc, first, nibbles, fifth);
      d = addFirst<F>(d, s, fd, first, nibbles, fifth);
      a = addSecond<F>(a, p, fa, second, nibbles, fifth);
      b = addSecond<F>(b, q, fb, second, nibbles, fifth);
      c = addSecond<F>(c, r, fc, second, nibbles, fifth);
      d = addSecond<F>(d, s, fd, second, nibbles, fifth);
      if (hasFifth<F>()) {
        fa = i32x4.shr_u(fa, 2);
        fb = i32x4.shr_u(fb, 2);
        fc = i32x4.shr_u(fc, 2);
        fd = i32x4.shr_u(fd, 2);
      }
      w += 64;
    }
    const p = v128.load(w),
      q = v128.load(w, 16),
      scale = v128.load32_splat(xScales);
    const da = lowHalves(p, shift, fields, unit),
      db = lowHalves(q, shift, fields, unit),
      dc = highHalves(p, fields, unit),
      dd = highHalves(q, fields, unit);
    if (hasMinimum<F>()) {
      const negativeSum = total(offset, ones),
        sum = sumFrom<F>(negativeSum);
      const r = v128.load(w, 32),
        s = v128.load(w, 48);
      const ma = lowHalves(r, shift, fields, unit),
        mb = lowHalves(s, shift, fields, unit),
        mc = highHalves(r, fields, unit),
        md = highHalves(s, fields, unit);
      a = i32x4.sub(total(a, ones), negativeSum);
      b = i32x4.sub(total(b, ones), negativeSum);
      c = i32x4.sub(total(c, ones), negativeSum);
      d = i32x4.sub(total(d, ones), negativeSum);
      ta = addBlockWithMinimum(ta, a, da, ma, sum, scale);
      tb = addBlockWithMinimum(tb, b, db, mb, sum, scale);
      tc = addBlockWithMinimum(tc, c, dc, mc, sum, scale);
      td = addBlockWithMinimum(td, d, dd, md, sum, scale);
    } else {
      ta = addBlock(ta, total(a, ones), da, scale);
      tb = addBlock(tb, total(b, ones), db, scale);
      tc = addBlock(tc, total(c, ones), dc, scale);
      td = addBlock(td, total(d, ones), dd, scale);
    }
    w += blockBytes<F>() - quantBytes<F>();
    xSums += 4;
  }
  store64(out, ta, tb, tc, td);
}

/** What the sums of a block begin at: −8 · Σ xq, or −16 · Σ xq. */
// @ts-ignore: decorator
@inline
export function offsetAt<F>(sums: usize): v128 {
  const offset = v128.load32_splat(sums);
  return hasFifth<F>() ? doubled(offset) : offset;
}

/** Σ xq as float32, from the total of an offset. */
// @ts-ignore: decorator
@inline
export function sumFrom<F>(negativeSum: v128): v128 {
  return f32x4.mul(
    f32x4.convert_i32x4_s(negativeSum),
    f32x4.splat(hasFifth<F>() ? -1 / 16 : -1 / 8),
  );
}

/** sum + the products of the low nibbles of a line, with their fifth bits. */
// @ts-ignore: decorator
@inline
export function addFirst<F>(
  sum: v128,
  q: v128,
  fifths: v128,
  x: v128,
  nibbles: v128,
  fifth: v128,
): v128 {
  return addProducts(sum, x, firstOf<F>(q, fifths, nibbles, fifth));
}

/** … of the high ones. */
// @ts-ignore: decorator
@inline
export function addSecond<F>(
  sum: v128,
  q: v128,
  fifths: v128,
  x: v128,
  nibbles: v128,
  fifth: v128,
): v128 {
  return addProducts(sum, x, secondOf<F>(q, fifths, nibbles, fifth));
}

/** The low nibbles of a line, with their fifth bits, the lowest of `fifths`. */
// @ts-ignore: decorator
@inline
export function firstOf<F>(q: v128, fifths: v128, nibbles: v128, fifth: v128): v128 {
  const four = low(q, nibbles);
  return hasFifth<F>() ? withFifth(four, fifths, 4, fifth) : four;
}

/** … the high ones, with the next to lowest. */
// @ts-ignore: decorator
@inline
export function secondOf<F>(q: v128, fifths: v128, nibbles: v128, fifth: v128): v128 {
  const four = high(q, nibbles);
  return hasFifth<F>() ? withFifth(four, fifths, 3, fifth) : four;
}
