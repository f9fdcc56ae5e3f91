import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ropeFrequencies } from '../../../src/ops/rope.js';
import type { Llama3Scaling } from '../../../src/ops/rope-scaling/llama3.js';

const LLAMA_3_1: Llama3Scaling = {
  type: 'llama3',
  ...{ factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 8192 },
};

/** What frequencies of θ = 500,000 are divided by. */
function divisors(headDim: number, scaling: Llama3Scaling): number[] {
  const scaled = ropeFrequencies(headDim, 500_000, scaling);
  return Array.from(ropeFrequencies(headDim, 500_000), (frequency, i) => frequency / scaled[i]);
}

describe('llama3', () => {
  it('keeps 29 frequencies of Llama 3.1, blends 6, divides 29 by 8', () => {
    const all = divisors(128, LLAMA_3_1);
    expect(all.filter(divisor => divisor === 1)).toHaveLength(29);
    expect(all.filter(divisor => divisor > 1 && divisor < 8)).toHaveLength(6);
    expect(all.filter(divisor => divisor === 8)).toHaveLength(29);
  });

  it('divides by 1, by the factor or by what lies between, never less for a longer wave', () => {
    const scalings = fc.record({
      type: fc.constant('llama3' as const),
      factor: fc.integer({ min: 1, max: 64 }),
      lowFreqFactor: fc.double({ min: 0.5, max: 2, noNaN: true }),
      highFreqFactor: fc.double({ min: 2.5, max: 50, noNaN: true }),
      originalMaxPositionEmbeddings: fc.integer({ min: 1, max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 66 }), scalings, (half, scaling) => {
        const all = divisors(2 * half, scaling);
        const slack = 1 + 2 ** -21; // of a blend: five roundings of float32
        for (let i = 0; i < half; i++) {
          expect(all[i]).toBeGreaterThanOrEqual(1 / slack);
          expect(all[i]).toBeLessThanOrEqual(scaling.factor * slack);
          if (i > 0) expect(all[i] * slack).toBeGreaterThanOrEqual(all[i - 1]);
        }
      }),
    );
  });

  it('with a factor of 1 changes nothing but the last place of a blend', () => {
    const plain = ropeFrequencies(128, 500_000);
    const scaled = ropeFrequencies(128, 500_000, { ...LLAMA_3_1, factor: 1 });
    for (const [i, frequency] of plain.entries())
      expect(Math.abs(scaled[i] / frequency - 1)).toBeLessThan(2 ** -22);
  });
});
