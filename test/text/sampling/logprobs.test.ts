import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Floats } from '../../../src/base/tensor.js';
import { logprobsOf } from '../../../src/text/sampling/logprobs.js';

const topOf = (logits: Floats, n: number) => logprobsOf(logits, 0, n).topLogprobs;

test('of known probabilities', () => {
  const p = [0.1, 0.6, 0.3];
  const top = topOf(Float64Array.from(p, Math.log), 3);
  expect(top.map(({ token }) => token)).toEqual([1, 2, 0]);
  for (const { token, logprob } of top) expect(logprob).toBeCloseTo(Math.log(p[token]), 14);
});

test('the largest is subtracted: nothing overflows (bug I11: logarithms, not logits)', () => {
  expect(topOf(new Float32Array([1000, 1000, -1000]), 1)[0].logprob).toBeCloseTo(-Math.LN2, 12);
  expect(topOf(new Float32Array([-1e30, -1e30]), 1)[0].logprob).toBeCloseTo(0, 12);
});

test('a removed token has probability 0', () => {
  expect(topOf(new Float32Array([-Infinity, 2]), 2)).toEqual([
    { token: 1, logprob: 0 },
    { token: 0, logprob: -Infinity },
  ]);
});

test('the top n are those of a stable sort, however many there are', () => {
  const logits = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(logits, fc.integer({ min: 0, max: 20 }), (values, n) => {
      const row = Float64Array.from(values);
      const sorted = values.map((_, id) => id).sort((a, b) => values[b] - values[a] || a - b);
      expect(topOf(row, n).map(({ token }) => token)).toEqual(sorted.slice(0, n));
      const total = values.reduce(
        (sum, _, id) => sum + Math.exp(logprobsOf(row, id, 0).logprob),
        0,
      );
      expect(total).toBeCloseTo(1, 12);
    }),
  );
});
