/**
 * Four rows and all 16 outputs of a tile, for weights that come in blocks of 32: the integer sums
 * of a block, then its scales. Weights are unpacked in registers, once for four rows. The totals
 * lie in `out`: the registers are full.
 *
 * Numerics: see `matmul-q8.ts` and `matmul-q45.ts`.
 */
import { addBlock, addBlockWithMinimum, dot4 } from './block';
import { HALF_FIELDS, HALF_SCALE, highHalves, LOW_HALF, lowHalves } from './half';
import { hold } from './hold';
import { EVEN, store64 } from './lanes';
import { firstOf, offsetAt, secondOf, sumFrom } from './matmul-q45';
import { join } from './matmul-q8';
import { addProducts, FIFTH_BIT, NIBBLES, ONES, total } from './small-weights';
import { BIAS, hasFifth, hasMinimum, isQ8 } from './weight-format';

/** Bytes of the scales of a block of 16 outputs. */
const SCALE_BYTES: usize = 2 * 16;

/** q8_0 with int16 activations: a line has the same four k of each output. */
const INT16: i32 = 0;
/** q8_0 with activations in halves: the same lines. */
const HALVES: i32 = 1;
/** The others, with int8 activations: a line has the same eight k of each output. */
const NIBBLE: i32 = 2;

// @ts-ignore: decorator
@inline
function kindOf<F>(): i32 {
  if (!isQ8<F>()) return NIBBLE;
  return isDefined(DOT4) ? HALVES : INT16;
}

/**
 * Over `blocks` blocks. Rows are those at 0, r1, r2, r3 times `…Bytes`; they may be the same. sums:
 * from the scale of a block of activations to what its sums begin at.
 */
export function fourRows<F>(
  out: usize,
  outBytes: usize,
  x: usize,
  xBytes: usize,
  scales: usize,
  scaleBytes: usize,
  sums: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  weights: usize,
  blocks: usize,
): void {
  const kind = kindOf<F>();
  const fields = hold(HALF_FIELDS, <u32>blocks),
    unit = hold(HALF_SCALE, <u32>blocks),
    shift = hold(LOW_HALF, <u32>blocks),
    ones = hold(kind == HALVES ? 0x01010101 : ONES, <u32>blocks),
    mask = hold(kind == INT16 ? EVEN : kind == HALVES ? BIAS : NIBBLES, <u32>blocks),
    fifth = hold(FIFTH_BIT, <u32>blocks);
  let w = weights,
    x0 = x,
    x1 = x + r1 * xBytes,
    x2 = x + r2 * xBytes,
    x3 = x + r3 * xBytes;
  let s0 = scales,
    s1 = s0 + r1 * scaleBytes,
    s2 = s0 + r2 * scaleBytes,
    s3 = s0 + r3 * scaleBytes;
  const o0 = out,
    o1 = o0 + r1 * outBytes,
    o2 = o0 + r2 * outBytes,
    o3 = o0 + r3 * outBytes;
  for (const end = s0 + (blocks << 2); s0 < end; ) {
    const offset0 = startOf<F>(s0 + sums);
    let a0 = offset0,
      b0 = a0,
      c0 = a0,
      d0 = a0;
    const offset1 = startOf<F>(s1 + sums);
    let a1 = offset1,
      b1 = a1,
      c1 = a1,
      d1 = a1;
    const offset2 = startOf<F>(s2 + sums);
    let a2 = offset2,
      b2 = a2,
      c2 = a2,
      d2 = a2;
    const offset3 = startOf<F>(s3 + sums);
    let a3 = offset3,
      b3 = a3,
      c3 = a3,
      d3 = a3;
    if (kind == HALVES) {
      let wa = a0,
        wb = a0,
        wc = a0,
        wd = a0;
      for (const endOfBlock = x0 + 32; x0 < endOfBlock; x0 += 4) {
        const p = v128.xor(v128.load(w), mask),
          q = v128.xor(v128.load(w, 16), mask),
          r = v128.xor(v128.load(w, 32), mask),
          s = v128.xor(v128.load(w, 48), mask);
        wa = dot4(p, ones, wa);
        wb = dot4(q, ones, wb);
        wc = dot4(r, ones, wc);
        wd = dot4(s, ones, wd);
        let y = v128.load32_splat(x0);
        a0 = dot4(p, y, a0);
        b0 = dot4(q, y, b0);
        c0 = dot4(r, y, c0);
        d0 = dot4(s, y, d0);
        y = v128.load32_splat(x1);
        a1 = dot4(p, y, a1);
        b1 = dot4(q, y, b1);
        c1 = dot4(r, y, c1);
        d1 = dot4(s, y, d1);
        y = v128.load32_splat(x2);
        a2 = dot4(p, y, a2);
        b2 = dot4(q, y, b2);
        c2 = dot4(r, y, c2);
        d2 = dot4(s, y, d2);
        y = v128.load32_splat(x3);
        a3 = dot4(p, y, a3);
        b3 = dot4(q, y, b3);
        c3 = dot4(r, y, c3);
        d3 = dot4(s, y, d3);
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += 64;
      }
      a0 = join(a0, wa);
      b0 = join(b0, wb);
      c0 = join(c0, wc);
      d0 = join(d0, wd);
      a1 = join(a1, wa);
      b1 = join(b1, wb);
      c1 = join(c1, wc);
      d1 = join(d1, wd);
      a2 = join(a2, wa);
      b2 = join(b2, wb);
      c2 = join(c2, wc);
      d2 = join(d2, wd);
      a3 = join(a3, wa);
      b3 = join(b3, wb);
      c3 = join(c3, wc);
      d3 = join(d3, wd);
      w -= 8 * 64;
      for (const endOfBlock = x0 + 32; x0 < endOfBlock; x0 += 4) {
        const p = v128.xor(v128.load(w), mask),
          q = v128.xor(v128.load(w, 16), mask),
          r = v128.xor(v128.load(w, 32), mask),
          s = v128.xor(v128.load(w, 48), mask);
        let y = v128.load32_splat(x0);
        a0 = dot4(p, y, a0);
        b0 = dot4(q, y, b0);
        c0 = dot4(r, y, c0);
        d0 = dot4(s, y, d0);
        y = v128.load32_splat(x1);
        a1 = dot4(p, y, a1);
        b1 = dot4(q, y, b1);
        c1 = dot4(r, y, c1);
        d1 = dot4(s, y, d1);
        y = v128.load32_splat(x2);
        a2 = dot4(p, y, a2);
        b2 = dot4(q, y, b2);
        c2 = dot4(r, y, c2);
        d2 = dot4(s, y, d2);
        y = v128.load32_splat(x3);
        a3 = dot4(p, y, a3);
        b3 = dot4(q, y, b3);
        c3 = dot4(r, y, c3);
        d3 = dot4(s, y, d3);
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += 64;
      }
    } else {
      let pFifths = a0,
        qFifths = a0,
        rFifths = a0,
        sFifths = a0;
      if (hasFifth<F>()) {
        pFifths = v128.load(w);
        qFifths = v128.load(w, 16);
        rFifths = v128.load(w, 32);
        sFifths = v128.load(w, 48);
        w += 64;
      }
      for (const endOfBlock = x0 + (kind == INT16 ? 64 : 32); x0 < endOfBlock; x0 += 8) {
        const p = v128.load(w),
          q = v128.load(w, 16),
          r = v128.load(w, 32),
          s = v128.load(w, 48);
        const pFirst = first<F>(p, pFifths, mask, fifth),
          qFirst = first<F>(q, qFifths, mask, fifth),
          rFirst = first<F>(r, rFifths, mask, fifth),
          sFirst = first<F>(s, sFifths, mask, fifth);
        const pSecond = second<F>(p, pFifths, mask, fifth),
          qSecond = second<F>(q, qFifths, mask, fifth),
          rSecond = second<F>(r, rFifths, mask, fifth),
          sSecond = second<F>(s, sFifths, mask, fifth);
        if (hasFifth<F>()) {
          pFifths = i32x4.shr_u(pFifths, 2);
          qFifths = i32x4.shr_u(qFifths, 2);
          rFifths = i32x4.shr_u(rFifths, 2);
          sFifths = i32x4.shr_u(sFifths, 2);
        }
        let y = v128.load32_splat(x0);
        a0 = add<F>(a0, pFirst, y);
        b0 = add<F>(b0, qFirst, y);
        c0 = add<F>(c0, rFirst, y);
        d0 = add<F>(d0, sFirst, y);
        y = v128.load32_splat(x0, 4);
        a0 = add<F>(a0, pSecond, y);
        b0 = add<F>(b0, qSecond, y);
        c0 = add<F>(c0, rSecond, y);
        d0 = add<F>(d0, sSecond, y);
        y = v128.load32_splat(x1);
        a1 = add<F>(a1, pFirst, y);
        b1 = add<F>(b1, qFirst, y);
        c1 = add<F>(c1, rFirst, y);
        d1 = add<F>(d1, sFirst, y);
        y = v128.load32_splat(x1, 4);
        a1 = add<F>(a1, pSecond, y);
        b1 = add<F>(b1, qSecond, y);
        c1 = add<F>(c1, rSecond, y);
        d1 = add<F>(d1, sSecond, y);
        y = v128.load32_splat(x2);
        a2 = add<F>(a2, pFirst, y);
        b2 = add<F>(b2, qFirst, y);
        c2 = add<F>(c2, rFirst, y);
        d2 = add<F>(d2, sFirst, y);
        y = v128.load32_splat(x2, 4);
        a2 = add<F>(a2, pSecond, y);
        b2 = add<F>(b2, qSecond, y);
        c2 = add<F>(c2, rSecond, y);
        d2 = add<F>(d2, sSecond, y);
        y = v128.load32_splat(x3);
        a3 = add<F>(a3, pFirst, y);
        b3 = add<F>(b3, qFirst, y);
        c3 = add<F>(c3, rFirst, y);
        d3 = add<F>(d3, sFirst, y);
        y = v128.load32_splat(x3, 4);
        a3 = add<F>(a3, pSecond, y);
        b3 = add<F>(b3, qSecond, y);
        c3 = add<F>(c3, rSecond, y);
        d3 = add<F>(d3, sSecond, y);
        x1 += 8;
        x2 += 8;
        x3 += 8;
        w += 64;
      }
    }
    const halves = v128.load(w),
      more = v128.load(w, 16);
    const p = lowHalves(halves, shift, fields, unit),
      q = lowHalves(more, shift, fields, unit),
      r = highHalves(halves, fields, unit),
      s = highHalves(more, fields, unit);
    // All is loaded before anything is stored, for the last of the rows may be the same one.
    let scale = v128.load32_splat(s0);
    if (hasMinimum<F>()) {
      const lower = v128.load(w, 32),
        upper = v128.load(w, 48);
      const mp = lowHalves(lower, shift, fields, unit),
        mq = lowHalves(upper, shift, fields, unit),
        mr = highHalves(lower, fields, unit),
        ms = highHalves(upper, fields, unit);
      let negative = total(offset0, ones),
        sum = sumFrom<F>(negative);
      a0 = i32x4.sub(total(a0, ones), negative);
      b0 = i32x4.sub(total(b0, ones), negative);
      c0 = i32x4.sub(total(c0, ones), negative);
      d0 = i32x4.sub(total(d0, ones), negative);
      a0 = addBlockWithMinimum(v128.load(o0), a0, p, mp, sum, scale);
      b0 = addBlockWithMinimum(v128.load(o0, 16), b0, q, mq, sum, scale);
      c0 = addBlockWithMinimum(v128.load(o0, 32), c0, r, mr, sum, scale);
      d0 = addBlockWithMinimum(v128.load(o0, 48), d0, s, ms, sum, scale);
      scale = v128.load32_splat(s1);
      negative = total(offset1, ones);
      sum = sumFrom<F>(negative);
      a1 = i32x4.sub(total(a1, ones), negative);
      b1 = i32x4.sub(total(b1, ones), negative);
      c1 = i32x4.sub(total(c1, ones), negative);
      d1 = i32x4.sub(total(d1, ones), negative);
      a1 = addBlockWithMinimum(v128.load(o1), a1, p, mp, sum, scale);
      b1 = addBlockWithMinimum(v128.load(o1, 16), b1, q, mq, sum, scale);
      c1 = addBlockWithMinimum(v128.load(o1, 32), c1, r, mr, sum, scale);
      d1 = addBlockWithMinimum(v128.load(o1, 48), d1, s, ms, sum, scale);
      scale = v128.load32_splat(s2);
      negative = total(offset2, ones);
      sum = sumFrom<F>(negative);
      a2 = i32x4.sub(total(a2, ones), negative);
      b2 = i32x4.sub(total(b2, ones), negative);
      c2 = i32x4.sub(total(c2, ones), negative);
      d2 = i32x4.sub(total(d2, ones), negative);
      a2 = addBlockWithMinimum(v128.load(o2), a2, p, mp, sum, scale);
      b2 = addBlockWithMinimum(v128.load(o2, 16), b2, q, mq, sum, scale);
      c2 = addBlockWithMinimum(v128.load(o2, 32), c2, r, mr, sum, scale);
      d2 = addBlockWithMinimum(v128.load(o2, 48), d2, s, ms, sum, scale);
      scale = v128.load32_splat(s3);
      negative = total(offset3, ones);
      sum = sumFrom<F>(negative);
      a3 = i32x4.sub(total(a3, ones), negative);
      b3 = i32x4.sub(total(b3, ones), negative);
      c3 = i32x4.sub(total(c3, ones), negative);
      d3 = i32x4.sub(total(d3, ones), negative);
      a3 = addBlockWithMinimum(v128.load(o3), a3, p, mp, sum, scale);
      b3 = addBlockWithMinimum(v128.load(o3, 16), b3, q, mq, sum, scale);
      c3 = addBlockWithMinimum(v128.load(o3, 32), c3, r, mr, sum, scale);
      d3 = addBlockWithMinimum(v128.load(o3, 48), d3, s, ms, sum, scale);
    } else {
      a0 = addBlock(v128.load(o0), sumOf<F>(a0, ones), p, scale);
      b0 = addBlock(v128.load(o0, 16), sumOf<F>(b0, ones), q, scale);
      c0 = addBlock(v128.load(o0, 32), sumOf<F>(c0, ones), r, scale);
      d0 = addBlock(v128.load(o0, 48), sumOf<F>(d0, ones), s, scale);
      scale = v128.load32_splat(s1);
      a1 = addBlock(v128.load(o1), sumOf<F>(a1, ones), p, scale);
      b1 = addBlock(v128.load(o1, 16), sumOf<F>(b1, ones), q, scale);
      c1 = addBlock(v128.load(o1, 32), sumOf<F>(c1, ones), r, scale);
      d1 = addBlock(v128.load(o1, 48), sumOf<F>(d1, ones), s, scale);
      scale = v128.load32_splat(s2);
      a2 = addBlock(v128.load(o2), sumOf<F>(a2, ones), p, scale);
      b2 = addBlock(v128.load(o2, 16), sumOf<F>(b2, ones), q, scale);
      c2 = addBlock(v128.load(o2, 32), sumOf<F>(c2, ones), r, scale);
      d2 = addBlock(v128.load(o2, 48), sumOf<F>(d2, ones), s, scale);
      scale = v128.load32_splat(s3);
      a3 = addBlock(v128.load(o3), sumOf<F>(a3, ones), p, scale);
      b3 = addBlock(v128.load(o3, 16), sumOf<F>(b3, ones), q, scale);
      c3 = addBlock(v128.load(o3, 32), sumOf<F>(c3, ones), r, scale);
      d3 = addBlock(v128.load(o3, 48), sumOf<F>(d3, ones), s, scale);
    }
    store64(o0, a0, b0, c0, d0);
    store64(o1, a1, b1, c1, d1);
    store64(o2, a2, b2, c2, d2);
    store64(o3, a3, b3, c3, d3);
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    w += hasMinimum<F>() ? 2 * SCALE_BYTES : SCALE_BYTES;
  }
}

/** What the sums of a block begin at. */
// @ts-ignore: decorator
@inline
function startOf<F>(sums: usize): v128 {
  if (kindOf<F>() == HALVES) return i32x4.splat(0);
  return isQ8<F>() ? v128.load32_splat(sums) : offsetAt<F>(sums);
}

/** What meets the first four bytes of activations: the even k, or the low nibbles. */
// @ts-ignore: decorator
@inline
function first<F>(weights: v128, fifths: v128, mask: v128, fifth: v128): v128 {
  return isQ8<F>() ? v128.and(weights, mask) : firstOf<F>(weights, fifths, mask, fifth);
}

/** What meets the next four: the odd k, or the high nibbles. */
// @ts-ignore: decorator
@inline
function second<F>(weights: v128, fifths: v128, mask: v128, fifth: v128): v128 {
  return isQ8<F>() ? i16x8.shr_s(weights, 8) : secondOf<F>(weights, fifths, mask, fifth);
}

// @ts-ignore: decorator
@inline
function add<F>(sum: v128, weights: v128, x: v128): v128 {
  return isQ8<F>() ? i32x4.add(sum, i32x4.dot_i16x8_s(weights, x)) : addProducts(sum, x, weights);
}

// @ts-ignore: decorator
@inline
function sumOf<F>(sum: v128, ones: v128): v128 {
  return isQ8<F>() ? sum : total(sum, ones);
}
