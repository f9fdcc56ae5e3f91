/**
 * A linear layer with q8_0 weights and activations of 14 bits (`quantize.ts`).
 *
 *   out[r, n] = Σ_b (Σ_{k in block b} xq[r, k] · wq[n, k]) · d_w[n, b] · d_x[r, b]
 *
 * Numerics: the sum over a block is an exact integer (at most 2^25), rounded to float32, then times
 * d_w, times d_x, each rounded; blocks are added in order. The same in every variant. Weights are
 * exact, activations off by 2^−14 of the largest in their block: less than q8_0 itself.
 *
 * Weights lie by fours: k, k + 1, k + 2, k + 3 of each output, the even ones with 128 added, so
 * that a mask makes int16 of them, and a shift of the others. xSums takes the 128 away again.
 *
 * Where the dot product over four bytes is a single instruction (DOT4), activations come as two
 * 7-bit halves of u = q + 8192 = 128·h + l, and
 *
 *   Σ q·w = 128 · Σ h·w + Σ l·w − 8192 · Σ w
 */
import { addBlock, dot4 } from './block';
import { HALF_FIELDS, HALF_SCALE, highHalves, lowHalves, LOW_HALF } from './half';
import { hold } from './hold';
import { EVEN, store64 } from './lanes';
import { BIAS, blockBytes, Q8_0, quantBytes } from './weight-format';

/** Of a block of activations. */
const X_BYTES: usize = 64;

/** One row and `blocks` blocks of one tile, added to `out`. */
// @ts-ignore: decorator
@inline
export function oneRow(
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
  const mask = hold(isDefined(DOT4) ? BIAS : EVEN, <u32>blocks),
    ones = hold(0x01010101, <u32>blocks);
  let ta = v128.load(out),
    tb = v128.load(out, 16),
    tc = v128.load(out, 32),
    td = v128.load(out, 48);
  for (const end = xScales + (blocks << 2); xScales < end; xScales += 4) {
    let a = isDefined(DOT4) ? i32x4.splat(0) : v128.load32_splat(xSums),
      b = a,
      c = a,
      d = a;
    let x = xq;
    if (isDefined(DOT4)) {
      let la = a,
        lb = a,
        lc = a,
        ld = a;
      let wa = a,
        wb = a,
        wc = a,
        wd = a;
      for (const endOfBlock = x + 32; x < endOfBlock; x += 4) {
        const h = v128.load32_splat(x),
          l = v128.load32_splat(x, 32);
        const p = v128.xor(v128.load(w), mask),
          q = v128.xor(v128.load(w, 16), mask),
          r = v128.xor(v128.load(w, 32), mask),
          s = v128.xor(v128.load(w, 48), mask);
        a = dot4(p, h, a);
        b = dot4(q, h, b);
        c = dot4(r, h, c);
        d = dot4(s, h, d);
        la = dot4(p, l, la);
        lb = dot4(q, l, lb);
        lc = dot4(r, l, lc);
        ld = dot4(s, l, ld);
        wa = dot4(p, ones, wa);
        wb = dot4(q, ones, wb);
        wc = dot4(r, ones, wc);
        wd = dot4(s, ones, wd);
        w += 64;
      }
      a = i32x4.add(join(a, wa), la);
      b = i32x4.add(join(b, wb), lb);
      c = i32x4.add(join(c, wc), lc);
      d = i32x4.add(join(d, wd), ld);
    } else {
      for (const endOfBlock = x + X_BYTES; x < endOfBlock; x += 8) {
        const even = v128.load32_splat(x),
          odd = v128.load32_splat(x, 4);
        const p = v128.load(w),
          q = v128.load(w, 16),
          r = v128.load(w, 32),
          s = v128.load(w, 48);
        a = addFour(a, p, mask, even, odd);
        b = addFour(b, q, mask, even, odd);
        c = addFour(c, r, mask, even, odd);
        d = addFour(d, s, mask, even, odd);
        w += 64;
      }
    }
    const p = v128.load(w),
      q = v128.load(w, 16),
      scale = v128.load32_splat(xScales);
    ta = addBlock(ta, a, lowHalves(p, shift, fields, unit), scale);
    tb = addBlock(tb, b, lowHalves(q, shift, fields, unit), scale);
    tc = addBlock(tc, c, highHalves(p, fields, unit), scale);
    td = addBlock(td, d, highHalves(q, fields, unit), scale);
    w += blockBytes<Q8_0>() - quantBytes<Q8_0>();
    xq += X_BYTES;
    xSums += 4;
  }
  store64(out, ta, tb, tc, td);
}

/** sum + four products of each of four outputs. */
// @ts-ignore: decorator
@inline
function addFour(sum: v128, weights: v128, mask: v128, even: v128, odd: v128): v128 {
  return i32x4.add(
    i32x4.add(sum, i32x4.dot_i16x8_s(v128.and(weights, mask), even)),
    i32x4.dot_i16x8_s(i16x8.shr_s(weights, 8), odd),
  );
}

/** 128 · Σ h·w − 8192 · Σ w, from the two sums. */
// @ts-ignore: decorator
@inline
export function join(high: v128, weights: v128): v128 {
  return i32x4.sub(i32x4.shl(high, 7), i32x4.shl(weights, 13));
}
