/**
 * Tokens that are favoured, held back or banned because of which they are or of what was said: in
 * place, on the scores of one row, [V]; −Infinity marks a token as removed. One function per class
 * of transformers `generation/logits_process.py` (read in 5.24.0), but for the one it lacks:
 *
 *     logitBias        SequenceBiasLogitsProcessor, of single tokens   x ← x + b
 *     countPenalties   OpenAI's and vLLM's                             x ← x − f·c − p·[c > 0]
 *     noRepeatNgram    NoRepeatNGramLogitsProcessor                    remove what repeats n
 *     badWords         NoBadWordsLogitsProcessor                       remove what ends a word
 *     banTokens        MinLengthLogitsProcessor and                    remove ends too soon
 *                      MinNewTokensLengthLogitsProcessor
 *
 * Numerics: scores are float32, and each step rounds where torch does, see `processors.ts`.
 *
 * Not here: which of them run, in which order (`sampler.ts`). Arguments are taken as checked.
 */

/**
 * Adds `bias[id]` to the score of each id; −Infinity bans it. OpenAI's `logit_bias` adds to the
 * logits too, there between −100 and 100.
 */
export function logitBias(scores: Float32Array, bias: Readonly<Record<string, number>>): void {
  for (const [id, value] of Object.entries(bias)) scores[Number(id)] += Math.fround(value);
}

/**
 * Makes tokens of the output less likely: by `frequency` for each time one was said, and by
 * `presence` once. A token of the prompt does not count, as in vLLM
 * (`model_executor/layers/utils.py`). OpenAI, API reference, "Frequency and presence penalties".
 */
export function countPenalties(
  scores: Float32Array,
  output: readonly number[],
  frequency: number,
  presence: number,
): void {
  const counts = new Map<number, number>();
  for (const id of output) counts.set(id, (counts.get(id) ?? 0) + 1);
  const [f, p] = [Math.fround(frequency), Math.fround(presence)];
  for (const [id, count] of counts) {
    scores[id] -= Math.fround(f * count);
    scores[id] -= p;
  }
}

/**
 * Removes every token that would complete `size` tokens in a row, 1 or more, which `ids` has
 * already: the whole text, prompt and output.
 */
export function noRepeatNgram(scores: Float32Array, ids: readonly number[], size: number): void {
  for (let start = 0; start + size <= ids.length; start++) {
    if (endsWith(ids, ids, start, size - 1)) scores[ids[start + size - 1]] = -Infinity;
  }
}

/**
 * Removes the last token of every word, a list of ids, of which `ids` ends with all the others. One
 * that is a single token of `ends` is left alone, as in transformers: a text must be able to end.
 */
export function badWords(
  scores: Float32Array,
  ids: readonly number[],
  words: readonly (readonly number[])[],
  ends: readonly number[],
): void {
  for (const word of words) {
    const isEnd = word.length === 1 && ends.includes(word[0]);
    if (!isEnd && endsWith(ids, word, 0, word.length - 1))
      scores[word[word.length - 1]] = -Infinity;
  }
}

/** Removes the tokens of `banned`. */
export function banTokens(scores: Float32Array, banned: readonly number[]): void {
  for (const id of banned) scores[id] = -Infinity;
}

/** Whether `ids` ends with `count` tokens of `other`, from `start` on. */
function endsWith(
  ids: readonly number[],
  other: readonly number[],
  start: number,
  count: number,
): boolean {
  const first = ids.length - count;
  if (first < 0) return false;
  for (let i = 0; i < count; i++) if (ids[first + i] !== other[start + i]) return false;
  return true;
}
