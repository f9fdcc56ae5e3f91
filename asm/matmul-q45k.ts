/**
 * A linear layer with Q4_K or Q5_K weights and activations of 8 bits (`quantize8K`). With
 * superblocks B of 256, blocks b of 32 in them, and q = 0 … 15 or 0 … 31,
 *
 *   out[r, n] = Σ_B d_x[r, B] · (d[n, B] · S − d_min[n, B] · M)
 *
 *   S = Σ_b s[n, b] · Σ_k xq[r, k] · q[n, k],   M = Σ_b m[n, b] · Σ_k xq[r, k],   s, m = 0 … 63
 *
 * Numerics: S and M are exact integers, below 2^26. They become float32, are multiplied by
 * d and d_min, subtracted, multiplied by d_x and added to the total, each step rounded; superblocks
 * in order.
 */
import { hold } from './hold';
import { add64, EVEN, quarter } from './lanes';
import { addFirst, addSecond } from './matmul-q45';
import { MINIMUM_SUMS_AT, SUMS_BYTES } from './quantize';
import { FIFTH_BIT, NIBBLES, ONES, total } from './small-weights';
import { superblock } from './superblock';
import { hasFifth, quantsAt, scalesAt, superblockBytes } from './weight-format';

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
  const nibbles = hold(NIBBLES, <u32>blocks),
    ones = hold(ONES, <u32>blocks),
    byte = hold(255, <u32>blocks),
    fifth = hold(FIFTH_BIT, <u32>blocks);
  for (const end = xScales + ((blocks >> 3) << 2); xScales < end; xScales += 4) {
    let ta = i32x4.splat(0),
      tb = ta,
      tc = ta,
      td = ta;
    let quants = weights + quantsAt<F>();
    for (let block: usize = 0; block < 8; block++) {
      let fa = ta,
        fb = ta,
        fc = ta,
        fd = ta;
      if (hasFifth<F>()) {
        fa = v128.load(quants);
        fb = v128.load(quants, 16);
        fc = v128.load(quants, 32);
        fd = v128.load(quants, 48);
        quants += 64;
      }
      const scales = weights + scalesAt<F>() + ((block >> 2) << 6),
        shift = (<i32>block & 3) << 3;
      const sa = scaleAt(v128.load(scales), shift, byte),
        sb = scaleAt(v128.load(scales, 16), shift, byte),
        sc = scaleAt(v128.load(scales, 32), shift, byte),
        sd = scaleAt(v128.load(scales, 48), shift, byte);
      const endOfBlock = xq + 32;
      do {
        let a = i32x4.splat(0),
          b = a,
          c = a,
          d = a;
        for (const end = xq + partOf<F>(); xq < end; xq += 8) {
          const first = v128.load32_splat(xq),
            second = v128.load32_splat(xq, 4);
          const p = v128.load(quants),
            q = v128.load(quants, 16),
            r = v128.load(quants, 32),
            s = v128.load(quants, 48);
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
          quants += 64;
        }
        ta = i32x4.add(ta, i32x4.mul(total(a, ones), sa));
        tb = i32x4.add(tb, i32x4.mul(total(b, ones), sb));
        tc = i32x4.add(tc, i32x4.mul(total(c, ones), sc));
        td = i32x4.add(td, i32x4.mul(total(d, ones), sd));
      } while (hasFifth<F>() && xq < endOfBlock);
    }
    const ma = minimumSumAt<F>(weights, 0, xSums),
      mb = minimumSumAt<F>(weights, 1, xSums),
      mc = minimumSumAt<F>(weights, 2, xSums),
      md = minimumSumAt<F>(weights, 3, xSums);
    const scale = v128.load32_splat(xScales);
    const sa = superblock<F>(ta, v128.load(weights), ma, v128.load(weights, 64), scale),
      sb = superblock<F>(tb, v128.load(weights, 16), mb, v128.load(weights, 80), scale),
      sc = superblock<F>(tc, v128.load(weights, 32), mc, v128.load(weights, 96), scale),
      sd = superblock<F>(td, v128.load(weights, 48), md, v128.load(weights, 112), scale);
    add64(out, sa, sb, sc, sd);
    weights += superblockBytes<F>();
    xSums += SUMS_BYTES;
  }
}

/**
 * Of how many numbers products are summed before they are weighed: all 32 of a block, or half of
 * them, because 16 products with five bits do not fit (`small-weights.ts`).
 */
// @ts-ignore: decorator
@inline
export function partOf<F>(): usize {
  return hasFifth<F>() ? 16 : 32;
}

/** That byte of each lane which `shift` bits lie below; `byte` is 255 in every lane. */
// @ts-ignore: decorator
@inline
function scaleAt(packed: v128, shift: i32, byte: v128): v128 {
  return v128.and(i32x4.shr_u(packed, shift), byte);
}

/** Where the minima of the blocks of a superblock begin: behind their scales. */
// @ts-ignore: decorator
@inline
export function minimaAt<F>(): usize {
  return scalesAt<F>() + 2 * 64;
}

/**
 * −Σ_b m · Σ xq of four outputs, whose minima are those of blocks 0 to 3 and 4 to 7, a byte each.
 * (Each is loaded once, by a name: V8 packs nothing where it is loaded twice.)
 */
// @ts-ignore: decorator
@inline
export function minimumSum(first: v128, second: v128, xSums: usize): v128 {
  const even = i32x4.splat(EVEN);
  const a = i32x4.dot_i16x8_s(v128.and(first, even), v128.load32_splat(xSums, MINIMUM_SUMS_AT)),
    b = i32x4.dot_i16x8_s(i16x8.shr_u(first, 8), v128.load32_splat(xSums, MINIMUM_SUMS_AT + 4));
  const c = i32x4.dot_i16x8_s(
      v128.and(second, even),
      v128.load32_splat(xSums, MINIMUM_SUMS_AT + 8),
    ),
    d = i32x4.dot_i16x8_s(i16x8.shr_u(second, 8), v128.load32_splat(xSums, MINIMUM_SUMS_AT + 12));
  return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
}

/** The same of the n-th four outputs of the superblock at w. */
// @ts-ignore: decorator
@inline
function minimumSumAt<F>(w: usize, n: i32, xSums: usize): v128 {
  const minima = w + minimaAt<F>();
  return minimumSum(quarter(minima, n), quarter(minima + 64, n), xSums);
}
