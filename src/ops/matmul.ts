/**
 * A linear layer without bias.
 *
 *   out[r, n] = Σ_m x[r, m] · W[n, m]        (W as checkpoints store it: one row per output)
 *
 * Numerics: each sum as `dot.ts` says, then rounded (store). A row's result depends on nothing but
 * that row, so prefill in any chunks, decode and batches give the same bits.
 */
import type { Tensor } from '../base/tensor.js';
import type { Rounding } from './rounding.js';

/**
 * out [R, N], x [R, M], weight [N, M]; computes outputs `from … to − 1`, all if not given. `out`
 * must not be `x`.
 */
export function matmul(
  out: Tensor,
  x: Tensor,
  weight: Tensor,
  { dot, store }: Rounding,
  from = 0,
  to = weight.shape[0],
): void {
  const [rows, inner] = x.shape;
  const [outputs] = weight.shape;
  for (let n = from; n < to; n++) {
    for (let r = 0; r < rows; r++) {
      out.data[r * outputs + n] = store(dot(x.data, r * inner, weight.data, n * inner, inner));
    }
  }
}
