/**
 * What the layers with quantized weights share: integer products within a block of 32, and what
 * becomes of their sum.
 */

/**
 * a[2i] · b[2i] + a[2i + 1] · b[2i + 1] in each lane i of eight: a signed bytes, b in 0 … 127.
 *
 * With b so small, the relaxed instruction is exact on every machine: neither the sign of b nor a
 * saturated sum (at most 2 · 128 · 127 = 32,512) can make a difference. On x86 it is `vpmaddubsw`.
 */
// @ts-ignore: decorator
@inline
export function dot2(a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_dot_i8x16_i7x16_s(a, b);
  return i16x8.add(i16x8.mul(evenBytes(a), evenBytes(b)), i16x8.mul(oddBytes(a), oddBytes(b)));
}

/**
 * c + Σ_{j < 4} a[4r + j] · b[4r + j] in each lane r of four; a and b as in `dot2`, and exact for
 * the same reason. On x86 with VNNI it is `vpdpbusd`. Only the third build uses the instruction:
 * without VNNI it is three, and V8 11.3 (Node 20) computes it wrongly.
 */
// @ts-ignore: decorator
@inline
export function dot4(a: v128, b: v128, c: v128): v128 {
  if (isDefined(DOT4)) return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, c);
  const even = i32x4.dot_i16x8_s(evenBytes(a), evenBytes(b));
  const odd = i32x4.dot_i16x8_s(oddBytes(a), oddBytes(b));
  return i32x4.add(i32x4.add(c, even), odd);
}

// @ts-ignore: decorator
@inline
function evenBytes(x: v128): v128 {
  return i16x8.shr_s(i16x8.shl(x, 8), 8);
}

// @ts-ignore: decorator
@inline
function oddBytes(x: v128): v128 {
  return i16x8.shr_s(x, 8);
}

/** total + sum · d_w · d_x */
// @ts-ignore: decorator
@inline
export function addBlock(total: v128, sum: v128, weightScales: v128, xScale: v128): v128 {
  return f32x4.add(total, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sum), weightScales), xScale));
}

/** total + (sum · d + xSum · m) · d_x */
// @ts-ignore: decorator
@inline
export function addBlockWithMinimum(
  total: v128,
  sum: v128,
  weightScales: v128,
  minima: v128,
  xSum: v128,
  xScale: v128,
): v128 {
  const block = f32x4.add(
    f32x4.mul(f32x4.convert_i32x4_s(sum), weightScales),
    f32x4.mul(xSum, minima),
  );
  return f32x4.add(total, f32x4.mul(block, xScale));
}
