/**
 * e^x in float32: step for step what `asm/exp.ts` does to four numbers at a time, and the same
 * bits.
 *
 *   x = k·ln 2 + r,  |r| ≤ ½ ln 2
 *   e^x = 2^k · (1 + (r + r²·(1/2! + r/3! + … + r⁵/7!)))
 *
 * Numerics: every product and every sum is rounded to float32. Measured over all 2³² arguments
 * (bench/exp32-error.ts): at most 1.03 ulp from e^x, subnormal results included; all but 18 million
 * results (0.4 %) are the nearest float32, those are next to it. The series is cut where the next
 * term is below 2⁻²⁷.
 */

const { fround } = Math;

const ROUND_TO_INTEGER = 12582912; // 1.5 · 2²³: adding it leaves no bits for a fraction
const LOG2E = fround(Math.LOG2E);
const LN2_HIGH = 0.693145751953125; // 15 bits: times any k here it is exact
const LN2_LOW = fround(1.42860677e-6);
const COEFFICIENTS = [720, 120, 24, 6, 2].map(factorial => fround(1 / factorial));
const FIRST_COEFFICIENT = fround(1 / 5040);

export function exp32(x: number): number {
  if (Number.isNaN(x)) return x;
  const clamped = Math.max(Math.min(fround(x), 89), -104); // e^89 is Infinity and e^−104 is 0
  const k = fround(fround(fround(clamped * LOG2E) + ROUND_TO_INTEGER) - ROUND_TO_INTEGER);
  const r = fround(fround(clamped - k * LN2_HIGH) - fround(k * LN2_LOW));
  let series = FIRST_COEFFICIENT;
  for (const coefficient of COEFFICIENTS) series = fround(fround(series * r) + coefficient);
  const y = fround(1 + fround(r + fround(fround(r * r) * series)));
  const half = k >> 1;
  return fround(fround(y * 2 ** half) * 2 ** (k - half));
}
