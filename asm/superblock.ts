/** What superblocks of the K formats come to, from their integer sums. */
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
