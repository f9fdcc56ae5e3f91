/**
 * The natural logarithm in float64, the same bits on every machine.
 *
 *   x = 2^k · m,  √½ ≤ m < √2,   f = m − 1,   s = f / (2 + f)
 *   log m = 2·artanh(s) = f − s·(f − R),   R = 2s²/3 + 2s⁴/5 + … + 2s²⁴/25
 *
 * Numerics: the series is cut where the next term is below 2⁻⁶⁶ of the result. Measured error
 * (bench/math-error.ts): at most 0.89 ulp over a million arguments.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const float = new Float64Array(1);
const bits = new BigUint64Array(float.buffer);
const FRACTION = (1n << 52n) - 1n;

/** log(0) = −Infinity, log(negative) = NaN, log(Infinity) = Infinity. */
export function log(x: number): number {
  if (x === 0) return -Infinity;
  if (!(x > 0)) return NaN;
  if (x === Infinity) return x;

  const subnormal = x < 2.2250738585072014e-308;
  float[0] = subnormal ? x * 18014398509481984 : x; // · 2^54
  let k = Number(bits[0] >> 52n) - 1023 - (subnormal ? 54 : 0);
  bits[0] = (bits[0] & FRACTION) | (1023n << 52n);
  let m = float[0];
  if (m >= Math.SQRT2) {
    m /= 2;
    k += 1;
  }

  const f = m - 1;
  const s = f / (2 + f);
  return k * LN2_HIGH - (s * (f - series(s * s)) - k * LN2_LOW - f);
}

/** R as a function of z = s²: 2z/3 + 2z²/5 + … + 2z¹²/25. */
function series(z: number): number {
  let sum = 2 / 25;
  for (let odd = 23; odd >= 3; odd -= 2) sum = sum * z + 2 / odd;
  return sum * z;
}
