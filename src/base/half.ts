/**
 * The two 16-bit floating-point formats: bits ↔ numbers, and rounding a number to either.
 *
 *     |      | what it is                  | sign | exponent | fraction | largest | smallest |
 *     |------|-----------------------------|------|----------|----------|---------|----------|
 *     | f16  | IEEE 754 binary16           | 1    | 5        | 10       | 65,504  | 2^−24    |
 *     | bf16 | the upper half of a float32 | 1    | 8        | 7        | 3.39e38 | 2^−133   |
 *
 * Rounding is to nearest, ties to even, and happens ONCE, from the float64 a JavaScript number is:
 * going through `Math.fround` first would round twice and be wrong near ties (1 + 2^−11 + 2^−40
 * must become 1 + 2^−10 in f16, not 1). Subnormals, ±0, ±Infinity and NaN are kept; overflow gives
 * ±Infinity. Nothing here allocates.
 *
 * Not here: whole arrays of them (`src/files/dtypes.ts`) and where a model rounds (`src/ops`).
 */

const f32 = new Float32Array(1);
const f32Bits = new Uint32Array(f32.buffer);
const f64 = new Float64Array(1);
const f64Words = new Uint32Array(f64.buffer);

export const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const HIGH = LITTLE_ENDIAN ? 1 : 0;
const LOW = 1 - HIGH;

/** The exponent field of a float64, biased by 1023, where the upper word holds it. */
const exponentField = (exponent: number) => (exponent + 1023) << 20;

const F16_FRACTION_BITS = 10;
const F16_SMALLEST_NORMAL = exponentField(-14);
/**
 * Halfway from 65,504 to the 65,536 that would be next: from here on the nearest f16 is Infinity.
 */
const F16_OVERFLOW = 65520;

const BF16_FRACTION_BITS = 7;
const BF16_SMALLEST_NORMAL = exponentField(-126);
/** Halfway from the largest bf16, (2 − 2^−7) · 2^127, to 2^128. */
const BF16_OVERFLOW = (2 - 2 ** -8) * 2 ** 127;

/** `x` rounded to the nearest f16, ties to even. */
export function roundToF16(x: number): number {
  if (x >= F16_OVERFLOW) return Infinity;
  if (x <= -F16_OVERFLOW) return -Infinity;
  return roundFraction(x, F16_FRACTION_BITS, F16_SMALLEST_NORMAL);
}

/** `x` rounded to the nearest bf16, ties to even. */
export function roundToBF16(x: number): number {
  if (x >= BF16_OVERFLOW) return Infinity;
  if (x <= -BF16_OVERFLOW) return -Infinity;
  return roundFraction(x, BF16_FRACTION_BITS, BF16_SMALLEST_NORMAL);
}

/**
 * `x` rounded to TF32, what NVIDIA's matrix units take float32 for: the fraction of f16 with the
 * exponents of float32, ties to even.
 */
export function roundToTf32(x: number): number {
  return roundFraction(x, F16_FRACTION_BITS, BF16_SMALLEST_NORMAL);
}

/**
 * Rounds |x| ∈ [2^e, 2^(e+1)) to a multiple of 2^(e−fractionBits), e being no less than that of the
 * smallest normal number. Adding 1.5 · 2^(e−fractionBits+52) leaves exactly those bits of x in the
 * sum, so the processor's own rounding is the one wanted; the subtraction is exact. (The 1.5 keeps
 * the exponent of the sum the same for negative x.)
 */
function roundFraction(x: number, fractionBits: number, smallestNormal: number): number {
  f64[0] = x;
  const field = f64Words[HIGH] & 0x7ff00000;
  const ulpField = Math.max(field, smallestNormal) - (fractionBits << 20);
  f64Words[HIGH] = (ulpField + (52 << 20)) | 0x80000;
  f64Words[LOW] = 0;
  const magic = f64[0];
  const rounded = x + magic - magic;
  // The sum loses the sign of a zero, of −0 as of the tiny negative numbers that become −0.
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}

/** The number that the 16 `bits` of an f16 stand for; every one of them is exact in float32. */
export function f16ToF32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  f32Bits[0] = ((exponent - 15 + 127) << 23) | (fraction << 13);
  return sign * f32[0];
}

/** The number that the 16 `bits` of a bf16 stand for; every one of them is exact in float32. */
export function bf16ToF32(bits: number): number {
  f32Bits[0] = bits << 16;
  return f32[0];
}

/** The 16 bits of the f16 nearest to `x` (ties to even); every NaN becomes the quiet 0x7e00. */
export function toF16Bits(x: number): number {
  const rounded = roundToF16(x);
  if (Number.isNaN(rounded)) return 0x7e00;
  const sign = rounded < 0 || Object.is(rounded, -0) ? 0x8000 : 0;
  const size = Math.abs(rounded);
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  f32[0] = size;
  return sign | ((f32Bits[0] >>> 13) - ((127 - 15) << 10));
}

/** The 16 bits of the bf16 nearest to `x` (ties to even); every NaN becomes the quiet 0x7fc0. */
export function toBF16Bits(x: number): number {
  const rounded = roundToBF16(x);
  if (Number.isNaN(rounded)) return 0x7fc0;
  f32[0] = rounded;
  return f32Bits[0] >>> 16;
}
