/**
 * Four rows and all 16 outputs of a tile, over a panel that has been unpacked: per block of 32
 * numbers lines of 64 bytes, which hold the same two or four k of each output, then its scales as
 * float32. The totals lie in `out`: the registers are full.
 *
 * The k of a line meet the same bytes of each row: two int16, or four bytes.
 *
 * Numerics: the sum over a block is an exact integer; see `matmul-q8.ts` and `matmul-q4.ts`.
 */
import { addBlock, dot4 } from './block';
import { hold } from './hold';
import { addProducts, ONES, total } from './small-weights';

/** Lines and rows of int16. */
export const INT16: i32 = 0;
/** Lines of small bytes, rows of int8; a sum begins at what lies `sums` behind a row's scale. */
export const BYTES: i32 = 1;
/**
 * Lines of int8, rows of 32 upper and 32 lower halves; then a line of what is added to 128 times
 * the upper sum (`matmul-q8.ts`).
 */
export const HALVES: i32 = 2;

/** Outputs that are computed at a time, in bytes of `out`. */
const STEP: usize = isDefined(WIDE) ? 64 : 32;

/** Rows are those at 0, r1, r2, r3 times `…Bytes`; they may be the same. */
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
  panel: usize,
  blocks: usize,
): void {
  for (let step: usize = 0; step < 64; step += STEP) {
    let w = panel + step,
      x0 = x,
      x1 = x + r1 * xBytes,
      x2 = x + r2 * xBytes,
      x3 = x + r3 * xBytes;
    let s0 = scales,
      s1 = s0 + r1 * scaleBytes,
      s2 = s0 + r2 * scaleBytes,
      s3 = s0 + r3 * scaleBytes;
    const o0 = out + step,
      o1 = o0 + r1 * outBytes,
      o2 = o0 + r2 * outBytes,
      o3 = o0 + r3 * outBytes;
    for (const end = s0 + (blocks << 2); s0 < end; ) {
      let a0 = kind == BYTES ? v128.load32_splat(s0 + sums) : i32x4.splat(0),
        b0 = a0,
        c0 = a0,
        d0 = a0;
      let a1 = kind == BYTES ? v128.load32_splat(s1 + sums) : i32x4.splat(0),
        b1 = a1,
        c1 = a1,
        d1 = a1;
      let a2 = kind == BYTES ? v128.load32_splat(s2 + sums) : i32x4.splat(0),
        b2 = a2,
        c2 = a2,
        d2 = a2;
      let a3 = kind == BYTES ? v128.load32_splat(s3 + sums) : i32x4.splat(0),
        b3 = a3,
        c3 = a3,
        d3 = a3;
      for (const endOfBlock = x0 + (kind == INT16 ? 64 : 32); x0 < endOfBlock; x0 += 4) {
        const p = v128.load(w),
          q = v128.load(w, 16),
          r = isDefined(WIDE) ? v128.load(w, 32) : p,
          s = isDefined(WIDE) ? v128.load(w, 48) : p;
        let y = v128.load32_splat(x0);
        a0 = addLine(kind, a0, p, y);
        b0 = addLine(kind, b0, q, y);
        if (isDefined(WIDE)) {
          c0 = addLine(kind, c0, r, y);
          d0 = addLine(kind, d0, s, y);
        }
        y = v128.load32_splat(x1);
        a1 = addLine(kind, a1, p, y);
        b1 = addLine(kind, b1, q, y);
        if (isDefined(WIDE)) {
          c1 = addLine(kind, c1, r, y);
          d1 = addLine(kind, d1, s, y);
        }
        y = v128.load32_splat(x2);
        a2 = addLine(kind, a2, p, y);
        b2 = addLine(kind, b2, q, y);
        if (isDefined(WIDE)) {
          c2 = addLine(kind, c2, r, y);
          d2 = addLine(kind, d2, s, y);
        }
        y = v128.load32_splat(x3);
        a3 = addLine(kind, a3, p, y);
        b3 = addLine(kind, b3, q, y);
        if (isDefined(WIDE)) {
          c3 = addLine(kind, c3, r, y);
          d3 = addLine(kind, d3, s, y);
        }
        x1 += 4;
        x2 += 4;
        x3 += 4;
        w += 64;
      }
      if (kind == HALVES) {
        const p = v128.load(w),
          q = v128.load(w, 16),
          r = isDefined(WIDE) ? v128.load(w, 32) : p,
          s = isDefined(WIDE) ? v128.load(w, 48) : p;
        a0 = i32x4.add(i32x4.shl(a0, 7), p);
        b0 = i32x4.add(i32x4.shl(b0, 7), q);
        c0 = i32x4.add(i32x4.shl(c0, 7), r);
        d0 = i32x4.add(i32x4.shl(d0, 7), s);
        a1 = i32x4.add(i32x4.shl(a1, 7), p);
        b1 = i32x4.add(i32x4.shl(b1, 7), q);
        c1 = i32x4.add(i32x4.shl(c1, 7), r);
        d1 = i32x4.add(i32x4.shl(d1, 7), s);
        a2 = i32x4.add(i32x4.shl(a2, 7), p);
        b2 = i32x4.add(i32x4.shl(b2, 7), q);
        c2 = i32x4.add(i32x4.shl(c2, 7), r);
        d2 = i32x4.add(i32x4.shl(d2, 7), s);
        a3 = i32x4.add(i32x4.shl(a3, 7), p);
        b3 = i32x4.add(i32x4.shl(b3, 7), q);
        c3 = i32x4.add(i32x4.shl(c3, 7), r);
        d3 = i32x4.add(i32x4.shl(d3, 7), s);
        w -= 8 * 64;
        for (const endOfBlock = x0 + 32; x0 < endOfBlock; x0 += 4) {
          const p = v128.load(w),
            q = v128.load(w, 16),
            r = isDefined(WIDE) ? v128.load(w, 32) : p,
            s = isDefined(WIDE) ? v128.load(w, 48) : p;
          let y = v128.load32_splat(x0);
          a0 = addLine(kind, a0, p, y);
          b0 = addLine(kind, b0, q, y);
          if (isDefined(WIDE)) {
            c0 = addLine(kind, c0, r, y);
            d0 = addLine(kind, d0, s, y);
          }
          y = v128.load32_splat(x1);
          a1 = addLine(kind, a1, p, y);
          b1 = addLine(kind, b1, q, y);
          if (isDefined(WIDE)) {
            c1 = addLine(kind, c1, r, y);
            d1 = addLine(kind, d1, s, y);
          }
          y = v128.load32_splat(x2);
          a2 = addLine(kind, a2, p, y);
          b2 = addLine(kind, b2, q, y);
          if (isDefined(WIDE)) {
            c2 = addLine(kind, c2, r, y);
            d2 = addLine(kind, d2, s, y);
          }
          y = v128.load32_splat(x3);
          a3 = addLine(kind, a3, p, y);
          b3 = addLine(kind, b3, q, y);
          if (isDefined(WIDE)) {
            c3 = addLine(kind, c3, r, y);
            d3 = addLine(kind, d3, s, y);
          }
          x1 += 4;
          x2 += 4;
          x3 += 4;
          w += 64;
        }
        w += 64;
      }
      const p = v128.load(w),
        q = v128.load(w, 16),
        r = isDefined(WIDE) ? v128.load(w, 32) : p,
        s = isDefined(WIDE) ? v128.load(w, 48) : p;
      const ones = hold(ONES, <u32>blocks);
      // All is loaded before anything is stored, for the last of the rows may be the same one.
      let scale = v128.load32_splat(s0);
      a0 = addBlock(v128.load(o0), sumOf(kind, a0, ones), p, scale);
      b0 = addBlock(v128.load(o0, 16), sumOf(kind, b0, ones), q, scale);
      if (isDefined(WIDE)) {
        c0 = addBlock(v128.load(o0, 32), sumOf(kind, c0, ones), r, scale);
        d0 = addBlock(v128.load(o0, 48), sumOf(kind, d0, ones), s, scale);
      }
      scale = v128.load32_splat(s1);
      a1 = addBlock(v128.load(o1), sumOf(kind, a1, ones), p, scale);
      b1 = addBlock(v128.load(o1, 16), sumOf(kind, b1, ones), q, scale);
      if (isDefined(WIDE)) {
        c1 = addBlock(v128.load(o1, 32), sumOf(kind, c1, ones), r, scale);
        d1 = addBlock(v128.load(o1, 48), sumOf(kind, d1, ones), s, scale);
      }
      scale = v128.load32_splat(s2);
      a2 = addBlock(v128.load(o2), sumOf(kind, a2, ones), p, scale);
      b2 = addBlock(v128.load(o2, 16), sumOf(kind, b2, ones), q, scale);
      if (isDefined(WIDE)) {
        c2 = addBlock(v128.load(o2, 32), sumOf(kind, c2, ones), r, scale);
        d2 = addBlock(v128.load(o2, 48), sumOf(kind, d2, ones), s, scale);
      }
      scale = v128.load32_splat(s3);
      a3 = addBlock(v128.load(o3), sumOf(kind, a3, ones), p, scale);
      b3 = addBlock(v128.load(o3, 16), sumOf(kind, b3, ones), q, scale);
      if (isDefined(WIDE)) {
        c3 = addBlock(v128.load(o3, 32), sumOf(kind, c3, ones), r, scale);
        d3 = addBlock(v128.load(o3, 48), sumOf(kind, d3, ones), s, scale);
      }
      store(o0, a0, b0, c0, d0);
      store(o1, a1, b1, c1, d1);
      store(o2, a2, b2, c2, d2);
      store(o3, a3, b3, c3, d3);
      s0 += 4;
      s1 += 4;
      s2 += 4;
      s3 += 4;
      w += 64;
    }
  }
}

// @ts-ignore: decorator
@inline
function addLine(kind: i32, sum: v128, weights: v128, x: v128): v128 {
  if (kind == INT16) return i32x4.add(sum, i32x4.dot_i16x8_s(weights, x));
  return kind == BYTES ? addProducts(sum, x, weights) : dot4(weights, x, sum);
}

// @ts-ignore: decorator
@inline
function sumOf(kind: i32, sum: v128, ones: v128): v128 {
  return kind == BYTES ? total(sum, ones) : sum;
}

// @ts-ignore: decorator
@inline
function store(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(out, a);
  v128.store(out, b, 16);
  if (isDefined(WIDE)) {
    v128.store(out, c, 32);
    v128.store(out, d, 48);
  }
}
