/**
 * What happens to the scores of one row, [V], before a token is drawn. Every function works in
 * place; −Infinity marks a token as removed. One function per class of transformers
 * `generation/logits_process.py` (read in 5.24.0):
 *
 *     repetitionPenalty  RepetitionPenaltyLogitsProcessor   x ← x·p if x < 0, else x/p, for every
 *                                                           id already there
 *     temperature        TemperatureLogitsWarper            x ← x/T
 *     topK               TopKLogitsWarper                   remove x < the k-th largest
 *     topP               TopPLogitsWarper                   remove the smallest x whose
 *                                                           probabilities add up to ≤ 1 − p
 *     minP               MinPLogitsWarper                   remove x whose probability is < p · the
 *                                                           largest probability
 *     typicalP           TypicalLogitsWarper                remove x whose surprise is far from the
 *                                                           mean
 *
 * Numerics: scores are float32 as in transformers, and each step rounds where torch rounds on a
 * CPU: options become float32 before they meet a score, the cumulative sum runs in float64 and is
 * rounded to float32 only to be compared. Two things of torch are not copied, as they differ
 * between its own builds: the last bit of its softmax, and which of several EQUAL scores
 * `torch.sort` puts first. So a kept set can differ from theirs only if a sum falls within an ulp
 * of the threshold, or if the threshold falls among equal scores; here the higher ids among equals
 * are then kept, as a stable sort has it.
 *
 * Not here: what favours and bans tokens (`bans.ts`); which of them run, in which order
 * (`sampler.ts`). Arguments are taken as checked.
 */
import { LlamaError } from '../../base/errors.js';
import { log } from '../../ops/log.js';
import { ROUNDINGS } from '../../ops/rounding.js';
import { softmax } from '../../ops/softmax.js';

/**
 * Makes every id of `ids` (the whole text so far: prompt with BOS, and output) less likely if
 * `penalty` > 1. An id counts once however often it occurs. Throws BAD_INPUT on an id outside the
 * vocabulary. Keskar et al. 2019, arXiv:1909.05858 §4.1; the case x < 0 is Hugging Face's: dividing
 * a negative score would be a reward.
 */
export function repetitionPenalty(
  scores: Float32Array,
  ids: readonly number[],
  penalty: number,
): void {
  const p = Math.fround(penalty);
  const seen = new Uint8Array(scores.length);
  for (const id of ids) {
    if (seen[id] === 1) continue;
    seen[id] = 1;
    const score = scores[id];
    if (score === undefined) {
      throw new LlamaError(
        'BAD_INPUT',
        `token id ${id} is not in the vocabulary, 0 … ${scores.length - 1}`,
      );
    }
    scores[id] = score < 0 ? score * p : score / p;
  }
}

/** `value` > 0. */
export function temperature(scores: Float32Array, value: number): void {
  const t = Math.fround(value);
  for (let i = 0; i < scores.length; i++) scores[i] /= t;
}

/**
 * Keeps the `k` ≥ 1 largest scores and all that equal the smallest of these; k > V keeps
 * everything.
 */
export function topK(scores: Float32Array, k: number): void {
  const smallestKept = scores.slice().sort()[Math.max(0, scores.length - k)];
  for (let i = 0; i < scores.length; i++) if (scores[i] < smallestKept) scores[i] = -Infinity;
}

/**
 * Nucleus sampling (Holtzman et al. 2019, arXiv:1904.09751): keeps the fewest most likely tokens
 * whose probabilities add up to more than `p`, so the one that crosses the threshold is kept, and
 * one at least. Probabilities are over what earlier steps left.
 */
export function topP(scores: Float32Array, p: number): void {
  const ascending = scores.filter(score => score > -Infinity).sort();
  const kept = firstAbove(ascending, 1 - p);
  const smallestKept = ascending[kept];
  let equalsToRemove = kept - ascending.indexOf(smallestKept);
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] < smallestKept) scores[i] = -Infinity;
    else if (scores[i] === smallestKept && equalsToRemove-- > 0) scores[i] = -Infinity;
  }
}

/**
 * The first index at which the cumulative probability of the ascending scores exceeds `threshold`;
 * else the last one.
 */
function firstAbove(ascending: Float32Array, threshold: number): number {
  const probabilities = probabilitiesOf(ascending);
  const last = ascending.length - 1;
  let sum = 0;
  for (let i = 0; i < last; i++) {
    sum += probabilities[i];
    if (Math.fround(sum) > Math.fround(threshold)) return i;
  }
  return last;
}

/**
 * Removes what is less than `p` times as likely as the most likely token (Nguyen et al. 2024,
 * arXiv:2407.01082).
 */
export function minP(scores: Float32Array, p: number): void {
  const probabilities = probabilitiesOf(scores);
  let largest = 0;
  for (const probability of probabilities) if (probability > largest) largest = probability;
  const threshold = Math.fround(Math.fround(p) * largest);
  for (let i = 0; i < scores.length; i++) if (probabilities[i] < threshold) scores[i] = -Infinity;
}

/**
 * Locally typical sampling (Meister et al. 2022, arXiv:2202.00666, eq. 9): keeps the tokens whose
 * surprise −log p is nearest to its mean H = −Σ p·log p, the nearest first, until they have
 * probability `mass`, and all that are as near as the last of them. Differences from H are rounded
 * to float32 before they are compared.
 */
export function typicalP(scores: Float32Array, mass: number): void {
  const probabilities = probabilitiesOf(scores);
  const surprise = Float64Array.from(probabilities, p => (p > 0 ? -log(p) : Infinity));
  let mean = 0;
  for (const [i, p] of probabilities.entries()) if (p > 0) mean += p * surprise[i];
  const distance = Float32Array.from(surprise, each => Math.abs(each - mean));
  const nearest = [...distance.keys()].sort((a, b) => distance[a] - distance[b] || a - b);
  let last = 0;
  let sum = probabilities[nearest[0]];
  while (Math.fround(sum) < Math.fround(mass) && last < nearest.length - 1) {
    last += 1;
    sum += probabilities[nearest[last]];
  }
  const farthest = distance[nearest[last]];
  for (let i = 0; i < scores.length; i++) if (distance[i] > farthest) scores[i] = -Infinity;
}

function probabilitiesOf(scores: Float32Array): Float32Array {
  const probabilities = scores.slice();
  softmax(probabilities, 0, probabilities.length, ROUNDINGS.f32);
  return probabilities;
}
