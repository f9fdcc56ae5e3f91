import { expect, it } from 'vitest';
import { exp } from '../../src/ops/exp.js';
import { exp32 } from '../../src/ops/exp32.js';
import { describeBuilds } from './instance.js';

const COUNT = 1 << 20;

/**
 * Every 4093rd float32 and its neighbours' last bits: all exponents, both signs, subnormals,
 * infinities, NaN.
 */
function spreadOverAll(): Float32Array {
  return new Float32Array(Uint32Array.from({ length: COUNT }, (_, i) => i * 4093).buffer);
}

/** Where results are neither 0 nor Infinity, and around both ends. */
function spreadOverRange(): Float32Array {
  return Float32Array.from({ length: COUNT }, (_, i) => -104.5 + (194.5 * (i + 0.382)) / COUNT);
}

const bitsOf = (x: Float32Array) => new Int32Array(x.buffer, x.byteOffset, x.length);

describeBuilds('exp', instance => {
  const { kernels } = instance;
  const run = (x: Float32Array) => {
    instance.reset();
    const pointer = instance.place(x, x.length, x.length);
    const out = instance.reserve(x.length * 4);
    kernels.expRange(out, pointer, 0, x.length);
    return instance.floats(out, x.length).slice();
  };

  it.each([
    ['all of float32', spreadOverAll()],
    ['all results between 0 and Infinity', spreadOverRange()],
  ])(
    'is bit for bit its TypeScript twin, and at most one float from the nearest to e^x: %s',
    (_, x) => {
      const got = run(x);
      const twin = bitsOf(x.map(exp32));
      const nearest = bitsOf(x.map(exp)); // Math.fround of e^x in float64
      const bits = bitsOf(got);
      let differing = 0;
      let farthest = 0;
      let inexact = 0;
      for (let i = 0; i < x.length; i++) {
        if (Number.isNaN(x[i])) {
          if (!Number.isNaN(got[i])) throw new Error('NaN was lost');
          continue;
        }
        if (bits[i] !== twin[i]) differing++;
        const distance = Math.abs(bits[i] - nearest[i]);
        farthest = Math.max(farthest, distance);
        if (distance > 0) inexact++;
      }
      expect(differing).toBe(0);
      expect(farthest).toBe(1); // not 0: were it, the comparison would be with itself
      expect(inexact / x.length).toBeLessThan(0.15);
    },
  );

  it('has the right limits, and subnormal results', () => {
    const x = [0, -0, Infinity, -Infinity, NaN, 1e30, -1e30, 88.7228, 88.7229, -87.5, -103.9, -104];
    const got = [...run(Float32Array.from(x))];
    expect(got.slice(0, 7)).toEqual([1, 1, Infinity, 0, NaN, Infinity, 0]);
    expect(got[7]).toBeGreaterThan(3.4e38);
    expect(got[8]).toBe(Infinity);
    expect(got[9]).toBeCloseTo(9.98e-39, 40);
    expect(got.slice(10)).toEqual([2 ** -149, 0]);
  });

  it('writes from … to and nothing else', () => {
    instance.reset();
    const x = instance.place(new Float32Array(16), 16, 16);
    const out = instance.reserve(64);
    kernels.expRange(out, x, 4, 12);
    const ones = instance.floats(out, 16).map(v => (Number.isNaN(v) ? -1 : v));
    expect([...ones]).toEqual([-1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1]);
  });
});
