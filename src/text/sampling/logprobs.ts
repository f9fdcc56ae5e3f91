/**
 * How likely the model itself found a token: before penalty, temperature and filters.
 *
 *     log p[i] = x[i] − m − log Σ_j e^(x[j] − m),   m = max(x)
 *
 * Numerics: float64 throughout, whatever the logits are; the sum in order of the ids. (torch:
 * `log_softmax(logits.double())`.)
 */

import type { Floats } from '../../base/tensor.js';
import { exp } from '../../ops/exp.js';
import { log } from '../../ops/log.js';

/** As many alternatives as OpenAI's API allows. */
export const MAX_TOP_LOGPROBS = 20;

/** A token and the logarithm of its probability. */
export interface TokenLogprob {
  readonly token: number;
  /** Natural logarithm, ≤ 0; −Infinity where the probability is 0. */
  readonly logprob: number;
}

/** log Σ_j e^(x[j]): a logit less this is its log-probability. Logits must not be NaN. */
export function logSumExp(logits: Floats): number {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += exp(logit - largest);
  return largest + log(sum);
}

/** Log-probabilities of one step: of the token that was chosen, and of the likeliest ones. */
export interface StepLogprobs {
  readonly logprob: number;
  /** Likeliest first, lower ids first among equals. */
  readonly topLogprobs: readonly TokenLogprob[];
}

/** Of `token` and of the `n` likeliest tokens of a row of logits, [V]. */
export function logprobsOf(logits: Floats, token: number, n: number): StepLogprobs {
  const normalizer = logSumExp(logits);
  const logprob = (id: number) => logits[id] - normalizer;
  return {
    logprob: logprob(token),
    topLogprobs: largestIndices(logits, n).map(id => ({ token: id, logprob: logprob(id) })),
  };
}

function largestIndices(logits: Floats, n: number): number[] {
  // descending; n is at most 20, so inserting by shifting is the fast way
  const best: number[] = [];
  for (let i = 0; i < logits.length; i++) {
    if (best.length === n && !(logits[i] > logits[best[n - 1]])) continue;
    let place = best.length;
    while (place > 0 && logits[i] > logits[best[place - 1]]) place -= 1;
    best.splice(place, 0, i);
    if (best.length > n) best.pop();
  }
  return best;
}
