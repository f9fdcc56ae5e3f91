/**
 * Linear layers with K weights: tiles and rows; the arithmetic of one format each is in
 * `matmul-q4k.ts` and `matmul-q6k.ts`.
 */
import * as q4k from './matmul-q4k';
import * as q6k from './matmul-q6k';
import { SUMS_BYTES } from './quantize';

/**
 * xq int8 [rows][blocks][32], xScales float32 [rows][blocks / 8], xSums int16 [rows][blocks][2];
 * `blocks` of 32 are a multiple of 8.
 */
export function matmulQ4K(
  out: usize,
  outStride: u32,
  xq: usize,
  xScales: usize,
  xSums: usize,
  rows: u32,
  weights: usize,
  blocks: u32,
  firstTile: u32,
  endTile: u32,
): void {
  matmul(false, out, outStride, xq, xScales, xSums, rows, weights, blocks >> 3, firstTile, endTile);
}

/** The same. */
export function matmulQ6K(
  out: usize,
  outStride: u32,
  xq: usize,
  xScales: usize,
  xSums: usize,
  rows: u32,
  weights: usize,
  blocks: u32,
  firstTile: u32,
  endTile: u32,
): void {
  matmul(true, out, outStride, xq, xScales, xSums, rows, weights, blocks >> 3, firstTile, endTile);
}

// @ts-ignore: decorator
@inline
function matmul(
  isQ6: bool,
  out: usize,
  outStride: u32,
  xq: usize,
  xScales: usize,
  xSums: usize,
  rows: u32,
  weights: usize,
  superblocks: usize,
  firstTile: u32,
  endTile: u32,
): void {
  const outBytes = (<usize>outStride) << 2;
  const tileBytes = superblocks * (isQ6 ? q6k.SUPERBLOCK_BYTES : q4k.SUPERBLOCK_BYTES);
  for (let tile = firstTile; tile < endTile; tile++) {
    const w = weights + <usize>tile * tileBytes;
    const o = out + ((<usize>tile) << 6);
    let row: usize = 0;
    while (row < <usize>rows) {
      const oRow = o + row * outBytes,
        x = xq + row * (superblocks << 8),
        scales = xScales + row * (superblocks << 2),
        sums = xSums + row * superblocks * SUMS_BYTES;
      if (row + 4 <= <usize>rows) {
        if (isQ6) q6k.fourRows(oRow, outBytes, x, scales, sums, w, superblocks);
        else q4k.fourRows(oRow, outBytes, x, scales, sums, w, superblocks);
        row += 4;
      } else {
        if (isQ6) q6k.oneRow(oRow, x, scales, sums, w, superblocks);
        else q4k.oneRow(oRow, x, scales, sums, w, superblocks);
        row++;
      }
    }
  }
}
