import { expect, it } from 'vitest';
import { distance, goldenLongLogits, longLogits } from './long.js';

it('f64 at positions 0 … 8,299: within 1e-12 σ of float64, 1e-5 σ of float32', async () => {
  const ours = await longLogits('f64');
  expect(distance(ours, await goldenLongLogits('f64'))).toBeLessThan(1e-12);
  expect(distance(ours, await goldenLongLogits('f32'))).toBeLessThan(1e-5);
});
