/**
 * Linear layers with quantized weights: which tiles, rows and numbers are worked on together.
 *
 * A single row reads every weight once. Tiles are read in step, several at a time, a block of each:
 * so many streams keep more of the memory's answers under way than one does (docs/LOG.md).
 *
 * Many rows share a weight. They are taken four at a time, over *panels* of 1,024 numbers of a
 * tile, which so stay in the first level of the cache until all rows have met them. For few rows
 * neither shorter panels nor several tiles in turn are faster (docs/LOG.md).
 */
import { store64 } from './lanes';
import * as q4 from './matmul-q4';
import * as q4k from './matmul-q4k';
import * as q6k from './matmul-q6k';
import * as q8 from './matmul-q8';
import { SUMS_BYTES } from './quantize';

const Q8: i32 = 0;
const Q4: i32 = 1;
const Q4K: i32 = 2;
const Q6K: i32 = 3;

/** Blocks of 32 in a panel. */
const PANEL: usize = 32;

/**
 * x: as `quantize14` leaves it. xq [rows][blocks], xScales, xSums [rows][blocks]; `blocks` of 32.
 */
export function matmulQ8(
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
  matmul(Q8, out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** x: as `quantize8` leaves it. */
export function matmulQ4(
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
  matmul(Q4, out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** x: as `quantize8K` leaves it; `blocks` are a multiple of 8. */
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
  matmul(Q4K, out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
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
  matmul(Q6K, out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

// @ts-ignore: decorator
@inline
function matmul(
  format: i32,
  out: usize,
  outStride: u32,
  xq: usize,
  xScales: usize,
  xSums: usize,
  rows: usize,
  weights: usize,
  blocks: usize,
  firstTile: usize,
  endTile: usize,
): void {
  const outBytes = (<usize>outStride) << 2;
  const tileBytes = weightBytes(format, blocks);
  out += firstTile << 6;
  weights += firstTile * tileBytes;
  if (rows == 1) {
    let tiles = endTile - firstTile;
    while (tiles > 0) {
      const count = min(tiles, streams(format));
      memory.fill(out, 0, count << 6);
      oneRow(format, out, xq, xScales, xSums, weights, tileBytes, count, blocks);
      out += count << 6;
      weights += count * tileBytes;
      tiles -= count;
    }
    return;
  }
  const xBytes = quantBytes(format, blocks);
  const scaleBytes = scalesBytes(format, blocks);
  const sumBytes = sumsBytes(format, blocks);
  for (let tile = firstTile; tile < endTile; tile++) {
    const zero = f32x4.splat(0);
    for (let row: usize = 0; row < rows; row++)
      store64(out + row * outBytes, zero, zero, zero, zero);
    for (let block: usize = 0; block < blocks; block += PANEL) {
      const count = min(PANEL, blocks - block);
      for (let row: usize = 0; row < rows; row += 4) {
        fourRows(
          format,
          out + row * outBytes,
          outBytes,
          xq + row * xBytes + quantBytes(format, block),
          xBytes,
          xScales + row * scaleBytes + scalesBytes(format, block),
          scaleBytes,
          xSums + row * sumBytes + sumsBytes(format, block),
          sumBytes,
          rows - row,
          weights + weightBytes(format, block),
          count,
        );
      }
    }
    out += 64;
    weights += tileBytes;
  }
}

/** How many tiles a single row reads in step. */
// @ts-ignore: decorator
@inline
function streams(format: i32): usize {
  return format == Q8 || format == Q4 ? 4 : 2;
}

/** Bytes of `blocks` blocks of 16 outputs. */
// @ts-ignore: decorator
@inline
function weightBytes(format: i32, blocks: usize): usize {
  if (format == Q8) return blocks * q8.BLOCK_BYTES;
  if (format == Q4) return blocks * q4.BLOCK_BYTES;
  return (blocks >> 3) * (format == Q4K ? q4k.SUPERBLOCK_BYTES : q6k.SUPERBLOCK_BYTES);
}

/** Bytes of a row's quants in `blocks` blocks. */
// @ts-ignore: decorator
@inline
function quantBytes(format: i32, blocks: usize): usize {
  return format == Q8 ? blocks << 6 : blocks << 5;
}

/** … of its scales. */
// @ts-ignore: decorator
@inline
function scalesBytes(format: i32, blocks: usize): usize {
  return format == Q8 || format == Q4 ? blocks << 2 : (blocks >> 3) << 2;
}

/** … of its sums. */
// @ts-ignore: decorator
@inline
function sumsBytes(format: i32, blocks: usize): usize {
  return format == Q8 || format == Q4 ? blocks << 2 : (blocks >> 3) * SUMS_BYTES;
}

// @ts-ignore: decorator
@inline
function oneRow(
  format: i32,
  out: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  weights: usize,
  tileBytes: usize,
  tiles: usize,
  blocks: usize,
): void {
  if (format == Q8) q8.oneRow(out, xq, xScales, xSums, weights, tileBytes, tiles, blocks);
  else if (format == Q4) q4.oneRow(out, xq, xScales, xSums, weights, tileBytes, tiles, blocks);
  else if (format == Q4K) q4k.oneRow(out, xq, xScales, xSums, weights, tileBytes, tiles, blocks);
  else q6k.oneRow(out, xq, xScales, xSums, weights, tileBytes, tiles, blocks);
}

/** … of which `rows` exist: the last stands for those that do not. */
// @ts-ignore: decorator
@inline
function fourRows(
  format: i32,
  out: usize,
  outBytes: usize,
  x: usize,
  xBytes: usize,
  scales: usize,
  scaleBytes: usize,
  sums: usize,
  sumBytes: usize,
  rows: usize,
  weights: usize,
  blocks: usize,
): void {
  const r1 = min<usize>(1, rows - 1),
    r2 = min<usize>(2, rows - 1),
    r3 = min<usize>(3, rows - 1);
  if (format == Q8)
    q8.fourRows(
      out,
      outBytes,
      x,
      xBytes,
      scales,
      scaleBytes,
      sums - scales,
      r1,
      r2,
      r3,
      weights,
      blocks,
    );
  else if (format == Q4)
    q4.fourRows(
      out,
      outBytes,
      x,
      xBytes,
      scales,
      scaleBytes,
      sums - scales,
      r1,
      r2,
      r3,
      weights,
      blocks,
    );
  else if (format == Q4K)
    q4k.fourRows(
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
      blocks >> 3,
    );
  else
    q6k.fourRows(
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
      blocks >> 3,
    );
}
