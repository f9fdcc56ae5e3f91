/**
 * Functions that Llama has no use for and its mutants have. As those of `src/ops` they give the
 * same bits on every machine, within 1e-15 of the right value.
 */
import { exp } from '../../ops/exp.js';

/** From here on the fraction converges faster than the series. */
const TAIL = 2.5;
const TERMS = 60;

/**
 * erf x = 2/√π · Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)), for large x by the continued fraction of 1 − erf
 * (Abramowitz & Stegun, 7.1.6 in a form without cancellation, and 7.1.14).
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  const value = size < TAIL ? series(size) : 1 - fraction(size);
  return x < 0 ? -value : value;
}

/** 2/√π · e^(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·5 … (2n + 1)) */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < TERMS; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * exp(-x * x) * sum;
}

/** e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))) */
function fraction(x: number): number {
  let denominator = x;
  for (let n = TERMS; n > 0; n--) denominator = x + n / 2 / denominator;
  return exp(-x * x) / (Math.sqrt(Math.PI) * denominator);
}

export const tanh = (x: number): number => 1 - 2 / (exp(2 * x) + 1);

export const sigmoid = (x: number): number => 1 / (1 + exp(-x));
