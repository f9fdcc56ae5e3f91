/**
 * The gated activation of Llama's feed-forward network (Shazeer, "GLU Variants Improve
 * Transformer", arXiv:2002.05202, eq. 6).
 *
 *   out = silu(gate) · up,   silu(x) = x · σ(x) = x / (1 + e^−x)
 *
 * Numerics: silu in float32 (compute), rounded (store), then the product, rounded again: two
 * roundings, as Hugging Face's `act_fn(gate) * up`. For x ≪ 0 the exponential overflows to Infinity
 * and x / Infinity is −0: the right limit, no special case.
 */
import type { Tensor } from '../base/tensor.js';
import { exp } from './exp.js';
import type { Rounding } from './rounding.js';

/** out, gate, up: [R, F]. `out` may be `gate` or `up`. */
export function swiglu(out: Tensor, gate: Tensor, up: Tensor, { compute, store }: Rounding): void {
  for (let i = 0; i < gate.data.length; i++) {
    const x = gate.data[i];
    const silu = store(compute(x / compute(1 + compute(exp(-x)))));
    out.data[i] = store(silu * up.data[i]);
  }
}
