import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { softmax } from '../../src/ops/softmax.js';

const probabilities = (scores: readonly number[], mode: keyof typeof ROUNDINGS = 'f64') => {
  const x = Float64Array.from(scores);
  softmax(x, 0, x.length, ROUNDINGS[mode]);
  return [...x];
};

describe('softmax', () => {
  it('survives scores that overflow or underflow without the largest one subtracted', () => {
    expect(probabilities([1000, 1000])).toEqual([0.5, 0.5]);
    expect(probabilities([-200, -200, -200, -200], 'f32')).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(probabilities([-1e30, 1e30])).toEqual([0, 1]);
  });

  it('gives masked elements 0, and a row with nothing left zeros instead of NaN', () => {
    expect(probabilities([-Infinity, 3, -Infinity])).toEqual([0, 1, 0]);
    expect(probabilities([-Infinity, -Infinity])).toEqual([0, 0]);
    expect(probabilities([])).toEqual([]);
  });

  it('becomes NaN with one NaN or +Infinity, wherever it is and whatever is beside it', () => {
    const others = fc.array(fc.constantFrom(-Infinity, NaN, -3, 0, 1e30), { maxLength: 20 });
    fc.assert(
      fc.property(others, others, fc.constantFrom(NaN, Infinity), (before, after, bad) => {
        const x = [...before, bad, ...after];
        for (const mode of ['f64', 'f32', 'bf16', 'f16'] as const)
          expect(probabilities(x, mode)).toEqual(x.map(() => NaN));
      }),
    );
  });

  it('touches nothing outside its range', () => {
    const x = Float64Array.of(NaN, 0, 0, NaN);
    softmax(x, 1, 2, ROUNDINGS.f64);
    expect([...x]).toEqual([NaN, 0.5, 0.5, NaN]);
  });

  const scores = fc.array(fc.double({ min: -300, max: 300, noNaN: true }), {
    minLength: 1,
    maxLength: 260,
  });

  it('sums to 1 within 260 · 2⁻⁵³ · 2, keeps order, ignores a shift within 1e-12', () => {
    fc.assert(
      fc.property(scores, x => {
        const p = probabilities(x);
        expect(Math.abs(p.reduce((a, b) => a + b) - 1)).toBeLessThan(260 * 2 ** -52);
        x.forEach((a, i) => {
          x.forEach((b, j) => {
            if (a > b) expect(p[i]).toBeGreaterThanOrEqual(p[j]);
          });
        });
        const shifted = probabilities(x.map(v => v + 64));
        p.forEach((v, i) => {
          expect(Math.abs(v - shifted[i])).toBeLessThan(1e-12);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('keeps small probabilities: 4,096 equal keys get 2⁻¹² each, in bf16 and f16 too', () => {
    for (const mode of ['f64', 'f32', 'bf16', 'f16'] as const) {
      expect(new Set(probabilities(new Array(4096).fill(-3.5), mode))).toEqual(new Set([2 ** -12]));
    }
  });
});
