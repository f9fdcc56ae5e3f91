import { expect, it } from 'vitest';
import { distance } from '../support/tensors.js';
import { goldenLongLogits, longLogits } from './long.js';

it('f32 at positions 0 … 8,299: within 1e-5 σ (float32 itself errs by 3e-6)', async () => {
  expect(
    distance((await longLogits('f32')).data, (await goldenLongLogits('f32')).data),
  ).toBeLessThan(1e-5);
});
