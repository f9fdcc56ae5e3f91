/**
 * out = silu(gate) · up, silu(x) = x / (1 + e^−x); see `src/ops/swiglu.ts`.
 *
 * Numerics: the specification's steps in float32, with the exponential of `exp.ts`. For x ≪ 0 it is
 * Infinity, and x / Infinity is −0.
 */
import { exp } from './exp';

/** Over `from … to` floats, both multiples of 4. `out` may be `gate` or `up`. */
export function swiglu(out: usize, gate: usize, up: usize, from: u32, to: u32): void {
  for (let offset = (<usize>from) << 2, end = (<usize>to) << 2; offset < end; offset += 16) {
    const x = v128.load(gate + offset);
    const silu = f32x4.div(x, f32x4.add(f32x4.splat(1), exp(f32x4.neg(x))));
    v128.store(out + offset, f32x4.mul(silu, v128.load(up + offset)));
  }
}
