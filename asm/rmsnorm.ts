/**
 * out = w · x / √(mean(x²) + ε), row by row; see `src/ops/rmsnorm.ts`.
 *
 * Numerics: the squares are exact in float64 and summed there, number i in running sum i mod 8, the
 * last width mod 8 in one more. After that each step is rounded to float32, as in the
 * specification.
 */

/** Rows firstRow … endRow − 1 of x and out, whose stride is in floats. `out` may be `x`. */
export function rmsnorm(
  out: usize,
  x: usize,
  weight: usize,
  width: usize,
  stride: usize,
  eps: f32,
  firstRow: usize,
  endRow: usize,
): void {
  const rowBytes = stride << 2;
  const bytes = width << 2;
  const vectorBytes = bytes & ~15;
  for (let row = firstRow; row < endRow; row++) {
    const from = x + row * rowBytes;
    const to = out + row * rowBytes;
    const variance = <f32>(sumOfSquares(from, bytes) / <f64>width);
    const inverse: f32 = 1 / sqrt<f32>(variance + eps);
    const factor = f32x4.splat(inverse);
    for (let i: usize = 0; i < vectorBytes; i += 16) {
      v128.store(to + i, f32x4.mul(v128.load(weight + i), f32x4.mul(v128.load(from + i), factor)));
    }
    for (let i = vectorBytes; i < bytes; i += 4) {
      store<f32>(to + i, load<f32>(weight + i) * (load<f32>(from + i) * inverse));
    }
    memory.fill(to + bytes, 0, rowBytes - bytes);
  }
}

/** Four accumulators, because an addition takes longer than one step. */
function sumOfSquares(x: usize, bytes: usize): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  const vectorBytes = bytes & ~31;
  for (let i: usize = 0; i < vectorBytes; i += 32) {
    a = f64x2.add(a, squares(x + i));
    b = f64x2.add(b, squares(x + i + 8));
    c = f64x2.add(c, squares(x + i + 16));
    d = f64x2.add(d, squares(x + i + 24));
  }
  let rest: f64 = 0;
  for (let i = vectorBytes; i < bytes; i += 4) {
    const value = <f64>load<f32>(x + i);
    rest += value * value;
  }
  const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1) + rest;
}

// @ts-ignore: decorator
@inline
function squares(pair: usize): v128 {
  const values = f64x2.promote_low_f32x4(v128.load64_zero(pair));
  return f64x2.mul(values, values);
}
