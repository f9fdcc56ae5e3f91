/**
 * Sums as somebody else's float32 takes them: in so many lanes, so many terms at a time, with or
 * without fused steps.
 */
import type { Dot } from '../../ops/dot.js';
import { choose, type Random } from './random.js';

const LANES = [1, 4, 8, 16, 32];
const BLOCKS = [64, 256, 384, 1024, Infinity];

/** A dot product in float32, in an order that is drawn once. */
export function drawDot(random: Random): Dot {
  const lanes = choose(random, LANES);
  const block = choose(random, BLOCKS);
  const isFused = random() < 0.5;
  const sums = new Float32Array(lanes);
  return (a, aStart, b, bStart, length) => {
    let total = 0;
    for (let start = 0; start < length; start += block) {
      const end = Math.min(start + block, length);
      sums.fill(0);
      for (let i = start, lane = 0; i < end; i++) {
        const product = a[aStart + i] * b[bStart + i];
        sums[lane] += isFused ? product : Math.fround(product);
        lane = lane + 1 === lanes ? 0 : lane + 1;
      }
      total = Math.fround(total + halve(sums));
    }
    return total;
  };
}

/** The sum of all lanes, two halves at a time, which leaves it in the first. */
function halve(sums: Float32Array): number {
  for (let width = sums.length >> 1; width > 0; width >>= 1)
    for (let lane = 0; lane < width; lane++) sums[lane] += sums[lane + width];
  return sums[0];
}
