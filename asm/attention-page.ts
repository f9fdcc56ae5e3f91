/** What one to four queries do with a head's part of a page: scores, weights, sums. */
import { dot16, dot16OfFour, F16_SCALE } from './attention-dot';
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

/** Queries that are computed together. */
export const QUERIES: usize = 4;
const SCORES_BYTES: usize = PAGE_POSITIONS << 2;
/** Scores of the queries, and what Q8 needs. */
export const PAGE_SCRATCH_BYTES: usize = QUERIES * SCORES_BYTES + WEIGHTS_SCRATCH_BYTES;

/**
 * sum, state: those of the first of `queries` queries, and behind them those of the others. Of the
 * positions of the page the first query sees the first `seen0`, the next `seen1`, … , each no fewer
 * than the one before.
 */
export function attendPage<T>(
  sum: usize,
  state: usize,
  queries: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  seen0: usize,
  seen1: usize,
  seen2: usize,
  seen3: usize,
  keys: usize,
  headDim: usize,
  scale: f32,
  scratch: usize,
): void {
  const sumBytes = paddedHeadDim(headDim) << 2;
  const p0 = scratch,
    p1 = p0 + SCORES_BYTES,
    p2 = p1 + SCORES_BYTES,
    p3 = p2 + SCORES_BYTES;
  const sum1 = sum + sumBytes,
    sum2 = sum1 + sumBytes,
    sum3 = sum2 + sumBytes;
  const values = keys + valuesOffset<T>(headDim),
    room = scratch + QUERIES * SCORES_BYTES;
  const together = queries == QUERIES && !isQ8<T>();
  if (together) scoreFour<T>(p0, x0, x1, x2, x3, keys, seen3, headDim);
  else {
    score<T>(p0, x0, keys, seen0, headDim);
    if (queries > 1) score<T>(p1, x1, keys, seen1, headDim);
    if (queries > 2) score<T>(p2, x2, keys, seen2, headDim);
    if (queries > 3) score<T>(p3, x3, keys, seen3, headDim);
  }
  weigh<T>(p0, sum, sumBytes, state, seen0, scale);
  if (queries > 1) weigh<T>(p1, sum1, sumBytes, state + 8, seen1, scale);
  if (queries > 2) weigh<T>(p2, sum2, sumBytes, state + 16, seen2, scale);
  if (queries > 3) weigh<T>(p3, sum3, sumBytes, state + 24, seen3, scale);
  if (together && seen0 == seen3) {
    addValuesOfFour<T>(sum, sumBytes, p0, p1, p2, p3, seen0, values);
    return;
  }
  addValues<T>(sum, p0, seen0, values, headDim, room);
  if (queries > 1) addValues<T>(sum1, p1, seen1, values, headDim, room);
  if (queries > 2) addValues<T>(sum2, p2, seen2, values, headDim, room);
  if (queries > 3) addValues<T>(sum3, p3, seen3, values, headDim, room);
}

/** scores [64]; those from `visible` on may be computed, from whatever is there, or not. */
function score<T>(scores: usize, x: usize, keys: usize, visible: usize, headDim: usize): void {
  if (!isQ8<T>()) memory.fill(scores, 0, SCORES_BYTES);
  for (let start: usize = 0; start < visible; start += STEP) {
    if (isQ8<T>()) score16Q8(scores, x, keys, headDim);
    else dot16<T>(scores, x, keys, headDim);
    scores += STEP << 2;
    keys += keysBytes<T>(headDim);
  }
}

/** The same for four queries, not of Q8: scores [4][64]. */
function scoreFour<T>(
  scores: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  keys: usize,
  visible: usize,
  headDim: usize,
): void {
  memory.fill(scores, 0, QUERIES * SCORES_BYTES);
  for (let start: usize = 0; start < visible; start += STEP) {
    dot16OfFour<T>(scores, SCORES_BYTES, x0, x1, x2, x3, keys, headDim);
    scores += STEP << 2;
    keys += keysBytes<T>(headDim);
  }
}

/**
 * Turns a page's scores into p, and multiplies the sum so far by e^(m − m'). F16: p times 2^112.
 */
function weigh<T>(
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
  for (let pointer = scores; pointer < end; pointer += 32) {
    const x = f32x4.mul(v128.load(pointer), factor),
      y = f32x4.mul(v128.load(pointer, 16), factor);
    v128.store(pointer, x);
    v128.store(pointer, y, 16);
    // ignores NaN, which p and the total then show
    largest = f32x4.pmax(f32x4.pmax(largest, x), y);
  }
  const after = laneMax(largest);
  const shift: f32 = after == -Infinity ? 0 : after; // so that p = e^−∞ = 0, not NaN

  let total = f32x4.splat(0);
  const origin = f32x4.splat(shift);
  for (let pointer = scores; pointer < end; pointer += 32) {
    const p = exp(f32x4.sub(v128.load(pointer), origin)),
      q = exp(f32x4.sub(v128.load(pointer, 16), origin));
    v128.store(pointer, p);
    v128.store(pointer, q, 16);
    total = f32x4.add(f32x4.add(total, p), q);
  }
  const rescale: f32 = before == after ? 1 : expOne(before - shift);
  if (rescale != 1) multiply(sum, sumBytes, rescale);
  store<f32>(state, after);
  store<f32>(state, load<f32>(state, 4) * rescale + laneSum(total), 4);
  if (isF16<T>()) multiply(scores, SCORES_BYTES, F16_SCALE);
}

/** sum += Σ_t p[t] · v[t] */
function addValues<T>(
  sum: usize,
  p: usize,
  seen: usize,
  values: usize,
  headDim: usize,
  scratch: usize,
): void {
  if (isQ8<T>()) {
    addValuesQ8(sum, p, values, seen, headDim, scratch);
    return;
  }
  for (const end = sum + (paddedHeadDim(headDim) << 2); sum < end; sum += STEP << 2) {
    dot16<T>(sum, p, values, seen);
    values += stepsBytes<T>(PAGE_POSITIONS);
  }
}

/** The same for four queries that see as many positions. */
function addValuesOfFour<T>(
  sum: usize,
  sumBytes: usize,
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  seen: usize,
  values: usize,
): void {
  for (const end = sum + sumBytes; sum < end; sum += STEP << 2) {
    dot16OfFour<T>(sum, sumBytes, p0, p1, p2, p3, values, seen);
    values += stepsBytes<T>(PAGE_POSITIONS);
  }
}

export function multiply(x: usize, bytes: usize, factor: f32): void {
  for (let i: usize = 0; i < bytes; i += 16)
    v128.store(x + i, f32x4.mul(v128.load(x + i), f32x4.splat(factor)));
}
