/** What the superblocks of the K formats add to the totals in `out`, from their integer sums. */
import { store64 } from './lanes';
import { hasMinimum } from './weight-format';

/**
 * Of four outputs: (sum · unit + minimum · minimumUnit) · scale. In a format without minima those
 * two are not looked at.
 */
// @ts-ignore: decorator
@inline
export function superblock<F>(
  sum: v128,
  unit: v128,
  minimum: v128,
  minimumUnit: v128,
  scale: v128,
): v128 {
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), unit);
  if (!hasMinimum<F>()) return f32x4.mul(scaled, scale);
  return f32x4.mul(
    f32x4.add(scaled, f32x4.mul(f32x4.convert_i32x4_s(minimum), minimumUnit)),
    scale,
  );
}

/** Adds what a superblock of each of 16 outputs comes to. */
// @ts-ignore: decorator
@inline
export function addSuperblocks(out: usize, a: v128, b: v128, c: v128, d: v128): void {
  store64(
    out,
    f32x4.add(v128.load(out), a),
    f32x4.add(v128.load(out, 16), b),
    f32x4.add(v128.load(out, 32), c),
    f32x4.add(v128.load(out, 48), d),
  );
}
