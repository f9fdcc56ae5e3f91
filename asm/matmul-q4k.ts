/**
 * A linear layer with Q4_K weights and activations of 8 bits (`quantize8K`). With superblocks B of
 * 256, blocks b of 32 in them, and q = 0 … 15,
 *
 *   out[r, n] = Σ_B d_x[r, B] · (d[n, B] · Σ_b s[n, b] · Σ_k xq[r, k] · q[n, k] − d_min[n, B] · Σ_b
 *   m[n, b] · Σ_k xq[r, k]), s, m = 0 … 63
 *
 * Numerics: both sums over b are exact integers, below 2^25. They become float32, are multiplied by
 * d and d_min, subtracted, multiplied by d_x and added to the total, each step rounded; superblocks
 * in order.
 */
import { hold } from './hold';
import { quarter, store64 } from './lanes';
import { fourRowsOf } from './four-rows-k';
import { MINIMUM_SUMS_AT, SUMS_BYTES } from './quantize';
import { addLine, NIBBLES, ONES, total } from './small-weights';

/**
 * A superblock of 16 outputs: d and d_min (float32); for each four blocks 16 × 4 s, then for each
 * four 16 × 4 m (bytes); then the quants of each block.
 */
export const SCALES: usize = 2 * 4 * 16;
export const MINIMA: usize = SCALES + 8 * 16;
export const QUANTS: usize = MINIMA + 8 * 16;
const BLOCK_BYTES: usize = 16 * 16;
export const SUPERBLOCK_BYTES: usize = QUANTS + 8 * BLOCK_BYTES;
/** The first and the third of four bytes. */
const EVEN: u32 = 0x00ff00ff;

/** One row: `tiles` tiles, `tileBytes` apart, a superblock of each in turn. `out` begins as 0. */
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
  const nibbles = hold(NIBBLES, <u32>blocks),
    ones = hold(ONES, <u32>blocks),
    byte = hold(255, <u32>blocks);
  for (const end = xScales + ((blocks >> 3) << 2); xScales < end; xScales += 4) {
    let w = weights,
      o = out;
    for (const last = out + (tiles << 6); o < last; o += 64) {
      let ta = i32x4.splat(0),
        tb = ta,
        tc = ta,
        td = ta;
      let x = xq,
        quants = w + QUANTS;
      for (let block: usize = 0; block < 8; block++) {
        let a = i32x4.splat(0),
          b = a,
          c = a,
          d = a;
        for (const endOfBlock = x + 32; x < endOfBlock; x += 8) {
          const first = v128.load32_splat(x),
            second = v128.load32_splat(x, 4);
          const p = v128.load(quants),
            q = v128.load(quants, 16),
            r = v128.load(quants, 32),
            s = v128.load(quants, 48);
          a = addLine(a, p, first, second, nibbles);
          b = addLine(b, q, first, second, nibbles);
          c = addLine(c, r, first, second, nibbles);
          d = addLine(d, s, first, second, nibbles);
          quants += 64;
        }
        const scales = w + ((block >> 2) << 6),
          shift = (<i32>block & 3) << 3;
        const p = v128.load(scales, SCALES),
          q = v128.load(scales, SCALES + 16),
          r = v128.load(scales, SCALES + 32),
          s = v128.load(scales, SCALES + 48);
        ta = addWeighed(ta, total(a, ones), p, shift, byte);
        tb = addWeighed(tb, total(b, ones), q, shift, byte);
        tc = addWeighed(tc, total(c, ones), r, shift, byte);
        td = addWeighed(td, total(d, ones), s, shift, byte);
      }
      const ma = minimumSumAt(w, 0, xSums),
        mb = minimumSumAt(w, 1, xSums),
        mc = minimumSumAt(w, 2, xSums),
        md = minimumSumAt(w, 3, xSums);
      const scale = v128.load32_splat(xScales);
      const sa = superblock(ta, v128.load(w), ma, v128.load(w, 64), scale),
        sb = superblock(tb, v128.load(w, 16), mb, v128.load(w, 80), scale),
        sc = superblock(tc, v128.load(w, 32), mc, v128.load(w, 96), scale),
        sd = superblock(td, v128.load(w, 48), md, v128.load(w, 112), scale);
      store64(
        o,
        f32x4.add(v128.load(o), sa),
        f32x4.add(v128.load(o, 16), sb),
        f32x4.add(v128.load(o, 32), sc),
        f32x4.add(v128.load(o, 48), sd),
      );
      w += tileBytes;
    }
    weights += SUPERBLOCK_BYTES;
    xq += 256;
    xSums += SUMS_BYTES;
  }
}

/** total + sum · that byte of `scales` which `shift` bits lie below. */
// @ts-ignore: decorator
@inline
function addWeighed(total: v128, sum: v128, scales: v128, shift: i32, byte: v128): v128 {
  return i32x4.add(total, i32x4.mul(sum, v128.and(i32x4.shr_u(scales, shift), byte)));
}

/** Of the n-th four outputs: the minima of blocks 0 and 2 of four, as int16. */
// @ts-ignore: decorator
@inline
export function evenMinima(minima: usize, n: i32): v128 {
  return v128.and(quarter(minima, n), i32x4.splat(EVEN));
}

/** … of blocks 1 and 3. */
// @ts-ignore: decorator
@inline
export function oddMinima(minima: usize, n: i32): v128 {
  return i16x8.shr_u(quarter(minima, n), 8);
}

/**
 * −Σ_b m · Σ xq of four outputs, whose minima are those of blocks 0 and 2, 1 and 3, 4 and 6, 5 and
 * 7.
 */
// @ts-ignore: decorator
@inline
export function minimumSum(m02: v128, m13: v128, m46: v128, m57: v128, xSums: usize): v128 {
  const a = i32x4.dot_i16x8_s(m02, v128.load32_splat(xSums, MINIMUM_SUMS_AT)),
    b = i32x4.dot_i16x8_s(m13, v128.load32_splat(xSums, MINIMUM_SUMS_AT + 4)),
    c = i32x4.dot_i16x8_s(m46, v128.load32_splat(xSums, MINIMUM_SUMS_AT + 8)),
    d = i32x4.dot_i16x8_s(m57, v128.load32_splat(xSums, MINIMUM_SUMS_AT + 12));
  return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
}

/** The same of the n-th four outputs of the superblock at w. */
// @ts-ignore: decorator
@inline
function minimumSumAt(w: usize, n: i32, xSums: usize): v128 {
  const first = w + MINIMA,
    second = w + MINIMA + 64;
  return minimumSum(
    evenMinima(first, n),
    oddMinima(first, n),
    evenMinima(second, n),
    oddMinima(second, n),
    xSums,
  );
}

/** What a superblock adds to the totals of four outputs. */
// @ts-ignore: decorator
@inline
export function superblock(
  sum: v128,
  unit: v128,
  minimum: v128,
  minimumUnit: v128,
  scale: v128,
): v128 {
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), unit);
  return f32x4.mul(
    f32x4.add(scaled, f32x4.mul(f32x4.convert_i32x4_s(minimum), minimumUnit)),
    scale,
  );
}

/** Four rows, over `superblocks` superblocks. */
export function fourRows(
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
  fourRowsOf(
    false,
    out,
    outBytes,
    x,
    xBytes,
    scales,
    scaleBytes,
    sums,
    sumBytes,
    r1,
    r2,
    r3,
    weights,
    superblocks,
  );
}
