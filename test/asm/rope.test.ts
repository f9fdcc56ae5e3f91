import { expect, it } from 'vitest';
import { rope, ropeFrequencies, ropeTable } from '../../src/ops/rope.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { noise } from '../support/tensors.js';
import { describeBuilds } from './instance.js';

const POSITIONS = [0, 1, 511, 4097, 32767];

describeBuilds('rope', instance => {
  const { kernels } = instance;

  function tables(headDim: number) {
    const shape = [POSITIONS.length, headDim / 2];
    const cosines = { shape, data: new Float32Array((POSITIONS.length * headDim) / 2) };
    const sines = { shape, data: new Float32Array((POSITIONS.length * headDim) / 2) };
    ropeTable(
      cosines,
      sines,
      POSITIONS,
      ropeFrequencies(headDim, 10000, { type: 'linear', factor: 8 }),
      ROUNDINGS.f32,
    );
    return { cosines, sines };
  }

  function run(
    x: Float32Array,
    headDim: number,
    heads: number,
    pieces: [number, number][],
  ): Float32Array {
    instance.reset();
    const { cosines, sines } = tables(headDim);
    const width = headDim * heads;
    const stride = Math.ceil((width + 1) / 16) * 16;
    const pointer = instance.place(x, width, stride);
    const c = instance.place(cosines.data, 1, 1);
    const s = instance.place(sines.data, 1, 1);
    for (const [first, end] of pieces)
      kernels.rope(pointer, stride, c, s, headDim / 2, headDim / 2, heads, first, end);
    const padding = POSITIONS.flatMap((_, r) => [
      ...instance.floats(pointer + (r * stride + width) * 4, stride - width),
    ]);
    expect(padding.every(v => Object.is(v, 0))).toBe(true);
    return Float32Array.from({ length: x.length }, (_, i) => {
      return instance.floats(pointer, x.length * stride)[
        Math.floor(i / width) * stride + (i % width)
      ];
    });
  }

  it.each([
    [2, 1],
    [2, 5],
    [6, 2],
    [22, 3],
    [24, 2],
    [64, 8],
    [128, 2],
  ])(
    'is the specification in float32, bit for bit, whole and in pieces: head size %i, %i heads',
    (headDim, heads) => {
      const width = headDim * heads;
      const x = Float32Array.from(noise(POSITIONS.length * width, headDim));
      const expected = { shape: [POSITIONS.length, width], data: x.slice() };
      const { cosines, sines } = tables(headDim);
      rope(expected, cosines, sines, ROUNDINGS.f32);
      expect(run(x, headDim, heads, [[0, 5]])).toEqual(expected.data);
      const pieces: [number, number][] = [
        [4, 5],
        [0, 1],
        [1, 4],
      ];
      expect(run(x, headDim, heads, pieces)).toEqual(expected.data);
    },
  );

  it('leaves other rows as they are', () => {
    const x = Float32Array.from(noise(POSITIONS.length * 6));
    const got = run(x, 6, 1, [[1, 3]]);
    expect(got.subarray(0, 6)).toEqual(x.subarray(0, 6));
    expect(got.subarray(18)).toEqual(x.subarray(18));
    expect(got.subarray(6, 18)).not.toEqual(x.subarray(6, 18));
  });
});
