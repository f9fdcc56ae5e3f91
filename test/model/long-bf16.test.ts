import { expect, it } from 'vitest';
import { distance } from '../support/tensors.js';
import { goldenLongLogits, longLogits } from './long.js';

it('bf16 at positions 0 … 8,299: logits are transformers’ to the bit (f32: 0.1 σ)', async () => {
  const golden = await goldenLongLogits('bf16');
  expect(distance((await longLogits('bf16')).data, golden.data)).toBe(0);
  expect(distance((await goldenLongLogits('f32')).data, golden.data)).toBeGreaterThan(0.05);
});
