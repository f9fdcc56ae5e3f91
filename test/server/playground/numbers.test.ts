import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatProbability,
  formatTokens,
} from '../../../src/server/playground/web/numbers/format.js';
import { secondsLeft } from '../../../src/server/playground/web/numbers/time-left.js';
import { visibleToken } from '../../../src/server/playground/web/numbers/token-text.js';

describe('the time left', () => {
  const cost = (a: number, b: number, start: number) => (tokens: number) => ({
    tokens,
    seconds: 3 + a * (tokens - start) + (b * (tokens ** 2 - start ** 2)) / 2,
  });

  it('is exact where a token costs a + b·position, to 1e-6 of rounding in a sum of squares', () => {
    const rate = fc.double({ min: 1e-4, max: 1, noNaN: true });
    fc.assert(
      fc.property(rate, rate, fc.integer({ min: 0, max: 5000 }), (a, slope, start) => {
        const at = cost(a, slope / 1000, start);
        const total = start + 20_000;
        const readings = [0, 1, 2, 3, 4, 5].map(i => at(start + i * 1500));
        const left = at(total).seconds - readings.at(-1)!.seconds;
        const told = secondsLeft(readings, total);
        if (readings.at(-1)!.seconds - readings[0].seconds < 1) expect(told).toBeUndefined();
        else expect(told! / left).toBeCloseTo(1, 6);
      }),
    );
  });

  it('never is negative, however unevenly the prompt is read', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 999 }), fc.nat(9)), { minLength: 3 });
    fc.assert(
      fc.property(steps, given => {
        let [tokens, seconds] = [0, 0];
        const readings = given.map(([more, later]) => {
          [tokens, seconds] = [tokens + more, seconds + later];
          return { tokens, seconds };
        });
        const left = secondsLeft(readings, tokens + 1000);
        if (left !== undefined) expect(left).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('is not told before something is known', () => {
    expect(secondsLeft([], 100)).toBeUndefined();
    const readings = [1, 2, 3].map(i => ({ tokens: i * 10, seconds: i / 10 }));
    expect(secondsLeft(readings, 100)).toBeUndefined();
  });
});

describe('numbers as people read them', () => {
  it.each([
    [0, '100%'],
    [-1e-9, '> 99.99%'],
    [Math.log(0.973), '97.3%'],
    [Math.log(0.00761), '0.761%'],
    [-20, '< 0.01%'],
    [Number.NEGATIVE_INFINITY, '< 0.01%'],
  ])('probability of %d is %s', (logprob, text) => {
    expect(formatProbability(logprob)).toBe(text);
  });

  it.each([
    [0.2, 'about 1 s'],
    [9.4, 'about 9 s'],
    [41, 'about 45 s'],
    [58, 'about 1 min'],
    [1000, 'about 17 min'],
    [2 * 3600 + 700, 'about 2.2 h'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it('count tokens', () => {
    expect([1, 32_768].map(formatTokens)).toEqual(['1 token', '32,768 tokens']);
  });

  it.each([
    [' hare', '␣hare'],
    ['   ', '␣␣␣'],
    ['a b', 'a b'],
    ['\n\n', '⏎⏎'],
    ['', '(nothing)'],
    ['bytes:\\xe2', 'bytes:\\xe2'],
  ])('token %j is shown as %s', (token, shown) => {
    expect(visibleToken(token)).toBe(shown);
  });
});
