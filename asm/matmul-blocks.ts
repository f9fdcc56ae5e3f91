/**
 * Linear layers with quantized weights: which tiles, rows and numbers are worked on together.
 *
 * A single row reads every weight once, two tiles in step where it pays (`streams.ts`).
 *
 * Many rows share a weight. They are taken four at a time, over *panels* of 1,024 numbers of a
 * tile, which so stay in the first level of the cache until all rows have met them. For few rows
 * neither shorter panels nor several tiles in turn are faster (docs/LOG.md).
 */
import * as fourRows from './four-rows';
import * as fourRowsK from './four-rows-k';
import { store64 } from './lanes';
import * as q23k from './matmul-q23k';
import * as q45 from './matmul-q45';
import * as q45k from './matmul-q45k';
import * as q6k from './matmul-q6k';
import * as q8 from './matmul-q8';
import { SUMS_BYTES } from './quantize';
import { streamCount, streamLength } from './streams';
import {
  blockBytes,
  hasNibbles,
  hasTwoBits,
  isK,
  isQ8,
  Q2_K,
  Q3_K,
  Q4_0,
  Q4_1,
  Q4_K,
  Q5_0,
  Q5_1,
  Q5_K,
  Q6_K,
  Q8_0,
  superblockBytes,
} from './weight-format';

/** Blocks of 32 in a panel. */
const PANEL: usize = 32;
/** … of which a single row reads so many before it turns to the next tile. */
const RUN: usize = 8;

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
  matmul<Q8_0>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
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
  matmul<Q4_0>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** The same. */
export function matmulQ41(
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
  matmul<Q4_1>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** The same. */
export function matmulQ5(
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
  matmul<Q5_0>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** The same. */
export function matmulQ51(
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
  matmul<Q5_1>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** x: as `quantize8K` leaves it; `blocks` are a multiple of 8. */
export function matmulQ2K(
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
  matmul<Q2_K>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** The same. */
export function matmulQ3K(
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
  matmul<Q3_K>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** The same. */
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
  matmul<Q4_K>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

/** The same. */
export function matmulQ5K(
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
  matmul<Q5_K>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
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
  matmul<Q6_K>(out, outStride, xq, xScales, xSums, rows, weights, blocks, firstTile, endTile);
}

// @ts-ignore: decorator
@inline
function matmul<F>(
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
  const tileBytes = weightBytes<F>(blocks);
  out += firstTile << 6;
  weights += firstTile * tileBytes;
  while (firstTile < endTile) {
    const tiles = endTile - firstTile;
    const length = rows == 1 ? streamLength(tiles, tileBytes) : tiles;
    const streams = streamCount(tiles, length);
    for (const end = out + (length << 6); out < end; out += 64) {
      inStep<F>(out, outStride, xq, xScales, xSums, rows, weights, blocks, length, streams);
      weights += tileBytes;
    }
    out += ((streams - 1) * length) << 6;
    weights += (streams - 1) * length * tileBytes;
    firstTile += streams * length;
  }
}

/**
 * `streams` tiles, `length` tiles apart: some blocks of each in turn, which all rows meet before
 * the next ones come.
 */
// @ts-ignore: decorator
@inline
function inStep<F>(
  out: usize,
  outStride: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  rows: usize,
  weights: usize,
  blocks: usize,
  length: usize,
  streams: usize,
): void {
  const outBytes = outStride << 2,
    xBytes = quantBytes<F>(blocks),
    scaleBytes = scalesBytes<F>(blocks),
    sumBytes = sumsBytes<F>(blocks);
  const endOfStreams = out + ((streams * length) << 6);
  const zero = f32x4.splat(0);
  for (let to = out; to < endOfStreams; to += length << 6)
    for (let row: usize = 0; row < rows; row++)
      store64(to + row * outBytes, zero, zero, zero, zero);
  const run = rows == 1 ? RUN : PANEL;
  for (let block: usize = 0; block < blocks; block += run) {
    const count = min(run, blocks - block);
    let w = weights + weightBytes<F>(block);
    for (let to = out; to < endOfStreams; to += length << 6) {
      const x = xq + quantBytes<F>(block),
        scales = xScales + scalesBytes<F>(block),
        sums = xSums + sumsBytes<F>(block);
      if (rows == 1) oneRow<F>(to, x, scales, sums, w, count);
      else {
        for (let row: usize = 0; row < rows; row += 4) {
          fourRowsAt<F>(
            to + row * outBytes,
            outBytes,
            x + row * xBytes,
            xBytes,
            scales + row * scaleBytes,
            scaleBytes,
            sums + row * sumBytes,
            sumBytes,
            rows - row,
            w,
            count,
          );
        }
      }
      w += length * weightBytes<F>(blocks);
    }
  }
}

/** Bytes of `blocks` blocks of 16 outputs. */
// @ts-ignore: decorator
@inline
function weightBytes<F>(blocks: usize): usize {
  return isK<F>() ? (blocks >> 3) * superblockBytes<F>() : blocks * blockBytes<F>();
}

/** Bytes of a row's quants in `blocks` blocks. */
// @ts-ignore: decorator
@inline
function quantBytes<F>(blocks: usize): usize {
  return isQ8<F>() ? blocks << 6 : blocks << 5;
}

/** … of its scales. */
// @ts-ignore: decorator
@inline
function scalesBytes<F>(blocks: usize): usize {
  return isK<F>() ? (blocks >> 3) << 2 : blocks << 2;
}

/** … of its sums. */
// @ts-ignore: decorator
@inline
function sumsBytes<F>(blocks: usize): usize {
  return isK<F>() ? (blocks >> 3) * SUMS_BYTES : blocks << 2;
}

/** One row and `blocks` blocks of one tile, added to `out`. */
// @ts-ignore: decorator
@inline
function oneRow<F>(
  out: usize,
  xq: usize,
  xScales: usize,
  xSums: usize,
  weights: usize,
  blocks: usize,
): void {
  if (isQ8<F>()) q8.oneRow(out, xq, xScales, xSums, weights, blocks);
  else if (!isK<F>()) q45.oneRow<F>(out, xq, xScales, xSums, weights, blocks);
  else if (hasNibbles<F>()) q45k.oneRow<F>(out, xq, xScales, xSums, weights, blocks);
  else if (hasTwoBits<F>()) q23k.oneRow<F>(out, xq, xScales, xSums, weights, blocks);
  else q6k.oneRow(out, xq, xScales, xSums, weights, blocks);
}

/** … of which `rows` exist: the last stands for those that do not. */
// @ts-ignore: decorator
@inline
function fourRowsAt<F>(
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
  if (isK<F>())
    fourRowsK.fourRows<F>(
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
    fourRows.fourRows<F>(
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
}
