/**
 * The difference of two perplexities of the same tokens. Its error is that of paired numbers: a
 * token that is hard for one is hard for the other, so the difference is much more certain than
 * either value.
 */
import { RunningMean } from '../src/text/perplexity/running-mean.js';

export interface Estimate {
  readonly value: number;
  /** One standard deviation. */
  readonly error: number;
}

/** e to the mean of `nlls`, −log p of each token. */
export function perplexityOf(nlls: readonly number[]): Estimate {
  const { mean, standardError = NaN } = meanOf(nlls);
  const value = Math.exp(mean);
  return { value, error: value * standardError };
}

/**
 * Perplexity of `ours` less that of `theirs`, −log p of the same tokens. The error is to first
 * order: the differential of e^(mean x) − e^(mean y) is the mean of e^(mean x)·dx − e^(mean y)·dy.
 */
export function difference(ours: readonly number[], theirs: readonly number[]): Estimate {
  const [p, q] = [ours, theirs].map(nlls => Math.exp(meanOf(nlls).mean));
  const { standardError = NaN } = meanOf(ours.map((x, i) => p * x - q * theirs[i]));
  return { value: p - q, error: standardError };
}

function meanOf(numbers: readonly number[]): RunningMean {
  const mean = new RunningMean();
  for (const x of numbers) mean.add(x);
  return mean;
}
