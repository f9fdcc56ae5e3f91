import { expect, it } from 'vitest';
import { rmsnorm } from '../../src/ops/rmsnorm.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { noise, tensor } from '../support/tensors.js';
import { describeBuilds } from './instance.js';

const WIDTHS = [1, 3, 24, 33, 96, 127, 132, 260, 344, 4096];
const EPS = Math.fround(1e-5);

const strideOf = (width: number) => Math.ceil(width / 16) * 16;

describeBuilds('rmsnorm', instance => {
  const { kernels } = instance;

  function specification(x: Float32Array, weight: Float32Array, width: number): Float32Array {
    const shape = [x.length / width, width];
    const out = { shape, data: new Float32Array(x.length) };
    rmsnorm(out, { shape, data: x }, { shape: [width], data: weight }, EPS, ROUNDINGS.f32);
    return out.data;
  }

  /** The rows with their padding, computed in the given pieces. */
  function run(
    x: Float32Array,
    weight: Float32Array,
    width: number,
    pieces?: [number, number][],
    inPlace = false,
  ) {
    instance.reset();
    const stride = strideOf(width);
    const rows = x.length / width;
    const from = instance.place(x, width, stride);
    for (let r = 0; r < rows; r++)
      instance.floats(from + (r * stride + width) * 4, stride - width).fill(NaN);
    const out = inPlace ? from : instance.reserve(rows * stride * 4);
    const w = instance.place(weight, width, width);
    for (const [first, end] of pieces ?? [[0, rows]]) {
      kernels.rmsnorm(out, from, w, width, stride, EPS, first, end);
    }
    return instance.floats(out, rows * stride).slice();
  }

  function padded(x: Float32Array, width: number): Float32Array {
    const stride = strideOf(width);
    const out = new Float32Array((x.length / width) * stride);
    for (let i = 0; i < x.length; i++) out[Math.floor(i / width) * stride + (i % width)] = x[i];
    return out;
  }

  it.each(WIDTHS)(
    'is the specification in float32, bit for bit, and clears the padding: width %i',
    width => {
      // The order of the float64 sum differs, which moves its float32 value in one of some 2^20
      // rows: in none of these.
      for (const size of [1e-6, 3e-3, 1, 1e5, 7e9]) {
        const x = Float32Array.from(noise(3 * width, width), v => v * size);
        const weight = Float32Array.from(noise(width, 7), v => v + 1.5);
        expect(run(x, weight, width)).toEqual(padded(specification(x, weight, width), width));
      }
    },
  );

  it.each(WIDTHS)('is within 4 roundings (4 · 2⁻²⁴) of the formula in float64: width %i', width => {
    const x = Float32Array.from(noise(width, 3));
    const weight = Float32Array.from(noise(width, 9), v => v - 2);
    const exact = tensor([1, width], x);
    rmsnorm(exact, exact, tensor([width], weight), EPS, ROUNDINGS.f64);
    const got = run(x, weight, width);
    for (let i = 0; i < width; i++) {
      expect(Math.abs(got[i] - exact.data[i])).toBeLessThanOrEqual(
        4 * 2 ** -24 * Math.abs(exact.data[i]),
      );
    }
  });

  it('gives the same bits in place, and in any pieces', () => {
    for (const width of [33, 344]) {
      const x = Float32Array.from(noise(5 * width, 11));
      const weight = Float32Array.from(noise(width, 12));
      const whole = run(x, weight, width);
      expect(run(x, weight, width, undefined, true)).toEqual(whole);
      expect(
        run(x, weight, width, [
          [3, 5],
          [0, 1],
          [1, 3],
        ]),
      ).toEqual(whole);
    }
  });

  it('touches no other row', () => {
    const width = 20;
    const got = run(Float32Array.from(noise(4 * width)), new Float32Array(width).fill(1), width, [
      [1, 3],
    ]);
    const untouched = got.map(v => (Number.isNaN(v) ? 1 : 0)).reduce((a, b) => a + b, 0);
    expect(untouched).toBe(2 * 32);
    expect(got.subarray(32, 96).some(Number.isNaN)).toBe(false);
  });

  it('survives squares beyond float32, as the specification does', () => {
    const x = Float32Array.of(1e30, -1e30, 1e30);
    expect([...run(x, Float32Array.of(1, 2, 0.5), 3).subarray(0, 3)]).toEqual([0, -0, 0]);
  });
});
