import { expect, it } from 'vitest';
import { distance } from '../support/tensors.js';
import { goldenLongLogits, longLogits } from './long.js';

it('f64 at positions 0 … 8,299: within 1e-12 σ of float64, 1e-5 σ of float32', async () => {
  const ours = await longLogits('f64');
  expect(distance(ours.data, (await goldenLongLogits('f64')).data)).toBeLessThan(1e-12);
  expect(distance(ours.data, (await goldenLongLogits('f32')).data)).toBeLessThan(1e-5);
});
