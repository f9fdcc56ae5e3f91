import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  badWords,
  countPenalties,
  logitBias,
  noRepeatNgram,
} from '../../../src/text/sampling/bans.js';

const VOCAB = 6;
const gone = -Infinity;

/** The scores after `step` on zeros. */
function after(step: (scores: Float32Array) => void): number[] {
  const scores = new Float32Array(VOCAB);
  step(scores);
  return Array.from(scores);
}

/** The ids that `step` removes. */
const removed = (step: (scores: Float32Array) => void): number[] =>
  after(step).flatMap((score, id) => (score === gone ? [id] : []));

test('logitBias adds, and minus infinity bans', () => {
  expect(after(row => logitBias(row, { 1: 2.5, 3: -0.5, 4: gone }))).toEqual([
    0,
    2.5,
    0,
    -0.5,
    gone,
    0,
  ]);
});

test('countPenalties count the output', () => {
  expect(after(row => countPenalties(row, [2, 5, 2, 2], 0.5, 1))).toEqual([0, 0, -2.5, 0, 0, -1.5]);
});

test('badWords leaves an end alone, and needs all that comes before', () => {
  const words = [[3], [2], [4, 5], [0, 4, 1]];
  expect(removed(row => badWords(row, [0, 4], words, [2]))).toEqual([1, 3, 5]);
  expect(removed(row => badWords(row, [4, 0], words, []))).toEqual([2, 3]);
});

describe('for any text', () => {
  const text = fc.array(fc.nat(VOCAB - 1), { maxLength: 30 });
  const size = fc.integer({ min: 1, max: 5 });
  const grams = (ids: readonly number[], n: number) =>
    ids.flatMap((_, i) => (i + n <= ids.length ? [ids.slice(i, i + n).join()] : []));

  test('noRepeatNgram removes exactly the tokens after which an n-gram is there twice', () => {
    fc.assert(
      fc.property(text, size, (ids, n) => {
        const before = new Set(grams(ids, n));
        const repeats = (id: number) =>
          ids.length + 1 >= n && before.has([...ids, id].slice(-n).join());
        expect(removed(row => noRepeatNgram(row, ids, n))).toEqual(
          [...Array(VOCAB).keys()].filter(repeats),
        );
      }),
    );
  });

  test('badWords removes exactly the tokens after which the text ends with a word', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.array(fc.nat(VOCAB - 1), { minLength: 1, maxLength: 3 })),
        (ids, words) => {
          const isBad = (id: number) =>
            words.some(word => {
              const end = [...ids, id].slice(-word.length);
              return end.length === word.length && end.join() === word.join();
            });
          expect(removed(row => badWords(row, ids, words, []))).toEqual(
            [...Array(VOCAB).keys()].filter(isBad),
          );
        },
      ),
    );
  });
});
