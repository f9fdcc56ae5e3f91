/**
 * A linear layer with q4_0 weights and activations of 8 bits (`quantize.ts`). With blocks b of 32
 * and q = 0 … 15,
 *
 *   out[r, n] = Σ_b Σ_k xq[r, k] · (q[n, k] − 8) · d[n, b] · d_x[r, b]
 *
 * Weights are exact, activations off by 2^−8 of the largest in their block.
 *
 * Numerics: the sum over k is an exact integer; it begins at the −8 · Σ xq that `quantize8` has
 * left in xSums, in the form that `small-weights.ts` sums in. Blocks are added in order, sum · d ·
 * d_x each, every step rounded.
 */
import { addBlock } from './block';
import { fourRowsOf, NIBBLE, SCALE_BYTES } from './four-rows';
import { HALF_FIELDS, HALF_SCALE, highHalves, LOW_HALF, lowHalves } from './half';
import { hold } from './hold';
import { store64 } from './lanes';
import { addLine, NIBBLES, ONES, total } from './small-weights';

/** Of a block of 32 numbers of 16 outputs. */
const QUANT_BYTES: usize = 16 * 16;
export const BLOCK_BYTES: usize = QUANT_BYTES + SCALE_BYTES;
/** Of a block of activations. */
const X_BYTES: usize = 32;

/** One row: `tiles` tiles, `tileBytes` apart, a block of each in turn. `out` begins as 0. */
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
  const nibbles = hold(NIBBLES, <u32>blocks),
    ones = hold(ONES, <u32>blocks);
  const sums = xSums - xScales;
  for (const end = xScales + (blocks << 2); xScales < end; xScales += 4) {
    let w = weights,
      o = out;
    for (const last = out + (tiles << 6); o < last; o += 64) {
      let a = v128.load32_splat(xScales + sums),
        b = a,
        c = a,
        d = a;
      let x = xq;
      for (const endOfBlock = x + X_BYTES; x < endOfBlock; x += 8) {
        const first = v128.load32_splat(x),
          second = v128.load32_splat(x, 4);
        const p = v128.load(w),
          q = v128.load(w, 16),
          r = v128.load(w, 32),
          s = v128.load(w, 48);
        a = addLine(a, p, first, second, nibbles);
        b = addLine(b, q, first, second, nibbles);
        c = addLine(c, r, first, second, nibbles);
        d = addLine(d, s, first, second, nibbles);
        w += 64;
      }
      const p = v128.load(w),
        q = v128.load(w, 16),
        scale = v128.load32_splat(xScales);
      a = addBlock(v128.load(o), total(a, ones), lowHalves(p, shift, fields, unit), scale);
      b = addBlock(v128.load(o, 16), total(b, ones), lowHalves(q, shift, fields, unit), scale);
      c = addBlock(v128.load(o, 32), total(c, ones), highHalves(p, fields, unit), scale);
      d = addBlock(v128.load(o, 48), total(d, ones), highHalves(q, fields, unit), scale);
      store64(o, a, b, c, d);
      w += tileBytes - QUANT_BYTES;
    }
    weights += BLOCK_BYTES;
    xq += X_BYTES;
  }
}

/** Four rows, over `blocks` blocks. `sums`: from their scales to their sums. */
export function fourRows(
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
  fourRowsOf(
    NIBBLE,
    out,
    outBytes,
    x,
    xBytes,
    scales,
    scaleBytes,
    sums,
    r1,
    r2,
    r3,
    weights,
    blocks,
  );
}
