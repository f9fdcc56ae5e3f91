/**
 * Attention, for the query heads that share key-value heads; see `src/ops/attention.ts`. One pass
 * over the cache, with the online softmax of Milakov & Gimelshein (arXiv:1805.02867), page by page:
 *
 *   m' = max(m, scores of the page) p[t] = e^(s[t] − m'), total = total·e^(m − m') + Σ p[t], sum[i]
 *   = sum[i]·e^(m − m') + Σ p[t]·v[t, i] out[i] = sum[i] / total
 *
 * All rows and all heads of a group work on a head's part of a page while it is in the first levels
 * of the cache; then comes the next head's part, which lies behind it. How fast memory is read
 * depends on how much of it lies together: one core gets 9 GB/s from 16 KiB here and there, 15 from
 * 32, 21 from 64, 27 from 128, and 32 from end to end.
 *
 * Numerics: float32. A score is summed over i, then multiplied by the scale. The terms of a page
 * are summed, and the page's sum is added to that of the pages before. Pages hold positions 64n …
 * 64n + 63 of the sequence, so the order of all sums depends on the position alone, not on how the
 * prompt was cut. What lies in the last page beyond `count` may be anything: those scores are
 * replaced, those values not read. If every score is −Infinity, the result is 0. What is special
 * about F16 and Q8 is in `attention-dot.ts` and `attention-q8.ts`.
 */
import { scaleQuery, widen } from './attention-dot';
import { attendPage, multiply, PAGE_SCRATCH_BYTES, QUERIES } from './attention-page';
import { quantizedQueryBytes, quantizeQuery } from './attention-q8';
import { largestSize } from './block-scale';
import { F16, F32, isF16, isQ8, Q8 } from './cache-format';
import { headBytes, PAGE_POSITIONS, paddedHeadDim, valuesOffset } from './key-value';

export function attentionF32(
  out: usize,
  query: usize,
  stride: usize,
  rows: usize,
  pages: usize,
  kvBase: usize,
  pageBytes: usize,
  count: usize,
  firstHead: usize,
  endHead: usize,
  numKeyValueHeads: usize,
  groupSize: usize,
  headDim: usize,
  scale: f32,
  scratch: usize,
): void {
  attention<F32>(
    out,
    query,
    stride,
    rows,
    pages,
    kvBase,
    pageBytes,
    count,
    firstHead,
    endHead,
    numKeyValueHeads,
    groupSize,
    headDim,
    scale,
    scratch,
  );
}

export function attentionF16(
  out: usize,
  query: usize,
  stride: usize,
  rows: usize,
  pages: usize,
  kvBase: usize,
  pageBytes: usize,
  count: usize,
  firstHead: usize,
  endHead: usize,
  numKeyValueHeads: usize,
  groupSize: usize,
  headDim: usize,
  scale: f32,
  scratch: usize,
): void {
  attention<F16>(
    out,
    query,
    stride,
    rows,
    pages,
    kvBase,
    pageBytes,
    count,
    firstHead,
    endHead,
    numKeyValueHeads,
    groupSize,
    headDim,
    scale,
    scratch,
  );
}

export function attentionQ8(
  out: usize,
  query: usize,
  stride: usize,
  rows: usize,
  pages: usize,
  kvBase: usize,
  pageBytes: usize,
  count: usize,
  firstHead: usize,
  endHead: usize,
  numKeyValueHeads: usize,
  groupSize: usize,
  headDim: usize,
  scale: f32,
  scratch: usize,
): void {
  attention<Q8>(
    out,
    query,
    stride,
    rows,
    pages,
    kvBase,
    pageBytes,
    count,
    firstHead,
    endHead,
    numKeyValueHeads,
    groupSize,
    headDim,
    scale,
    scratch,
  );
}

/**
 * out, query: the first of `rows` rows [H·d], `stride` floats apart: consecutive positions of one
 * sequence, of which the first sees `count` positions and each later one sees one more. pages: the
 * numbers (u32) of the sequence's pages; page p of the layer begins at kvBase + p · pageBytes.
 * Computes the query heads of key-value heads firstHead … endHead − 1; with the last of them, what
 * lies between the width and the stride of `out` becomes zero. scratch: as many bytes as
 * `src/engines/wasm/memory/attention-scratch.ts` says.
 */
function attention<T>(
  out: usize,
  query: usize,
  stride: usize,
  rows: usize,
  pages: usize,
  kvBase: usize,
  pageBytes: usize,
  count: usize,
  firstHead: usize,
  endHead: usize,
  numKeyValueHeads: usize,
  groupSize: usize,
  headDim: usize,
  scale: f32,
  scratch: usize,
): void {
  const heads = endHead - firstHead;
  const perHead = rows * groupSize; // queries that meet the same keys
  const perRow = heads * groupSize;
  const sumBytes = paddedHeadDim(headDim) << 2;
  const floats = scratch + PAGE_SCRATCH_BYTES; // F16: a head's part of a page as F32
  // [heads][rows][groupSize][dPadded]
  const sums = floats + (isF16<T>() ? headBytes<F32>(headDim) : 0);
  const states = sums + heads * perHead * sumBytes; // [heads][rows][groupSize] of m, total
  const prepared = states + heads * perHead * 8; // F16 and Q8: queries [rows][heads][groupSize]

  memory.fill(sums, 0, prepared - sums);
  for (let state = states; state != prepared; state += 8) store<f32>(state, -Infinity);

  let queries = query + ((firstHead * groupSize * headDim) << 2);
  let rowBytes = stride << 2;
  let queryBytes = headDim << 2;
  const widened = isF16<T>() && (perHead > 2 || isLarge(queries, rowBytes, rows, perRow * headDim));
  if (isQ8<T>() || (isF16<T>() && !widened)) {
    const bytes = isQ8<T>() ? quantizedQueryBytes(headDim) : queryBytes;
    for (let row: usize = 0; row < rows; row++) {
      for (let i: usize = 0; i < perRow; i++) {
        const to = prepared + (row * perRow + i) * bytes;
        const from = queries + row * rowBytes + i * queryBytes;
        if (isQ8<T>()) quantizeQuery(to, from, headDim);
        else scaleQuery(to, from, headDim);
      }
    }
    queries = prepared;
    rowBytes = perRow * bytes;
    queryBytes = bytes;
  }

  const end = count + rows - 1;
  for (let start: usize = 0; start < end; start += PAGE_POSITIONS) {
    let keys = kvBase + <usize>load<u32>(pages) * pageBytes + firstHead * headBytes<T>(headDim);
    pages += 4;
    const firstRow: usize = start < count ? 0 : start - count + 1;
    for (let head: usize = 0; head < heads; head++) {
      if (widened) widen(floats, keys, headBytes<T>(headDim));
      for (let i = firstRow * groupSize; i < perHead; i += QUERIES) {
        const together = min(QUERIES, perHead - i),
          i1 = min(i + 1, perHead - 1),
          i2 = min(i + 2, perHead - 1),
          i3 = min(i + 3, perHead - 1);
        const x0 = queryAt(i, queries, head, rowBytes, queryBytes, groupSize),
          x1 = queryAt(i1, queries, head, rowBytes, queryBytes, groupSize),
          x2 = queryAt(i2, queries, head, rowBytes, queryBytes, groupSize),
          x3 = queryAt(i3, queries, head, rowBytes, queryBytes, groupSize);
        const seen0 = min(PAGE_POSITIONS, count + i / groupSize - start),
          seen1 = min(PAGE_POSITIONS, count + i1 / groupSize - start),
          seen2 = min(PAGE_POSITIONS, count + i2 / groupSize - start),
          seen3 = min(PAGE_POSITIONS, count + i3 / groupSize - start);
        const sum = sums + (head * perHead + i) * sumBytes;
        const state = states + ((head * perHead + i) << 3);
        if (widened)
          attendPage<F32>(
            sum,
            state,
            together,
            x0,
            x1,
            x2,
            x3,
            seen0,
            seen1,
            seen2,
            seen3,
            floats,
            headDim,
            scale,
            scratch,
          );
        else
          attendPage<T>(
            sum,
            state,
            together,
            x0,
            x1,
            x2,
            x3,
            seen0,
            seen1,
            seen2,
            seen3,
            keys,
            headDim,
            scale,
            scratch,
          );
      }
      keys += headBytes<T>(headDim);
    }
  }

  for (let head: usize = 0; head < heads; head++) {
    for (let i: usize = 0; i < perHead; i++) {
      const sum = sums + (head * perHead + i) * sumBytes;
      const total = load<f32>(states + ((head * perHead + i) << 3), 4);
      multiply(sum, sumBytes, total == 0 ? 0 : 1 / total);
      memory.copy(
        queryAt(
          i,
          out + ((firstHead * groupSize * headDim) << 2),
          head,
          stride << 2,
          headDim << 2,
          groupSize,
        ),
        sum,
        headDim << 2,
      );
    }
  }
  if (endHead == numKeyValueHeads) clearGaps(out, rows, stride, endHead * groupSize * headDim);
}

/** What lies behind the `width` numbers of each row. */
function clearGaps(out: usize, rows: usize, stride: usize, width: usize): void {
  for (let row: usize = 0; row < rows; row++)
    memory.fill(out + ((row * stride + width) << 2), 0, (stride - width) << 2);
}

/** Query i of those that meet the keys of a head: [rows][groupSize]. */
// @ts-ignore: decorator
@inline
function queryAt(
  i: usize,
  queries: usize,
  head: usize,
  rowBytes: usize,
  queryBytes: usize,
  groupSize: usize,
): usize {
  return queries + (i / groupSize) * rowBytes + (head * groupSize + (i % groupSize)) * queryBytes;
}

/** Whether numbers are 2^16 or more, and so Infinity when multiplied by 2^112. */
function isLarge(x: usize, rowBytes: usize, rows: usize, count: usize): bool {
  for (let row: usize = 0; row < rows; row++)
    if (largestSize(x + row * rowBytes, count) >= 65536) return true;
  return false;
}
