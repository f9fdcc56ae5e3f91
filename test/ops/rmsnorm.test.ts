import { describe, expect, it } from 'vitest';
import { rmsnorm } from '../../src/ops/rmsnorm.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { largestDifference, noise, tensor, zeros } from '../support/tensors.js';

const { f64, f32 } = ROUNDINGS;

/** The textbook formula in another order: norm first, as a vector length. */
function byLength(x: Float64Array, w: Float64Array, eps: number): Float64Array {
  const length = Math.hypot(...x, Math.sqrt(eps * x.length)) / Math.sqrt(x.length);
  return x.map((value, i) => (w[i] * value) / length);
}

describe('rmsnorm', () => {
  it.each([1, 3, 33, 127, 132, 260])(
    'agrees with ‖x‖/√D on %i numbers of any size, within 1e-13',
    size => {
      for (const scale of [1e-6, 3e-3, 1, 1e5]) {
        const x = noise(size, size).map(v => v * scale);
        const w = noise(size, 7).map(v => v + 1.5);
        const out = zeros(1, size);
        rmsnorm(out, tensor([1, size], x), tensor([size], w), 1e-5, f64);
        expect(largestDifference(out.data, byLength(x, w, 1e-5))).toBeLessThan(1e-13);
      }
    },
  );

  it('puts epsilon inside the root: 1e-5 and 1e-6 differ by 1/3 where x̅² is 1e-5', () => {
    const x = tensor(
      [1, 4],
      [1, -1, 1, -1].map(v => v * Math.sqrt(1e-5)),
    );
    const out = zeros(1, 4);
    rmsnorm(out, x, tensor([4], [1, 1, 1, 1]), 1e-5, f64);
    expect(out.data[0]).toBeCloseTo(Math.SQRT1_2, 12);
    rmsnorm(out, x, tensor([4], [1, 1, 1, 1]), 1e-6, f64);
    expect(out.data[0]).toBeCloseTo(1 / Math.sqrt(1.1), 12);
  });

  it('does not overflow where a float16 sum of squares would, nor at the end of float32', () => {
    for (const size of [300, 7e9, 1e30]) {
      const out = zeros(1, 3);
      rmsnorm(out, tensor([1, 3], [size, -size, size]), tensor([3], [1, 2, 0.5]), 1e-5, f32);
      expect([...out.data]).toEqual(size === 1e30 ? [0, -0, 0] : [1, -2, 0.5]);
    }
  });

  it('treats every row alone, may write onto its input, and multiplies by the weight once', () => {
    const w = tensor([3], [2, -3, 0.5]);
    const x = tensor([2, 3], [1, 2, 3, -40, 0, 8]);
    const both = zeros(2, 3);
    rmsnorm(both, x, w, 1e-5, f32);
    const second = zeros(1, 3);
    rmsnorm(second, tensor([1, 3], [-40, 0, 8]), w, 1e-5, f32);
    rmsnorm(x, x, w, 1e-5, f32);
    expect([...x.data]).toEqual([...both.data]);
    expect([...both.data.subarray(3)]).toEqual([...second.data]);
  });

  it('rounds the normalised number before and after the weight in bf16, as HF does', () => {
    const out = zeros(1, 2);
    rmsnorm(out, tensor([1, 2], [3, 1]), tensor([2], [1.0078125, 1.0078125]), 0, ROUNDINGS.bf16);
    // 3/√5 = 1.3416… → 1.34375 in bf16; × 1.0078125 = 1.354248… → 1.3515625.
    expect(out.data[0]).toBe(1.3515625);
    // 0.4472… → 0.447265625; × 1.0078125 = 0.45076… → 0.451171875
    expect(out.data[1]).toBe(0.451171875);
  });
});
