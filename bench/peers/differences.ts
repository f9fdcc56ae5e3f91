/**
 * How far logits are from the true ones. Adding a constant to a row changes no probability, so rows
 * are compared about their means.
 */

export interface Difference {
  /**
   * Root of the mean square over all rows, and the largest difference, each in standard deviations
   * of its row's true logits.
   */
  readonly rms: number;
  readonly largest: number;
  /** Σ p·log(p/q), p true, in nats, mean over rows. */
  readonly divergence: number;
}

/** `logits` and `truth`: rows of V numbers. */
export function difference(
  logits: readonly ArrayLike<number>[],
  truth: readonly ArrayLike<number>[],
): Difference {
  let squares = 0;
  let largest = 0;
  let divergence = 0;
  truth.forEach((row, i) => {
    const x = centred(logits[i]);
    const y = centred(row);
    const variance = meanOf(y, v => v * v);
    squares += meanOf(x, (v, j) => (v - y[j]) ** 2) / variance;
    const most = x.reduce((so, v, j) => Math.max(so, Math.abs(v - y[j])), 0);
    largest = Math.max(largest, most / Math.sqrt(variance));
    divergence += kullbackLeibler(y, x);
  });
  const rows = truth.length;
  return { rms: Math.sqrt(squares / rows), largest, divergence: divergence / rows };
}

function centred(row: ArrayLike<number>): Float64Array {
  const numbers = Float64Array.from(row);
  const mean = meanOf(numbers, x => x);
  return numbers.map(x => x - mean);
}

function meanOf(row: Float64Array, f: (x: number, i: number) => number): number {
  return row.reduce((sum, x, i) => sum + f(x, i), 0) / row.length;
}

/**
 * With e = x − y: log Σ p·e^e − Σ p·e. Both terms are small where x is near y, and nothing large
 * cancels: as differences of log-probabilities the divergences of float32 would be lost.
 */
function kullbackLeibler(y: Float64Array, x: Float64Array): number {
  const top = y.reduce((a, b) => Math.max(a, b));
  let total = 0;
  let mean = 0;
  let growth = 0;
  for (let i = 0; i < y.length; i++) {
    const p = Math.exp(y[i] - top);
    const e = x[i] - y[i];
    total += p;
    mean += p * e;
    growth += p * Math.expm1(e);
  }
  return Math.log1p(growth / total) - mean / total;
}
