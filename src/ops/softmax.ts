/**
 * softmax, in place.
 *
 *   x[i] ← e^(x[i] − m) / Σ_j e^(x[j] − m),   m = max(x)
 *
 * Numerics: subtracting the largest element keeps every exponent ≤ 0: nothing overflows, and at
 * least one term is 1. Exponentials, sum, its inverse and the products are rounded as PyTorch's
 * float32 softmax does (compute), the result once more (store). A row in which everything is masked
 * (−Infinity, or no element at all) has no distribution; it becomes zeros, never NaN. A row with a
 * NaN, or with +Infinity, becomes NaN as in PyTorch: what went wrong must not look like a
 * distribution.
 */
import type { Floats } from '../base/tensor.js';
import { exp } from './exp.js';
import type { Rounding } from './rounding.js';

/** x[start … start + length − 1]: scores in, probabilities out. */
export function softmax(
  x: Floats,
  start: number,
  length: number,
  { compute, store }: Rounding,
): void {
  const end = start + length;
  let largest = -Infinity;
  // Math.max keeps a NaN, which no comparison finds
  for (let i = start; i < end; i++) largest = Math.max(largest, x[i]);
  if (largest === -Infinity) {
    x.fill(0, start, end);
    return;
  }
  let sum = 0;
  for (let i = start; i < end; i++) {
    x[i] = compute(exp(compute(x[i] - largest)));
    sum += x[i];
  }
  const inverse = compute(1 / compute(sum));
  for (let i = start; i < end; i++) x[i] = store(compute(x[i] * inverse));
}
