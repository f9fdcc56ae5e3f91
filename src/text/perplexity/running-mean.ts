/**
 * Mean and variance of numbers that come one by one.
 *
 *     m ← m + (x − m)/n,   s ← s + (x − m_old)·(x − m_new),   variance = s/(n − 1)
 *
 * B. P. Welford, "Note on a method for calculating corrected sums of squares and products" (1962).
 * Numerics: float64; nothing large cancels, as it would in the mean of the squares less the square
 * of the mean.
 */
export class RunningMean {
  #count = 0;
  #mean = 0;
  #squares = 0;

  add(x: number): void {
    this.#count += 1;
    const before = x - this.#mean;
    this.#mean += before / this.#count;
    this.#squares += before * (x - this.#mean);
  }

  /** How many numbers there were. */
  get count(): number {
    return this.#count;
  }

  /** 0 before the first number. */
  get mean(): number {
    return this.#mean;
  }

  /**
   * How far the mean of so many independent numbers is from their expectation, one standard
   * deviation: √(variance/n). Undefined for fewer than two.
   */
  get standardError(): number | undefined {
    const n = this.#count;
    return n < 2 ? undefined : Math.sqrt(this.#squares / (n - 1) / n);
  }
}
