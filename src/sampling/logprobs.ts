/**
 * How likely the model itself found a token: before penalty, temperature and filters.
 *
 *     log p[i] = x[i] − m − log Σ_j e^(x[j] − m),   m = max(x)
 *
 * Numerics: float64 throughout, whatever the logits are; the sum in order of the ids. (torch: `log_softmax(logits.double())`.)
 */
import { exp } from '../ops/exp.js';
import { log } from '../ops/log.js';
import type { Floats } from '../tensor.js';

/** As many alternatives as OpenAI's API allows. */
export const MAX_TOP_LOGPROBS = 20;

export interface TokenLogprob {
  readonly token: number;
  /** Natural logarithm, ≤ 0; −Infinity where the probability is 0. */
  readonly logprob: number;
}

/** log Σ_j e^(x[j]): what to subtract from a logit of the row, [V], to get its log-probability. Logits must not be NaN. */
export function logSumExp(logits: Floats): number {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += exp(logit - largest);
  return largest + log(sum);
}

/** The `n` likeliest tokens of a row of logits, [V], likeliest first, lower ids first among equals. */
export function topLogprobs(logits: Floats, n: number): TokenLogprob[] {
  const normalizer = logSumExp(logits);
  return largestIndices(logits, n).map(token => ({ token, logprob: logits[token] - normalizer }));
}

function largestIndices(logits: Floats, n: number): number[] {
  const best: number[] = []; // descending; n is at most 20, so inserting by shifting is the fast way
  for (let i = 0; i < logits.length; i++) {
    if (best.length === n && !(logits[i] > logits[best[n - 1]])) continue;
    let place = best.length;
    while (place > 0 && logits[i] > logits[best[place - 1]]) place -= 1;
    best.splice(place, 0, i);
    if (best.length > n) best.pop();
  }
  return best;
}
