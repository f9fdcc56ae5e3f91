/**
 * Four rows and all 16 outputs of a tile, for weights that come in blocks of 32: the integer sums
 * of a block, then its scales. Weights are unpacked in registers, once for four rows. The totals
 * lie in `out`: the registers are full.
 *
 * Numerics: see `matmul-q8.ts` and `matmul-q4.ts`.
 */
import { addBlock, dot4 } from './block';
import { HALF_FIELDS, HALF_SCALE, highHalves, LOW_HALF, lowHalves } from './half';
import { hold } from './hold';
import { store64 } from './lanes';
import { addProducts, high, low, NIBBLES, ONES, total } from './small-weights';

/** The even ones of four bytes. */
export const EVEN: u32 = 0x00ff00ff;
/** What is added to the even ones of four weights of q8_0. */
export const BIAS: u32 = 0x00800080;
/** Bytes of the scales of a block of 16 outputs. */
export const SCALE_BYTES: usize = 2 * 16;

/** q8_0 with int16 activations: a line has the same four k of each output. */
export const INT16: i32 = 0;
/** q8_0 with activations in halves: the same lines. */
export const HALVES: i32 = 1;
/** q4_0 with int8 activations: a line has the same eight k of each output. */
export const NIBBLE: i32 = 2;

/**
 * Over `blocks` blocks. Rows are those at 0, r1, r2, r3 times `…Bytes`; they may be the same. sums:
 * from the scale of a block of activations to what its sums begin at.
 */
// @ts-ignore: decorator
@inline
export function fourRowsOf(
  kind: i32,
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
  const fields = hold(HALF_FIELDS, <u32>blocks),
    unit = hold(HALF_SCALE, <u32>blocks),
    shift = hold(LOW_HALF, <u32>blocks),
    ones = hold(kind == HALVES ? 0x01010101 : ONES, <u32>blocks),
    mask = hold(kind == INT16 ? EVEN : kind == HALVES ? BIAS : NIBBLES, <u32>blocks);
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
    let a0 = kind == HALVES ? i32x4.splat(0) : v128.load32_splat(s0 + sums),
      b0 = a0,
      c0 = a0,
      d0 = a0;
    let a1 = kind == HALVES ? i32x4.splat(0) : v128.load32_splat(s1 + sums),
      b1 = a1,
      c1 = a1,
      d1 = a1;
    let a2 = kind == HALVES ? i32x4.splat(0) : v128.load32_splat(s2 + sums),
      b2 = a2,
      c2 = a2,
      d2 = a2;
    let a3 = kind == HALVES ? i32x4.splat(0) : v128.load32_splat(s3 + sums),
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
      for (const endOfBlock = x0 + (kind == INT16 ? 64 : 32); x0 < endOfBlock; x0 += 8) {
        const p = v128.load(w),
          q = v128.load(w, 16),
          r = v128.load(w, 32),
          s = v128.load(w, 48);
        const pFirst = first(kind, p, mask),
          qFirst = first(kind, q, mask),
          rFirst = first(kind, r, mask),
          sFirst = first(kind, s, mask);
        const pSecond = second(kind, p, mask),
          qSecond = second(kind, q, mask),
          rSecond = second(kind, r, mask),
          sSecond = second(kind, s, mask);
        let y = v128.load32_splat(x0);
        a0 = add(kind, a0, pFirst, y);
        b0 = add(kind, b0, qFirst, y);
        c0 = add(kind, c0, rFirst, y);
        d0 = add(kind, d0, sFirst, y);
        y = v128.load32_splat(x0, 4);
        a0 = add(kind, a0, pSecond, y);
        b0 = add(kind, b0, qSecond, y);
        c0 = add(kind, c0, rSecond, y);
        d0 = add(kind, d0, sSecond, y);
        y = v128.load32_splat(x1);
        a1 = add(kind, a1, pFirst, y);
        b1 = add(kind, b1, qFirst, y);
        c1 = add(kind, c1, rFirst, y);
        d1 = add(kind, d1, sFirst, y);
        y = v128.load32_splat(x1, 4);
        a1 = add(kind, a1, pSecond, y);
        b1 = add(kind, b1, qSecond, y);
        c1 = add(kind, c1, rSecond, y);
        d1 = add(kind, d1, sSecond, y);
        y = v128.load32_splat(x2);
        a2 = add(kind, a2, pFirst, y);
        b2 = add(kind, b2, qFirst, y);
        c2 = add(kind, c2, rFirst, y);
        d2 = add(kind, d2, sFirst, y);
        y = v128.load32_splat(x2, 4);
        a2 = add(kind, a2, pSecond, y);
        b2 = add(kind, b2, qSecond, y);
        c2 = add(kind, c2, rSecond, y);
        d2 = add(kind, d2, sSecond, y);
        y = v128.load32_splat(x3);
        a3 = add(kind, a3, pFirst, y);
        b3 = add(kind, b3, qFirst, y);
        c3 = add(kind, c3, rFirst, y);
        d3 = add(kind, d3, sFirst, y);
        y = v128.load32_splat(x3, 4);
        a3 = add(kind, a3, pSecond, y);
        b3 = add(kind, b3, qSecond, y);
        c3 = add(kind, c3, rSecond, y);
        d3 = add(kind, d3, sSecond, y);
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
    a0 = addBlock(v128.load(o0), sumOf(kind, a0, ones), p, scale);
    b0 = addBlock(v128.load(o0, 16), sumOf(kind, b0, ones), q, scale);
    c0 = addBlock(v128.load(o0, 32), sumOf(kind, c0, ones), r, scale);
    d0 = addBlock(v128.load(o0, 48), sumOf(kind, d0, ones), s, scale);
    scale = v128.load32_splat(s1);
    a1 = addBlock(v128.load(o1), sumOf(kind, a1, ones), p, scale);
    b1 = addBlock(v128.load(o1, 16), sumOf(kind, b1, ones), q, scale);
    c1 = addBlock(v128.load(o1, 32), sumOf(kind, c1, ones), r, scale);
    d1 = addBlock(v128.load(o1, 48), sumOf(kind, d1, ones), s, scale);
    scale = v128.load32_splat(s2);
    a2 = addBlock(v128.load(o2), sumOf(kind, a2, ones), p, scale);
    b2 = addBlock(v128.load(o2, 16), sumOf(kind, b2, ones), q, scale);
    c2 = addBlock(v128.load(o2, 32), sumOf(kind, c2, ones), r, scale);
    d2 = addBlock(v128.load(o2, 48), sumOf(kind, d2, ones), s, scale);
    scale = v128.load32_splat(s3);
    a3 = addBlock(v128.load(o3), sumOf(kind, a3, ones), p, scale);
    b3 = addBlock(v128.load(o3, 16), sumOf(kind, b3, ones), q, scale);
    c3 = addBlock(v128.load(o3, 32), sumOf(kind, c3, ones), r, scale);
    d3 = addBlock(v128.load(o3, 48), sumOf(kind, d3, ones), s, scale);
    store64(o0, a0, b0, c0, d0);
    store64(o1, a1, b1, c1, d1);
    store64(o2, a2, b2, c2, d2);
    store64(o3, a3, b3, c3, d3);
    s0 += 4;
    s1 += 4;
    s2 += 4;
    s3 += 4;
    w += SCALE_BYTES;
  }
}

/** What meets the first four bytes of activations: the even k, or the low nibbles. */
// @ts-ignore: decorator
@inline
function first(kind: i32, weights: v128, mask: v128): v128 {
  return kind == INT16 ? v128.and(weights, mask) : low(weights, mask);
}

/** What meets the next four: the odd k, or the high nibbles. */
// @ts-ignore: decorator
@inline
function second(kind: i32, weights: v128, mask: v128): v128 {
  return kind == INT16 ? i16x8.shr_s(weights, 8) : high(weights, mask);
}

// @ts-ignore: decorator
@inline
function add(kind: i32, sum: v128, weights: v128, x: v128): v128 {
  return kind == INT16
    ? i32x4.add(sum, i32x4.dot_i16x8_s(weights, x))
    : addProducts(sum, x, weights);
}

/** 128 · high − 8192 · weights */
// @ts-ignore: decorator
@inline
export function join(high: v128, weights: v128): v128 {
  return i32x4.sub(i32x4.shl(high, 7), i32x4.shl(weights, 13));
}

// @ts-ignore: decorator
@inline
function sumOf(kind: i32, sum: v128, ones: v128): v128 {
  return kind == NIBBLE ? total(sum, ones) : sum;
}
