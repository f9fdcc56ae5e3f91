/**
 * out = silu(gate) · up, silu(x) = x / (1 + e^−x); see `src/ops/swiglu.ts`.
 *
 * Numerics: the specification's steps in float32, with the exponential of `exp.ts`. For x ≪ 0 it is
 * Infinity, and x / Infinity is −0.
 */
import { exp } from './exp';

/** Over `from … to` floats, both multiples of 8. `out` may be `gate` or `up`. */
export function swiglu(out: usize, gate: usize, up: usize, from: u32, to: u32): void {
  for (let offset = (<usize>from) << 2, end = (<usize>to) << 2; offset < end; offset += 32) {
    const x = gate + offset,
      y = up + offset,
      result = out + offset;
    const first = f32x4.mul(silu(v128.load(x)), v128.load(y)),
      second = f32x4.mul(silu(v128.load(x, 16)), v128.load(y, 16));
    v128.store(result, first);
    v128.store(result, second, 16);
  }
}

// @ts-ignore: decorator
@inline
function silu(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp(f32x4.neg(x))));
}
