/**
 * The dot product under every matrix multiplication and attention score.
 *
 *   Σ_i a[i] · b[i],  i = 0, 1, 2, …
 *
 * Numerics: in float64, one running sum in index order. In float32, each step is a fused
 * multiply-add (the product is not rounded, the sum is), and after every `block` terms the running
 * sum is set aside and a new one begun: what BLAS libraries do to keep operands in cache. The block
 * sizes in `rounding.ts` were found by comparing orders with what PyTorch returns, bit for bit
 * (docs/LOG.md).
 *
 * The product of two float32 numbers is exact in float64, so `fround(sum + a·b)` is that fused
 * step, but for one case in some 2^29 where float64 rounds the sum to a tie of float32.
 */
import type { Floats } from '../base/tensor.js';

/** Σ a[aStart + i] · b[bStart + i] for i < length. */
export type Dot = (a: Floats, aStart: number, b: Floats, bStart: number, length: number) => number;

export const dotFloat64: Dot = (a, aStart, b, bStart, length) => {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[aStart + i] * b[bStart + i];
  return sum;
};

export function dotFloat32(block: number): Dot {
  return (a, aStart, b, bStart, length) => {
    let total = 0;
    for (let start = 0; start < length; start += block) {
      const end = Math.min(start + block, length);
      let sum = 0;
      for (let i = start; i < end; i++) sum = Math.fround(sum + a[aStart + i] * b[bStart + i]);
      total = Math.fround(total + sum);
    }
    return total;
  };
}
