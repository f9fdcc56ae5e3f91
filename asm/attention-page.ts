/** What one query or two do with a head's part of a page: scores, weights, sums. */
import { dot16, dot16OfTwo, F16_SCALE } from './attention-dot';
import { addValuesQ8, score16Q8, WEIGHTS_SCRATCH_BYTES } from './attention-q8';
import { isF16, isQ8 } from './cache-format';
import { exp, expOne } from './exp';
import {
  keysBytes,
  PAGE_POSITIONS,
  paddedHeadDim,
  STEP,
  stepsBytes,
  valuesOffset,
} from './key-value';
import { laneMax, laneSum } from './lanes';

const SCORES_BYTES: usize = PAGE_POSITIONS << 2;
/** Scores of two queries, and what Q8 needs. */
export const PAGE_SCRATCH_BYTES: usize = 2 * SCORES_BYTES + WEIGHTS_SCRATCH_BYTES;

/**
 * sum, state: those of query x, and behind them those of query y; y may be 0: none. Of the
 * positions of the page x sees the first `seenX`, y the first `seenY`, which is not less.
 */
export function attendPage<T>(
  sum: usize,
  state: usize,
  x: usize,
  y: usize,
  seenX: usize,
  seenY: usize,
  keys: usize,
  headDim: usize,
  scale: f32,
  scratch: usize,
): void {
  const sumBytes = paddedHeadDim(headDim) << 2;
  const p = scratch;
  score<T>(p, x, y, keys, y ? seenY : seenX, headDim);
  weigh(p, sum, sumBytes, state, seenX, scale);
  if (y) weigh(p + SCORES_BYTES, sum + sumBytes, sumBytes, state + 8, seenY, scale);
  if (isF16<T>()) multiply(p, 2 * SCORES_BYTES, F16_SCALE);
  addValues<T>(
    sum,
    sumBytes,
    p,
    seenX,
    y ? seenY : 0,
    keys + valuesOffset<T>(headDim),
    headDim,
    scratch + 2 * SCORES_BYTES,
  );
}

/** scores [2][64]; those from `visible` on may be computed, from whatever is there, or not. */
function score<T>(
  scores: usize,
  x: usize,
  y: usize,
  keys: usize,
  visible: usize,
  headDim: usize,
): void {
  if (!isQ8<T>()) memory.fill(scores, 0, 2 * SCORES_BYTES);
  for (let start: usize = 0; start < visible; start += STEP) {
    if (isQ8<T>()) {
      score16Q8(scores, x, keys, headDim);
      if (y) score16Q8(scores + SCORES_BYTES, y, keys, headDim);
    } else if (y) dot16OfTwo<T>(scores, scores + SCORES_BYTES, x, y, keys, headDim);
    else dot16<T>(scores, x, keys, headDim);
    scores += STEP << 2;
    keys += keysBytes<T>(headDim);
  }
}

/** Turns a page's scores into p, and multiplies the sum so far by e^(m − m'). */
function weigh(
  scores: usize,
  sum: usize,
  sumBytes: usize,
  state: usize,
  visible: usize,
  scale: f32,
): void {
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

  let total = f32x4.splat(0);
  for (let pointer = scores; pointer < end; pointer += 16) {
    const p = exp(f32x4.sub(v128.load(pointer), f32x4.splat(shift)));
    v128.store(pointer, p);
    total = f32x4.add(total, p);
  }
  const rescale: f32 = before == after ? 1 : expOne(before - shift);
  if (rescale != 1) multiply(sum, sumBytes, rescale);
  store<f32>(state, after);
  store<f32>(state, load<f32>(state, 4) * rescale + laneSum(total), 4);
}

/**
 * sum += Σ_t p[t] · v[t], for one query, and for another one that sees `seenByOther` positions, if
 * not 0.
 */
function addValues<T>(
  sum: usize,
  sumBytes: usize,
  p: usize,
  seen: usize,
  seenByOther: usize,
  values: usize,
  headDim: usize,
  scratch: usize,
): void {
  const otherP = p + SCORES_BYTES;
  if (isQ8<T>()) {
    addValuesQ8(sum, p, values, seen, headDim, scratch);
    if (seenByOther) addValuesQ8(sum + sumBytes, otherP, values, seenByOther, headDim, scratch);
    return;
  }
  for (const end = sum + sumBytes; sum < end; sum += STEP << 2) {
    if (seen == seenByOther) dot16OfTwo<T>(sum, sum + sumBytes, p, otherP, values, seen);
    else {
      dot16<T>(sum, p, values, seen);
      if (seenByOther) dot16<T>(sum + sumBytes, otherP, values, seenByOther);
    }
    values += stepsBytes<T>(PAGE_POSITIONS);
  }
}

export function multiply(x: usize, bytes: usize, factor: f32): void {
  for (let i: usize = 0; i < bytes; i += 16)
    v128.store(x + i, f32x4.mul(v128.load(x + i), f32x4.splat(factor)));
}
