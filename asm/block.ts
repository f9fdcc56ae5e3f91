/** What the layers with quantized weights share: integer products within a block of 32, and what becomes of their sum. */

/**
 * c + Σ_{j < 4} a[4r + j] · b[4r + j] in each lane r: a signed bytes, b in 0 … 127.
 *
 * With b so small, the relaxed instruction is exact on every machine: neither the sign of b nor a saturated sum of two products (at most
 * 2 · 128 · 127 = 32,512) can make a difference. On x86 with VNNI it is one `vpdpbusd`. The baseline build, for engines without relaxed SIMD,
 * sums even and odd bytes by themselves.
 */
// @ts-ignore: decorator
@inline
export function dot4(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, c);
  const even = i32x4.dot_i16x8_s(evenBytes(a), evenBytes(b));
  const odd = i32x4.dot_i16x8_s(oddBytes(a), oddBytes(b));
  return i32x4.add(i32x4.add(c, even), odd);
}

// @ts-ignore: decorator
@inline
export function evenBytes(x: v128): v128 {
  return i16x8.shr_s(i16x8.shl(x, 8), 8);
}

// @ts-ignore: decorator
@inline
export function oddBytes(x: v128): v128 {
  return i16x8.shr_s(x, 8);
}

/** [l0 + l1, l2 + l3, h0 + h1, h2 + h3] */
// @ts-ignore: decorator
@inline
export function sumPairs(low: v128, high: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(low, high, 0, 2, 4, 6), v128.shuffle<i32>(low, high, 1, 3, 5, 7));
}

/** total + sum · d_w · d_x */
// @ts-ignore: decorator
@inline
export function addBlock(total: v128, sum: v128, weightScales: v128, xScale: v128): v128 {
  return f32x4.add(total, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sum), weightScales), xScale));
}
