import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exp } from '../../src/ops/exp.js';
import { log } from '../../src/ops/log.js';
import { cos, LARGEST_ANGLE, sin } from '../../src/ops/sin-cos.js';
import {
  ulpError,
  type Wide,
  wideCos,
  wideExp,
  wideLog,
  wideSin,
} from '../support/high-precision.js';

/**
 * The largest error over `count` arguments spread evenly over [from, to], and the argument that has
 * it.
 */
function worst(
  f: (x: number) => number,
  judge: (x: number) => Wide,
  from: number,
  to: number,
  count: number,
) {
  let error = 0;
  let at = from;
  for (let i = 0; i < count; i++) {
    const x = from + ((to - from) * (i + 0.382)) / count;
    const e = ulpError(f(x), judge(x));
    if (e > error) [error, at] = [e, x];
  }
  return { error, at };
}

describe('exp', () => {
  it('errs by less than 1 ulp: it is one of the two nearest, subnormals too', () => {
    expect(worst(exp, wideExp, -708, 709.7, 20_000).error).toBeLessThan(1);
    expect(worst(exp, wideExp, -1, 1, 20_000).error).toBeLessThan(1);
    expect(worst(exp, wideExp, -745, -708.4, 5_000).error).toBeLessThan(1);
  });
  it('has the right limits', () => {
    expect([exp(0), exp(-0), exp(-Infinity), exp(-1e4), exp(Infinity), exp(1e4), exp(NaN)]).toEqual(
      [1, 1, 0, 0, Infinity, Infinity, NaN],
    );
    expect(ulpError(exp(709.782712893384), wideExp(709.782712893384))).toBeLessThan(1);
    expect(exp(-745.1332191019411)).toBe(5e-324);
  });
  it('never falls as its argument grows', () => {
    const inRange = fc.double({ min: -750, max: 710, noNaN: true });
    fc.assert(
      fc.property(inRange, inRange, (a, b) => exp(Math.min(a, b)) <= exp(Math.max(a, b))),
      { numRuns: 5000 },
    );
  });
});

describe('log', () => {
  it('errs by less than 1 ulp', () => {
    expect(worst(log, wideLog, 0.5, 2, 20_000).error).toBeLessThan(1);
    expect(worst(log, wideLog, 1e-9, 1e-3, 5_000).error).toBeLessThan(1);
    expect(worst(log, wideLog, 2, 1e9, 20_000).error).toBeLessThan(1);
  });
  it('has the right limits', () => {
    expect([log(1), log(0), log(-1), log(Infinity), log(NaN)]).toEqual([
      0,
      -Infinity,
      NaN,
      Infinity,
      NaN,
    ]);
    expect(log(5e-324)).toBeCloseTo(-744.4400719213812, 12);
  });
  it('undoes exp within 2 units of 2⁻⁵² (relative to 1 + |x|)', () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), x => {
        expect(Math.abs(log(exp(x)) - x)).toBeLessThanOrEqual(2 * 2 ** -52 * (1 + Math.abs(x)));
      }),
    );
  });
});

describe('sin and cos', () => {
  it('err by less than 1 ulp on angles that a 32,768-token context can form', () => {
    for (const [from, to] of [
      [-4, 4],
      [0, 4096],
      [4096, 32768],
    ] as const) {
      expect(worst(sin, wideSin, from, to, 10_000).error).toBeLessThan(1);
      expect(worst(cos, wideCos, from, to, 10_000).error).toBeLessThan(1);
    }
  });
  it('err by less than 1 ulp up to the largest angle, multiples of π/2 included', () => {
    expect(worst(sin, wideSin, 32768, LARGEST_ANGLE, 10_000).error).toBeLessThan(1);
    for (let n = 1; n < 1_000_000; n += 7919) {
      const x = Math.fround((n * Math.PI) / 2);
      expect(ulpError(sin(x), wideSin(x)), `sin ${x}`).toBeLessThan(1);
      expect(ulpError(cos(x), wideCos(x)), `cos ${x}`).toBeLessThan(1);
    }
  });
  it('refuse angles whose reduction would lose bits', () => {
    expect(() => sin(1.7e6)).toThrow(RangeError);
    expect(() => cos(NaN)).toThrow(RangeError);
  });
});
