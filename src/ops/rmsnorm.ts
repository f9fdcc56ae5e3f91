/**
 * Root mean square layer normalisation (Zhang & Sennrich, arXiv:1910.07467, eq. 4).
 *
 *   out[i] = w[i] · x[i] / √(mean(x²) + ε)
 *
 * Numerics, as Hugging Face's LlamaRMSNorm: the normalised x̂ is computed in float32 and rounded to
 * the activation type *before* it is multiplied by w, and the product is rounded again. (Together's
 * own modeling_flash_llama.py multiplies first and rounds once.) ε stands inside the root. Nothing
 * overflows: the squares are summed in float64, in index order.
 */
import type { Tensor } from '../base/tensor.js';
import type { Rounding } from './rounding.js';

/** out [R, D], x [R, D], weight [D]. `out` may be `x`. */
export function rmsnorm(
  out: Tensor,
  x: Tensor,
  weight: Tensor,
  eps: number,
  { compute, store }: Rounding,
): void {
  const [rows, width] = x.shape;
  const w = weight.data;
  for (let r = 0; r < rows; r++) {
    const start = r * width;
    let sumOfSquares = 0;
    for (let i = start; i < start + width; i++) sumOfSquares += x.data[i] * x.data[i];
    const variance = compute(sumOfSquares / width);
    const inverse = compute(1 / compute(Math.sqrt(compute(variance + compute(eps)))));
    for (let i = 0; i < width; i++) {
      const normalised = store(compute(x.data[start + i] * inverse));
      out.data[start + i] = store(w[i] * normalised);
    }
  }
}
