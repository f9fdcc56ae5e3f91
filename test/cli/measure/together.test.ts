/** What is made of the times at which texts had their tokens. */
import { expect, test } from 'vitest';
import { describeTogether, figuresOf } from '../../../src/cli/measure/together.js';

test('counts what came after all had begun; percentiles are of the time between two tokens', () => {
  const figures = figuresOf([
    [1, 2, 3, 4],
    [2, 3, 4],
  ]);
  expect(figures).toEqual({ decode_tokens_per_second: 2, p50_seconds: 1, p99_seconds: 1 });
  const slow = figuresOf([[0, ...Array.from({ length: 99 }, (_, i) => 1 + i), 110]]);
  expect([slow.p50_seconds, slow.p99_seconds]).toEqual([1, 1]);
  expect(figuresOf([[0, 1, 9]]).p99_seconds).toBe(8);
});

test('one token each has nothing between, and no speed', () => {
  const none = { decode_tokens_per_second: 0, p50_seconds: 0, p99_seconds: 0 };
  expect(figuresOf([[1], [2]])).toEqual(none);
  expect(describeTogether({ concurrency: 2, ...none })).toContain('2 at once: 0.00 tokens/s');
});
