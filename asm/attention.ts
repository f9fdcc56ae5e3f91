/**
 * Attention, for the query heads that share one key-value head; see `src/ops/attention.ts`. One pass over the cache, with the
 * online softmax of Milakov & Gimelshein (arXiv:1805.02867), page by page:
 *
 *   m' = max(m, scores of the page)
 *   p[t] = e^(s[t] − m'),  total = total·e^(m − m') + Σ p[t],  sum[i] = sum[i]·e^(m − m') + Σ p[t]·v[t, i]
 *   out[i] = sum[i] / total
 *
 * All rows and all heads of the group work on a page while it is in the first levels of the cache. Measured on one core at 16,384 positions,
 * d = 128, one head per group: a row alone is as fast as memory (a C loop that only reads is no faster); of 16 rows at once each takes a
 * quarter of that time, and arithmetic is the limit.
 *
 * Numerics: float32. A score is one running sum over i, then times the scale. Pages hold positions 64n … 64n + 63 of the sequence, so the
 * order of all sums depends on the position alone, not on how the prompt was cut. What lies in the last page beyond `count` may be
 * anything: those scores are replaced, those values not read. If every score is −Infinity, the result is 0.
 */
import { addValues } from './attention-values';
import { scorePage } from './attention-scores';
import { exp, expOne } from './exp';
import { keysOffset, PAGE_POSITIONS, paddedHeadDim, valuesOffset } from './key-value';
import { laneMax, laneSum } from './lanes';

const SCORES_BYTES: usize = PAGE_POSITIONS << 2;

/**
 * out, query: the first of `rows` rows [H·d], `stride` floats apart: consecutive positions of one sequence, of which the first sees `count`
 * positions and each later one sees one more. pages: the numbers (u32) of the sequence's pages; page p of the layer begins at
 * kvBase + p · pageBytes. Computes heads keyValueHead·groupSize … + groupSize − 1. scratch: as many bytes as
 * `src/kernels/wasm/attention-scratch.ts` says.
 */
export function attentionRows(
  out: usize,
  query: usize,
  stride: usize,
  rows: usize,
  pages: usize,
  kvBase: usize,
  pageBytes: usize,
  count: usize,
  keyValueHead: usize,
  numKeyValueHeads: usize,
  groupSize: usize,
  headDim: usize,
  scale: f32,
  scratch: usize,
): void {
  const headBytes = headDim << 2;
  const paddedBytes = paddedHeadDim(headDim) << 2;
  const sumsBytes = groupSize * paddedBytes;
  const statesBytes = groupSize << 3;
  const scores = scratch; // [groupSize][64], of one row at a time
  const sums = scores + groupSize * SCORES_BYTES; // [rows][groupSize][dPadded]
  const states = sums + rows * sumsBytes; // [rows][groupSize] of m, total
  const rowBytes = stride << 2;
  const group = keyValueHead * groupSize * headBytes;

  memory.fill(sums, 0, rows * (sumsBytes + statesBytes));
  for (let state = states; state != states + rows * statesBytes; state += 8) store<f32>(state, -Infinity);

  const keys = kvBase + keysOffset(keyValueHead, headDim);
  const values = kvBase + valuesOffset(keyValueHead, numKeyValueHeads, headDim);
  const last = count + rows - 1;
  for (let start: usize = 0; start < last; start += PAGE_POSITIONS) {
    const page = <usize>load<u32>(pages) * pageBytes;
    pages += 4;
    for (let row: usize = start < count ? 0 : start - count + 1; row < rows; row++) {
      const visible = min(PAGE_POSITIONS, count + row - start);
      scorePage(scores, query + row * rowBytes + group, keys + page, visible, groupSize, headDim);
      for (let g: usize = 0; g < groupSize; g++) {
        const p = scores + g * SCORES_BYTES;
        const sum = sums + row * sumsBytes + g * paddedBytes;
        const rescale = weighPage(p, states + row * statesBytes + (g << 3), visible, scale);
        if (rescale != 1) multiply(sum, paddedBytes, rescale);
        addValues(sum, paddedBytes, p, values + page, visible);
      }
    }
  }

  for (let row: usize = 0; row < rows; row++) {
    for (let g: usize = 0; g < groupSize; g++) {
      const total = load<f32>(states + row * statesBytes + (g << 3), 4);
      const sum = sums + row * sumsBytes + g * paddedBytes;
      multiply(sum, paddedBytes, total == 0 ? 0 : 1 / total);
      memory.copy(out + row * rowBytes + group + g * headBytes, sum, headBytes);
    }
  }
}

/** Turns a page's scores into p. Returns e^(m − m'), what earlier sums are to be multiplied by. */
function weighPage(scores: usize, state: usize, visible: usize, scale: f32): f32 {
  for (let t = visible; t < PAGE_POSITIONS; t++) store<f32>(scores + (t << 2), -Infinity);
  const before = load<f32>(state);
  const end = scores + SCORES_BYTES;

  const factor = f32x4.splat(scale);
  let largest = f32x4.splat(before);
  for (let pointer = scores; pointer < end; pointer += 16) {
    const score = f32x4.mul(v128.load(pointer), factor);
    v128.store(pointer, score);
    largest = f32x4.pmax(largest, score); // ignores NaN, which p and the total then show
  }
  const after = laneMax(largest);
  const shift: f32 = after == -Infinity ? 0 : after; // so that p = e^−∞ = 0, not NaN

  let sum = f32x4.splat(0);
  for (let pointer = scores; pointer < end; pointer += 16) {
    const p = exp(f32x4.sub(v128.load(pointer), f32x4.splat(shift)));
    v128.store(pointer, p);
    sum = f32x4.add(sum, p);
  }
  const rescale: f32 = before == after ? 1 : expOne(before - shift);
  store<f32>(state, after);
  store<f32>(state, load<f32>(state, 4) * rescale + laneSum(sum), 4);
  return rescale;
}

function multiply(x: usize, bytes: usize, factor: f32): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(x + i, f32x4.mul(v128.load(x + i), f32x4.splat(factor)));
}
