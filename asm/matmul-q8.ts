/**
 * A linear layer with q8_0 weights and activations of 14 bits (`quantize.ts`).
 *
 *   out[r, n] = Σ_b (Σ_{k in block b} xq[r, k] · wq[n, k]) · d_w[n, b] · d_x[r, b]
 *
 * Numerics: the sum over a block is an exact integer (at most 2^25), rounded to float32, then times
 * d_w, times d_x, each rounded; blocks are added in order. The same in every variant. Weights are
 * exact, activations off by 2^−14 of the largest in their block: less than q8_0 itself.
 *
 * Weights lie by fours: k, k + 1, k + 2, k + 3 of each output, the even ones with 128 added, so that
 * a mask makes int16 of them, and a shift of the others. xSums takes the 128 away again.
 *
 * Where the dot product over four bytes is a single instruction (DOT4), activations come as two
 * 7-bit halves of u = q + 8192 = 128·h + l, and
 *
 *   Σ q·w = 128 · Σ h·w + Σ l·w − 8192 · Σ w
 */
import { addBlock, dot4 } from './block';
import { fourRowsOf, HALVES, INT16 } from './four-rows';
import { HALF_FIELDS, HALF_SCALE, highHalves, lowHalves, LOW_HALF } from './half';
import { hold } from './hold';
import { store64 } from './lanes';

/** Of a block of 32 numbers of 16 outputs. */
const QUANT_BYTES: usize = 32 * 16;
export const BLOCK_BYTES: usize = QUANT_BYTES + 2 * 16;
/** Of a block of activations. */
const X_BYTES: usize = 64;

/** What is added to the even ones of four weights. */
export const BIAS: u32 = 0x00800080;
/** The even bytes. */
const EVEN: u32 = 0x00ff00ff;

/**
 * One row: `tiles` tiles, `tileBytes` apart, a block of each in turn. `out` begins as 0.
 */
// @ts-ignore: decorator
@inline
export function oneRow(
  out: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  weights: usize,
  tileBytes: usize,
  tiles: usize,
  blocks: usize,
): void {
  const fields = hold(HALF_FIELDS, <u32>blocks),
    unit = hold(HALF_SCALE, <u32>blocks),
    shift = hold(LOW_HALF, <u32>blocks);
  const mask = hold(isDefined(DOT4) ? BIAS : EVEN, <u32>blocks),
    ones = hold(0x01010101, <u32>blocks);
  const sums = xSums - xScales;
  for (const end = xScales + (blocks << 2); xScales < end; xScales += 4) {
    let w = weights,
      o = out;
    for (const last = out + (tiles << 6); o < last; o += 64) {
      let a = isDefined(DOT4) ? i32x4.splat(0) : v128.load32_splat(xScales + sums),
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
        a = joinHalves(a, la, wa);
        b = joinHalves(b, lb, wb);
        c = joinHalves(c, lc, wc);
        d = joinHalves(d, ld, wd);
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
      a = addBlock(v128.load(o), a, lowHalves(p, shift, fields, unit), scale);
      b = addBlock(v128.load(o, 16), b, lowHalves(q, shift, fields, unit), scale);
      c = addBlock(v128.load(o, 32), c, highHalves(p, fields, unit), scale);
      d = addBlock(v128.load(o, 48), d, highHalves(q, fields, unit), scale);
      v128.store(o, a);
      v128.store(o, b, 16);
      v128.store(o, c, 32);
      v128.store(o, d, 48);
      w += tileBytes - QUANT_BYTES;
    }
    weights += BLOCK_BYTES;
    xq += X_BYTES;
  }
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

/** 128 · high + low − 8192 · weights */
// @ts-ignore: decorator
@inline
function joinHalves(high: v128, low: v128, weights: v128): v128 {
  return i32x4.sub(i32x4.add(i32x4.shl(high, 7), low), i32x4.shl(weights, 13));
}

/**
 * Unpacks `blocks` blocks of a tile: as int16, of each four the even ones, then the odd ones; with
 * DOT4 as bytes, then −8192 · Σ w. Then the scales, as float32.
 */
export function prepare(to: usize, w: usize, blocks: usize): void {
  const fields = i32x4.splat(HALF_FIELDS),
    unit = i32x4.splat(HALF_SCALE),
    shift = i32x4.splat(LOW_HALF);
  const mask = i32x4.splat(isDefined(DOT4) ? BIAS : EVEN);
  for (const end = w + blocks * BLOCK_BYTES; w < end; ) {
    let a = i32x4.splat(0),
      b = a,
      c = a,
      d = a;
    for (const endOfQuants = w + QUANT_BYTES; w < endOfQuants; w += 64) {
      const p = v128.load(w),
        q = v128.load(w, 16),
        r = v128.load(w, 32),
        s = v128.load(w, 48);
      if (isDefined(DOT4)) {
        const ones = i32x4.splat(0x01010101);
        store64(
          to,
          v128.xor(p, mask),
          v128.xor(q, mask),
          v128.xor(r, mask),
          v128.xor(s, mask),
        );
        a = dot4(v128.xor(p, mask), ones, a);
        b = dot4(v128.xor(q, mask), ones, b);
        c = dot4(v128.xor(r, mask), ones, c);
        d = dot4(v128.xor(s, mask), ones, d);
        to += 64;
      } else {
        const bias = i16x8.splat(128);
        store64(
          to,
          i16x8.sub(v128.and(p, mask), bias),
          i16x8.sub(v128.and(q, mask), bias),
          i16x8.sub(v128.and(r, mask), bias),
          i16x8.sub(v128.and(s, mask), bias),
        );
        store64(to + 64, i16x8.shr_s(p, 8), i16x8.shr_s(q, 8), i16x8.shr_s(r, 8), i16x8.shr_s(s, 8));
        to += 128;
      }
    }
    if (isDefined(DOT4)) {
      store64(
        to,
        i32x4.neg(i32x4.shl(a, 13)),
        i32x4.neg(i32x4.shl(b, 13)),
        i32x4.neg(i32x4.shl(c, 13)),
        i32x4.neg(i32x4.shl(d, 13)),
      );
      to += 64;
    }
    const p = v128.load(w),
      q = v128.load(w, 16);
    store64(
      to,
      lowHalves(p, shift, fields, unit),
      lowHalves(q, shift, fields, unit),
      highHalves(p, fields, unit),
      highHalves(q, fields, unit),
    );
    to += 64;
    w += 32;
  }
}

/** Four rows, with a prepared panel. */
export function fourRows(
  out: usize,
  outBytes: usize,
  x: usize,
  xBytes: usize,
  scales: usize,
  scaleBytes: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  panel: usize,
  blocks: usize,
): void {
  const kind = isDefined(DOT4) ? HALVES : INT16;
  fourRowsOf(kind, out, outBytes, x, xBytes, scales, scaleBytes, 0, r1, r2, r3, panel, blocks);
}
