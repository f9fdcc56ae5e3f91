/**
 * Sums as somebody else's float32 takes them: one or several at a time, so many terms in a row,
 * with or without fused steps.
 */
import type { Dot } from '../../ops/dot.js';
import { choose, type Random } from './random.js';

const BLOCKS = [64, 256, 384, 1024, Infinity];
const { fround } = Math;

/** A dot product in float32, in an order that is drawn once. */
export function drawDot(random: Random): Dot {
  const block = choose(random, BLOCKS);
  return choose(random, [oneLane(block), fusedLane(block), fourLanes(block), sixteenLanes]);
}

/** Every product is rounded, then every sum. */
const oneLane =
  (block: number): Dot =>
  (a, aStart, b, bStart, length) => {
    let total = 0;
    for (let start = 0; start < length; start += block) {
      const end = Math.min(start + block, length);
      let sum = 0;
      for (let i = start; i < end; i++) sum = fround(sum + fround(a[aStart + i] * b[bStart + i]));
      total = fround(total + sum);
    }
    return total;
  };

/** Only sums are rounded. */
const fusedLane =
  (block: number): Dot =>
  (a, aStart, b, bStart, length) => {
    let total = 0;
    for (let start = 0; start < length; start += block) {
      const end = Math.min(start + block, length);
      let sum = 0;
      for (let i = start; i < end; i++) sum = fround(sum + a[aStart + i] * b[bStart + i]);
      total = fround(total + sum);
    }
    return total;
  };

/** As a vector of four does it, fused. */
const fourLanes =
  (block: number): Dot =>
  (a, aStart, b, bStart, length) => {
    let total = 0;
    for (let start = 0; start < length; start += block) {
      const end = Math.min(start + block, length);
      const whole = end - ((end - start) % 4);
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let i = start; i < whole; i += 4) {
        s0 = fround(s0 + a[aStart + i] * b[bStart + i]);
        s1 = fround(s1 + a[aStart + i + 1] * b[bStart + i + 1]);
        s2 = fround(s2 + a[aStart + i + 2] * b[bStart + i + 2]);
        s3 = fround(s3 + a[aStart + i + 3] * b[bStart + i + 3]);
      }
      for (let i = whole; i < end; i++) s0 = fround(s0 + a[aStart + i] * b[bStart + i]);
      total = fround(total + fround(fround(s0 + s2) + fround(s1 + s3)));
    }
    return total;
  };

/** As wide vectors do it: each lane has so few terms that it is better than all others here. */
const sixteenLanes: Dot = (a, aStart, b, bStart, length) => {
  let total = 0;
  for (let lane = 0; lane < 16; lane++) {
    let sum = 0;
    for (let i = lane; i < length; i += 16) sum = fround(sum + a[aStart + i] * b[bStart + i]);
    total = fround(total + sum);
  }
  return total;
};
