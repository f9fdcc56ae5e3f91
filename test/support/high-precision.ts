/**
 * exp, log, sin and cos in 200-bit fixed point with BigInt: an independent judge for the float64
 * versions in `src/ops`. Plain Taylor series, nothing shared with what is judged.
 */

const BITS = 200n;
const ONE = 1n << BITS;

const float = new Float64Array(1);
const word = new BigUint64Array(float.buffer);

/**
 * The float64 x as an exact multiple of 2^−200 (for |x| ≥ 2^−147 or 0; smaller ones lose their last
 * bits).
 */
export function toFixed(x: number): bigint {
  float[0] = x;
  const exponent = (word[0] >> 52n) & 0x7ffn;
  const fraction = word[0] & 0xfffffffffffffn;
  const mantissa = exponent === 0n ? fraction : fraction | (1n << 52n);
  const shift = BITS + (exponent === 0n ? 1n : exponent) - 1075n;
  const magnitude = shift >= 0n ? mantissa << shift : mantissa >> -shift;
  return word[0] >> 63n ? -magnitude : magnitude;
}

const times = (a: bigint, b: bigint): bigint => (a * b) >> BITS;

/** Machin: π = 16·arctan(1/5) − 4·arctan(1/239). */
function arctanOfInverse(n: bigint): bigint {
  let power = ONE / n;
  let sum = power;
  for (let odd = 3n; power !== 0n; odd += 2n) {
    power /= -(n * n);
    sum += power / odd;
  }
  return sum;
}
const PI = 16n * arctanOfInverse(5n) - 4n * arctanOfInverse(239n);

/** ln 2 = 2·artanh(1/3). */
function naturalLogOfTwo(): bigint {
  let power = ONE / 3n;
  let sum = power;
  for (let odd = 3n; power !== 0n; odd += 2n) {
    power /= 9n;
    sum += power / odd;
  }
  return 2n * sum;
}
const LN2 = naturalLogOfTwo();

/**
 * Σ r^n/n! over n ≡ start (mod step), with alternating signs if wanted: exp, sin and cos are all
 * this series.
 */
function taylor(r: bigint, start: bigint, step: bigint, alternate: boolean): bigint {
  let term = start === 0n ? ONE : r;
  let sum = term;
  for (let n = start; term !== 0n && term !== -1n; ) {
    for (let i = 0n; i < step; i++) {
      n += 1n;
      term = times(term, r) / n;
    }
    if (alternate) term = -term;
    sum += term;
  }
  return sum;
}

/** A number mantissa·2^(exponent − 200). */
export interface Wide {
  readonly mantissa: bigint;
  readonly exponent: number;
}

export function wideExp(x: number): Wide {
  const fixed = toFixed(x);
  const k = fixed / LN2;
  return { mantissa: taylor(fixed - k * LN2, 0n, 1n, false), exponent: Number(k) };
}

/** log x = y + log(1 + t), where y is the engine's guess and t = x/e^y − 1 is tiny. */
export function wideLog(x: number): Wide {
  const guess = Math.log(x);
  const { mantissa, exponent } = wideExp(guess);
  const { significand, power } = split(x);
  const scaled = toFixed(significand) << 20n;
  const quotient = (scaled << BITS) / (mantissa << 20n);
  const shift = BigInt(power - exponent);
  const t = (shift >= 0n ? quotient << shift : quotient >> -shift) - ONE;
  return { mantissa: toFixed(guess) + t - times(t, t) / 2n, exponent: 0 };
}

export function wideSin(x: number): Wide {
  const fixed = toFixed(x);
  return {
    mantissa: taylor(fixed - ((fixed + PI) / (2n * PI)) * 2n * PI, 1n, 2n, true),
    exponent: 0,
  };
}

export function wideCos(x: number): Wide {
  const fixed = toFixed(x);
  return {
    mantissa: taylor(fixed - ((fixed + PI) / (2n * PI)) * 2n * PI, 0n, 2n, true),
    exponent: 0,
  };
}

/** x = significand·2^power with 1 ≤ significand < 2. */
function split(x: number): { significand: number; power: number } {
  let power = 0;
  let significand = x;
  for (; significand >= 2; power++) significand /= 2;
  for (; significand < 1; power--) significand *= 2;
  return { significand, power };
}

/**
 * |actual − expected| in units in the last place of `actual`: ½ is the best any function can
 * promise.
 */
export function ulpError(actual: number, { mantissa, exponent }: Wide): number {
  float[0] = actual;
  const biased = (word[0] >> 52n) & 0x7ffn;
  const fraction = word[0] & 0xfffffffffffffn;
  const magnitude = biased === 0n ? fraction : fraction | (1n << 52n);
  const got = (word[0] >> 63n ? -magnitude : magnitude) << BITS; // in ulps, times 2^200
  const ulpExponent = (biased === 0n ? 1 : Number(biased)) - 1075;
  const wanted = shifted(mantissa, exponent - ulpExponent);
  const difference = wanted > got ? wanted - got : got - wanted;
  return Number(difference >> (BITS - 60n)) / 2 ** 60;
}

function shifted(x: bigint, power: number): bigint {
  return power >= 0 ? x << BigInt(power) : x >> BigInt(-power);
}
