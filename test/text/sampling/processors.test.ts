import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  minP,
  repetitionPenalty,
  temperature,
  topK,
  topP,
} from '../../../src/text/sampling/processors.js';

const gone = -Infinity;
const { fround } = Math;

/** The scores after `step`; the argument is not touched. */
function scoresAfter(scores: readonly number[], step: (scores: Float32Array) => void): number[] {
  const row = new Float32Array(scores);
  step(row);
  return Array.from(row);
}

/** The ids that `step` keeps. */
const kept = (scores: readonly number[], step: (scores: Float32Array) => void): number[] =>
  scoresAfter(scores, step).flatMap((score, id) => (score === gone ? [] : [id]));

/** Logits whose softmax is `probabilities`. */
const logitsOf = (...probabilities: number[]): number[] => probabilities.map(Math.log);

describe('repetitionPenalty', () => {
  test('makes a token less likely on either side of zero (bug I1)', () => {
    expect(scoresAfter([3, -3, 0, 5], row => repetitionPenalty(row, [0, 1, 2], 1.5))).toEqual([
      2, -4.5, 0, 5,
    ]);
  });

  test('counts an id once however often it occurs (bug I2)', () => {
    expect(scoresAfter([8, 1], row => repetitionPenalty(row, [0, 0, 0], 2))).toEqual([4, 1]);
  });

  test('rounds the penalty to float32 first, as torch does', () => {
    const wanted = fround(fround(-0.1) * fround(1.1));
    expect(wanted).not.toBe(fround(fround(-0.1) * 1.1));
    expect(scoresAfter([-0.1], row => repetitionPenalty(row, [0], 1.1))).toEqual([wanted]);
  });

  test.each([3, -1, 0.5])('refuses id %d, which is not in a vocabulary of 3', id => {
    const penalize = () => repetitionPenalty(new Float32Array(3), [1, id], 1.1);
    expect(penalize).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(String(id)) }),
    );
  });
});

test('temperature divides in float32', () => {
  expect(scoresAfter([1, -2, gone], row => temperature(row, 0.7))).toEqual([
    fround(1 / fround(0.7)),
    fround(-2 / fround(0.7)),
    gone,
  ]);
});

describe('topK', () => {
  test('keeps exactly k (bug I8)', () =>
    expect(kept([1, 4, 2, 3], row => topK(row, 2))).toEqual([1, 3]));
  test('keeps all that equal the k-th', () =>
    expect(kept([2, 1, 3, 2, 2], row => topK(row, 2))).toEqual([0, 2, 3, 4]));
  test('k > V keeps everything (bug I7)', () =>
    expect(kept([1, 2, 3], row => topK(row, 50))).toEqual([0, 1, 2]));
  test('sorts numbers, not their texts', () =>
    expect(kept([9, 10, -1, -20], row => topK(row, 2))).toEqual([0, 1]));
});

describe('topP', () => {
  test('keeps the token that crosses the threshold, and no more (bugs I3, I4)', () => {
    expect(kept(logitsOf(0.5, 0.28, 0.22), row => topP(row, 0.6))).toEqual([0, 1]);
    expect(kept(logitsOf(0.22, 0.28, 0.5), row => topP(row, 0.6))).toEqual([1, 2]);
    expect(kept(logitsOf(0.5, 0.28, 0.22), row => topP(row, 0.45))).toEqual([0]);
  });

  test('at an exact threshold the sum must exceed p: half of two halves is one token', () => {
    expect(kept([0, 0], row => topP(row, 0.5))).toEqual([1]);
    expect(kept([0, 0, 0, 0], row => topP(row, 0.75))).toEqual([1, 2, 3]);
    expect(kept([0, 0, 0, 0], row => topP(row, 0.7500001))).toEqual([0, 1, 2, 3]);
  });

  test('sum and threshold are float32, as in torch: 0.1 is not more than 1 − 0.9', () => {
    expect(kept(new Array(10).fill(0), row => topP(row, 0.9))).toHaveLength(9);
  });

  test('keeps one at p = 0 (bug I7)', () =>
    expect(kept([1, 3, 2], row => topP(row, 0))).toEqual([1]));
  test('keeps the last of equals, as a stable sort has it', () => {
    expect(kept([5, 1, 5, 5], row => topP(row, 0.5))).toEqual([2, 3]);
  });
  test('probabilities are those of what is left', () => {
    // 0.5 of 0.8 is more than 0.6
    expect(kept([...logitsOf(0.5, 0.3), gone], row => topP(row, 0.6))).toEqual([0]);
  });
});

describe('minP', () => {
  test('is relative to the likeliest', () => {
    expect(kept(logitsOf(0.5, 0.3, 0.15, 0.05), row => minP(row, 0.25))).toEqual([0, 1, 2]);
  });
  test('1 keeps the best and its equals', () =>
    expect(kept([2, 3, 3, 1], row => minP(row, 1))).toEqual([1, 2]));
  test('at an exact threshold a token stays', () => {
    expect(kept([Math.log(2), 0, -1], row => minP(row, 0.5))).toEqual([0, 1]);
  });
});

describe('for any row', () => {
  const row = fc
    .array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 40 })
    .map(xs => xs.map(x => x / 4));

  test('topK keeps the k largest by a full sort', () => {
    fc.assert(
      fc.property(row, fc.integer({ min: 1, max: 50 }), (scores, k) => {
        const border = [...scores].sort((a, b) => b - a)[Math.min(k, scores.length) - 1];
        expect(kept(scores, r => topK(r, k))).toEqual(
          scores.flatMap((score, id) => (score >= border ? [id] : [])),
        );
      }),
    );
  });

  test('topP keeps the fewest that have more than p', () => {
    fc.assert(
      fc.property(row, fc.integer({ min: 1, max: 99 }), (scores, percent) => {
        // A threshold that no sum of these probabilities comes near, so that rounding decides
        // nothing
        const p = percent / 100 + 0.00317;
        const ids = kept(scores, r => topP(r, p));
        const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
        const mass = (some: number[]) =>
          some.reduce((sum, id) => sum + Math.exp(scores[id]) / total, 0);
        const smallest = ids.reduce((a, b) => (scores[b] < scores[a] ? b : a));
        expect(mass(ids)).toBeGreaterThan(Math.min(p, 1) - 1e-5);
        expect(mass(ids) - mass([smallest])).toBeLessThanOrEqual(p + 1e-5);
        const removed = scores.filter((_, id) => !ids.includes(id));
        expect(Math.max(...removed, gone)).toBeLessThanOrEqual(scores[smallest]);
      }),
    );
  });

  test('the best token survives every filter', () => {
    fc.assert(
      fc.property(row, fc.double({ min: 0, max: 1, noNaN: true }), (scores, p) => {
        const best = Math.max(...scores);
        for (const filter of [topP, minP])
          expect(Math.max(...scoresAfter(scores, r => filter(r, p)))).toBe(best);
      }),
    );
  });
});
