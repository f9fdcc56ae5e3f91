import { expect, it } from 'vitest';
import type { Floats } from '../../src/base/tensor.js';
import { exp32 } from '../../src/ops/exp32.js';
import { ROUNDINGS, type Rounding } from '../../src/ops/rounding.js';
import { swiglu } from '../../src/ops/swiglu.js';
import { noise } from '../support/tensors.js';
import { describeBuilds } from './instance.js';

const { fround } = Math;

describeBuilds('swiglu', instance => {
  const { kernels } = instance;

  function run(
    gate: Float32Array,
    up: Float32Array,
    ranges: [number, number][],
    inPlace = false,
  ): Float32Array {
    instance.reset();
    const [g, u] = [
      instance.place(gate, gate.length, gate.length),
      instance.place(up, up.length, up.length),
    ];
    const out = inPlace ? g : instance.reserve(gate.length * 4);
    for (const [from, to] of ranges) kernels.swiglu(out, g, u, from, to);
    return instance.floats(out, gate.length).slice();
  }

  function specification<T extends Floats>(out: T, gate: T, up: T, rounding: Rounding): T {
    const shape = [gate.length];
    swiglu({ shape, data: out }, { shape, data: gate }, { shape, data: up }, rounding);
    return out;
  }

  const gate = Float32Array.from(noise(4096, 5), v => v * 30);
  const up = Float32Array.from(noise(4096, 6), v => v * 3);

  it('is within 4 · 2⁻²³ of the formula: exp errs by 1.03 ulp, and 3 roundings follow', () => {
    const exact = specification(
      new Float64Array(4096),
      new Float64Array(gate),
      new Float64Array(up),
      ROUNDINGS.f64,
    );
    const got = run(gate, up, [[0, 4096]]);
    for (let i = 0; i < 4096; i++) {
      expect(Math.abs(got[i] - exact[i])).toBeLessThanOrEqual(4 * 2 ** -23 * Math.abs(exact[i]));
    }
  });

  it('is the specification with exp32 for exp, bit for bit, and nearly always with exp', () => {
    const got = run(gate, up, [[0, 4096]]);
    expect(got).toEqual(gate.map((x, i) => fround(fround(x / fround(1 + exp32(-x))) * up[i])));
    const expected = specification(new Float32Array(4096), gate, up, ROUNDINGS.f32);
    expect(got.filter((v, i) => v !== expected[i]).length).toBeLessThan(0.1 * 4096);
  });

  it('has the specification’s limits, and no NaN', () => {
    const x = Float32Array.of(
      0,
      -0,
      88,
      -88,
      89,
      -89,
      1e4,
      -1e4,
      1e30,
      -1e30,
      100,
      -100,
      1,
      -1,
      2,
      -2,
    );
    const ones = new Float32Array(16).fill(1);
    const expected = specification(new Float32Array(16), x, ones, ROUNDINGS.f32);
    const got = run(x, ones, [[0, 16]]);
    for (let i = 0; i < 16; i++)
      expect(Math.abs(got[i] - expected[i])).toBeLessThanOrEqual(2 ** -21 * Math.abs(x[i]));
    expect([...got.subarray(6, 10)]).toEqual([1e4, -0, Math.fround(1e30), -0]);
    expect([...got.subarray(0, 2)]).toEqual([0, -0]);
  });

  it('gives the same bits in place and in pieces, and writes nothing outside its range', () => {
    const whole = run(gate, up, [[0, 4096]]);
    expect(run(gate, up, [[0, 4096]], true)).toEqual(whole);
    expect(
      run(gate, up, [
        [2048, 4096],
        [0, 8],
        [8, 2048],
      ]),
    ).toEqual(whole);
    const part = run(gate, up, [[8, 16]]);
    expect(part.filter(v => !Number.isNaN(v))).toEqual(whole.subarray(8, 16));
  });
});
