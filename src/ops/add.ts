/**
 * The residual connection (He et al., arXiv:1512.03385): out = x + y.
 *
 * Numerics: one addition, one rounding (store). `out` may be `x` or `y`.
 */
import type { Tensor } from '../base/tensor.js';
import type { Rounding } from './rounding.js';

/** out, x, y: equal shapes. */
export function add(out: Tensor, x: Tensor, y: Tensor, { store }: Rounding): void {
  for (let i = 0; i < x.data.length; i++) out.data[i] = store(x.data[i] + y.data[i]);
}
