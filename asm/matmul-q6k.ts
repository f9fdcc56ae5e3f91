/**
 * A linear layer with Q6_K weights and activations of 8 bits (`quantize8K`). With superblocks B of
 * 256, blocks b of 16 in them, q = 0 … 63 and s = −128 … 127,
 *
 *   out[r, n] = Σ_B d_x[r, B] · d[n, B] · Σ_b s[n, b] · Σ_k xq[r, k] · (q[n, k] − 32)
 *
 * Numerics: the sum over b is an exact integer, below 2^27. It becomes a float32, is multiplied by
 * d, then by d_x, and added to the total, each step rounded; superblocks in order. A sum over k
 * begins at the −32 · Σ xq that `quantize8K` has left in xSums, in the form that `small-weights.ts`
 * sums in.
 */
import { hold } from './hold';
import { add64, quarter } from './lanes';
import { SUMS_BYTES } from './quantize';
import { addProducts, ONES, total } from './small-weights';
import { superblock } from './superblock';
import { Q6_K, quantsAt, scalesAt, superblockBytes } from './weight-format';

/** The lower six bits of four bytes. */
export const SIX_BITS: u32 = 0x3f3f3f3f;

/** One row and `blocks` blocks of one tile, added to `out`. */
// @ts-ignore: decorator
@inline
export function oneRow(
  out: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  weights: usize,
  blocks: usize,
): void {
  const six = hold(SIX_BITS, <u32>blocks),
    ones = hold(ONES, <u32>blocks);
  for (const end = xScales + ((blocks >> 3) << 2); xScales < end; xScales += 4) {
    let ta = i32x4.splat(0),
      tb = ta,
      tc = ta,
      td = ta;
    let sums = xSums,
      quants = weights + quantsAt<Q6_K>();
    for (let block: usize = 0; block < 16; block++) {
      const x0 = v128.load32_splat(xq),
        x1 = v128.load32_splat(xq, 4),
        x2 = v128.load32_splat(xq, 8),
        x3 = v128.load32_splat(xq, 12),
        offset = v128.load32_splat(sums);
      const a = blockSum(offset, x0, x1, x2, x3, quants, 0, six),
        b = blockSum(offset, x0, x1, x2, x3, quants, 1, six),
        c = blockSum(offset, x0, x1, x2, x3, quants, 2, six),
        d = blockSum(offset, x0, x1, x2, x3, quants, 3, six);
      const scales = weights + scalesAt<Q6_K>() + ((block >> 2) << 6),
        shift = 24 - ((<i32>block & 3) << 3);
      const p = v128.load(scales),
        q = v128.load(scales, 16),
        r = v128.load(scales, 32),
        s = v128.load(scales, 48);
      ta = i32x4.add(ta, i32x4.mul(total(a, ones), signedByte(p, shift)));
      tb = i32x4.add(tb, i32x4.mul(total(b, ones), signedByte(q, shift)));
      tc = i32x4.add(tc, i32x4.mul(total(c, ones), signedByte(r, shift)));
      td = i32x4.add(td, i32x4.mul(total(d, ones), signedByte(s, shift)));
      xq += 16;
      sums += 4;
      quants += 192;
    }
    const scale = v128.load32_splat(xScales);
    const sa = superblock<Q6_K>(ta, v128.load(weights), ta, scale, scale),
      sb = superblock<Q6_K>(tb, v128.load(weights, 16), tb, scale, scale),
      sc = superblock<Q6_K>(tc, v128.load(weights, 32), tc, scale, scale),
      sd = superblock<Q6_K>(td, v128.load(weights, 48), td, scale, scale);
    add64(out, sa, sb, sc, sd);
    weights += superblockBytes<Q6_K>();
    xSums += SUMS_BYTES;
  }
}

/** offset + the products of the n-th four outputs of a block, whose first line is at p. */
// @ts-ignore: decorator
@inline
function blockSum(
  offset: v128,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  p: usize,
  n: i32,
  six: v128,
): v128 {
  const q0 = quarter(p, n),
    q1 = quarter(p + 64, n),
    q2 = quarter(p + 128, n);
  return addQuarters(
    offset,
    x0,
    x1,
    x2,
    x3,
    v128.and(q0, six),
    v128.and(q1, six),
    v128.and(q2, six),
    fourth(q0, q1, q2, six),
  );
}

/** sum + the products of the four quarters of a block. */
// @ts-ignore: decorator
@inline
export function addQuarters(
  sum: v128,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  u0: v128,
  u1: v128,
  u2: v128,
  u3: v128,
): v128 {
  const half = addProducts(addProducts(sum, x0, u0), x1, u1);
  return addProducts(addProducts(half, x2, u2), x3, u3);
}

/** Six bits from the two upper bits of three bytes. */
// @ts-ignore: decorator
@inline
export function fourth(q0: v128, q1: v128, q2: v128, six: v128): v128 {
  const upper0 = i16x8.shr_u(v128.andnot(q0, six), 6),
    upper1 = i16x8.shr_u(v128.andnot(q1, six), 4),
    upper2 = i16x8.shr_u(v128.andnot(q2, six), 2);
  return v128.or(v128.or(upper0, upper1), upper2);
}

/** Of each lane the byte whose highest bit `shift` moves to the highest of the lane. */
// @ts-ignore: decorator
@inline
export function signedByte(x: v128, shift: i32): v128 {
  return i32x4.shr_s(i32x4.shl(x, shift), 24);
}
