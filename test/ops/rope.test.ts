import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rope, ropeFrequencies, ropeTable } from '../../src/ops/rope.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { largestDifference, noise, tensor, zeros } from '../support/tensors.js';

const { f64 } = ROUNDINGS;
const linear = (factor: number) => ({ type: 'linear', factor }) as const;

function rotated(
  x: Float64Array,
  position: number,
  headDim: number,
  factor: number,
  theta = 10000,
): Float64Array {
  const cosines = zeros(1, headDim / 2);
  const sines = zeros(1, headDim / 2);
  ropeTable(cosines, sines, [position], ropeFrequencies(headDim, theta, linear(factor)), f64);
  const out = tensor([1, x.length], x);
  rope(out, cosines, sines, f64);
  return out.data;
}

describe('rope', () => {
  it('turns point i of the halves (not pairs), counter-clockwise, by p/8 · θ^(−2i/d)', () => {
    const headDim = 22;
    for (const position of [0, 1, 8, 40, 128, 511, 4095, 32767]) {
      for (let i = 0; i < headDim / 2; i++) {
        const x = new Float64Array(headDim);
        x[i] = 1;
        const out = rotated(x, position, headDim, 8);
        const angle = (position / 8) * 10000 ** ((-2 * i) / headDim);
        // Four float32 roundings, 2⁻²⁴ each, and that of the exponent, which ln θ = 9.2 enlarges:
        // together less than 2⁻²¹.
        const bound = 2e-15 + angle * 2 ** -21;
        expect(Math.abs(out[i] - Math.cos(angle))).toBeLessThanOrEqual(bound);
        expect(Math.abs(out[i + headDim / 2] - Math.sin(angle))).toBeLessThanOrEqual(bound);
        expect(out.filter(v => v !== 0).length).toBeLessThanOrEqual(2);
      }
    }
  });

  it('is the same bits at 8p with factor 8 as at p without, for all p below 4,096', () => {
    const scaled = ropeFrequencies(128, 10000, linear(8));
    const plain = ropeFrequencies(128, 10000);
    for (let p = 0; p < 4096; p++) {
      for (let i = 0; i < 64; i++) {
        if (Math.fround(8 * p * scaled[i]) !== Math.fround(p * plain[i]))
          throw new Error(`p = ${p}, i = ${i}`);
      }
    }
  });

  it('is the same bits if position or frequency is divided by 8 (but not by 3)', () => {
    const plain = ropeFrequencies(128, 10000);
    const differing = (factor: number) => {
      const scaled = ropeFrequencies(128, 10000, linear(factor));
      let count = 0;
      for (let p = 0; p < 32768; p += 7) {
        for (let i = 0; i < 64; i++) {
          const positionFirst = Math.fround(Math.fround(p / factor) * plain[i]);
          if (positionFirst !== Math.fround(p * scaled[i])) count++;
        }
      }
      return count;
    };
    expect(differing(8)).toBe(0);
    expect(differing(3)).toBeGreaterThan(0);
  });

  it('keeps lengths, within 1e-15 of the length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 32767 }),
        fc.integer({ min: 1, max: 64 }),
        (position, half) => {
          const x = noise(2 * half, position + 1);
          expect(
            Math.abs(Math.hypot(...rotated(x, position, 2 * half, 8)) - Math.hypot(...x)),
          ).toBeLessThan(1e-14);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('makes q·k depend on distance alone, within 2e-3 of |q||k| (float32 angles)', () => {
    const q = noise(128, 3);
    const k = noise(128, 4);
    const score = (m: number, n: number) => {
      const a = rotated(q, m, 128, 8);
      const b = rotated(k, n, 128, 8);
      return a.reduce((sum, v, i) => sum + v * b[i], 0) / (Math.hypot(...q) * Math.hypot(...k));
    };
    for (const offset of [1, 100, 4096, 30000]) {
      for (const distance of [0, 1, 9, 2000]) {
        expect(Math.abs(score(offset + distance, offset) - score(distance, 0))).toBeLessThan(2e-3);
      }
    }
  });

  it('rotates every head of every row alike', () => {
    const head = noise(8, 5);
    const cosines = zeros(2, 4);
    const sines = zeros(2, 4);
    ropeTable(cosines, sines, [5, 4097], ropeFrequencies(8, 10000, linear(8)), f64);
    const x = tensor([2, 24], [...head, ...head, ...head, ...head, ...head, ...head]);
    rope(x, cosines, sines, f64);
    for (const [row, position] of [
      [0, 5],
      [1, 4097],
    ]) {
      for (let h = 0; h < 3; h++) {
        const got = x.data.subarray(row * 24 + h * 8, row * 24 + h * 8 + 8);
        expect(largestDifference(got, rotated(head, position, 8, 8))).toBe(0);
      }
    }
  });
});
