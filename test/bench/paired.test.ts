import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { difference, perplexityOf } from '../../bench/paired.js';
import { uniform } from '../../src/text/sampling/philox.js';

const nlls = fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 3, maxLength: 50 });

describe('difference of perplexities', () => {
  it('is that of the values, and 0 ± 0 from itself', () => {
    fc.assert(
      fc.property(nlls, nlls, (x, y) => {
        const ours = x.slice(0, y.length);
        const theirs = y.slice(0, x.length);
        const { value } = difference(ours, theirs);
        expect(value).toBeCloseTo(perplexityOf(ours).value - perplexityOf(theirs).value, 9);
        expect(difference(x, x)).toEqual({ value: 0, error: 0 });
      }),
    );
  });

  it('is exact where every token is harder by the same: the error is that of the values', () => {
    const theirs = Array.from({ length: 200 }, (_, i) => 4 * uniform(1, i));
    const ours = theirs.map(x => x + 0.01);
    const { value, error } = difference(ours, theirs);
    const one = perplexityOf(theirs);
    expect(value).toBeCloseTo(one.value * Math.expm1(0.01), 9);
    expect(error).toBeCloseTo(one.error * Math.expm1(0.01), 9);
    expect(error).toBeLessThan(0.02 * one.error);
  });

  it('spreads as its error says, within a tenth: 2,000 samples', () => {
    const size = 100;
    const samples = Array.from({ length: 2000 }, (_, sample) => {
      const theirs = Array.from({ length: size }, (_, i) => 3 * uniform(sample, i));
      const ours = theirs.map((x, i) => x + 0.2 * (uniform(sample, size + i) - 0.5));
      return difference(ours, theirs);
    });
    const mean = samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
    const variance = samples.reduce((sum, { value }) => sum + (value - mean) ** 2, 0);
    const spread = Math.sqrt(variance / (samples.length - 1));
    const told = samples.reduce((sum, { error }) => sum + error, 0) / samples.length;
    expect(told / spread).toBeGreaterThan(0.9);
    expect(told / spread).toBeLessThan(1.1);
  });
});
