/**
 * A constant that stays in a register.
 *
 * V8 builds a v128 constant again wherever it is used (three instructions on x86), also inside a
 * loop. So no compiler may know that it is one: `always` must not be 0, which only the caller
 * knows. Where accumulators already fill the registers, a held constant pushes one of them out into
 * memory: there `splat` is faster.
 */
// @ts-ignore: decorator
@inline
export function hold(bits: u32, always: u32): v128 {
  return i32x4.splat(always ? bits : 0);
}
