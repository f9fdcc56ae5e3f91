/** llama.cpp's blocks: into tiles without loss, and the linear layers on them. */
import { expect, it } from 'vitest';
import { toF16Bits } from '../../src/base/half.js';
import { BLOCK_SIZES, tileBytes } from '../../src/engines/wasm/memory/weight-formats.js';
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import { noise } from '../support/tensors.js';
import {
  blockLayer,
  DTYPES,
  type DType,
  decoded,
  formatOf,
  quantizationOf,
  repack,
  SCALES,
} from './block-layer.js';
import { describeBuilds } from './instance.js';
import { pack } from './packed.js';

/** Rows of random blocks; their f16s are normal, subnormal, zero and negative. */
function randomRows(dtype: DType, rows: number, blocks: number): Uint8Array {
  const { bytes } = BLOCK_FORMATS[dtype];
  const all = Uint8Array.from(
    noise(rows * blocks * bytes, 5),
    x => Math.floor((x + 1) * 128) & 255,
  );
  for (let block = 0; block < rows * blocks; block++) {
    for (const [at] of SCALES[dtype]) {
      const scale = [0.003, 2 ** -20, 0, -0.001, 1.25, 3 * 2 ** -24][(block + at) % 6];
      new DataView(all.buffer).setUint16(block * bytes + at, toF16Bits(scale), true);
    }
  }
  return all;
}

describeBuilds('blocks', instance => {
  it.each([
    ['Q8_0', 'q8_0'],
    ['Q4_0', 'q4_0'],
  ] as const)('%s: repacked is what packing the numbers gives, byte for byte', (dtype, format) => {
    for (const [m, n] of [
      [32, 16],
      [96, 16],
      [256, 48],
    ]) {
      instance.reset();
      const numbers = Float32Array.from(noise(n * m, m), x => x / 50);
      const { bytes, numbers: block, encode } = BLOCK_FORMATS[dtype];
      const rows = new Uint8Array((numbers.length / block) * bytes);
      encode!(numbers, rows);
      const size = Math.ceil(n / 16) * tileBytes(format, m);
      const { pointer } = repack(instance, dtype, rows, n);
      expect([...instance.bytes(pointer, size)]).toEqual([
        ...instance.bytes(pack(instance, format, numbers, m).pointer, size),
      ]);
    }
  });

  it.each(DTYPES)(
    '%s: float32 roundings only, 2^−22 of |terms| a block, and the rows alone',
    dtype => {
      const { numbers } = BLOCK_FORMATS[dtype];
      const [m, n, rows] = [numbers === 256 ? 512 : 96, 35, 6];
      instance.reset();
      const weights = randomRows(dtype, n, m / numbers);
      const { pointer, unstorable } = repack(instance, dtype, weights, n);
      expect(unstorable).toBe(0);
      const x = Float32Array.from(noise(rows * m, 7), (v, i) => v * 2 ** ((i >> 5) % 9));
      const { multiply, scales } = blockLayer(instance, dtype, x, m, pointer, n);
      const activations = quantizedActivations(dtype, x, scales);
      const got = multiply(0, rows);

      const w = decoded(dtype, weights);
      for (let r = 0; r < rows; r++) {
        for (let o = 0; o < n; o++) {
          let exact = 0;
          let size = 0;
          for (let k = 0; k < m; k++) {
            const activation = activations[r * m + k];
            exact += activation * w[o * m + k];
            // What is subtracted from a quant may be larger than the weight itself.
            size += Math.abs(activation) * largestTerm(dtype, weights, o * m + k);
          }
          const bound = 2 ** -22 * (m / numbers) * size;
          expect(Math.abs(got[r][o] - exact)).toBeLessThanOrEqual(bound);
        }
        expect([...multiply(r, 1)[0]]).toEqual([...got[r]]);
      }
    },
  );

  it.each(DTYPES)('%s: scales that cannot be stored are counted', dtype => {
    instance.reset();
    const rows = randomRows(dtype, 3, 2);
    for (const [at] of SCALES[dtype]) {
      for (const [block, scale] of [
        [1, BLOCK_SIZES[formatOf(dtype)][0] === 256 ? NaN : 128],
        [4, Infinity],
        [5, 127.9],
      ]) {
        const { bytes } = BLOCK_FORMATS[dtype];
        new DataView(rows.buffer).setUint16(block * bytes + at, toF16Bits(scale), true);
      }
    }
    expect(repack(instance, dtype, rows, 3).unstorable).toBe(2 * SCALES[dtype].length);
  });

  it('all: each number of a block is where it belongs', () => {
    for (const dtype of DTYPES) {
      const { bytes, numbers } = BLOCK_FORMATS[dtype];
      instance.reset();
      const weights = randomRows(dtype, 16, 1);
      for (let row = 0; row < 16; row++) {
        for (const [at] of SCALES[dtype])
          new DataView(weights.buffer).setUint16(row * bytes + at, toF16Bits(1), true);
      }
      const { pointer } = repack(instance, dtype, weights, 16);
      const w = decoded(dtype, weights);
      for (let k = 0; k < numbers; k++) {
        const x = new Float32Array(numbers);
        x[k] = dtype === 'Q8_0' ? 8191 : 127; // whose scale is 1, and a sum of one product exact
        const { multiply } = blockLayer(instance, dtype, x, numbers, pointer, 16);
        const expected = Array.from({ length: 16 }, (_, row) => x[k] * w[row * numbers + k] + 0);
        expect([...multiply(0, 1)[0]]).toEqual(expected);
      }
    }
  });
});

/** What quantizing leaves of x, as quantize.test.ts holds it to: the nearest, of max|x| / L. */
function quantizedActivations(dtype: DType, x: Float32Array, scales: Float32Array): number[] {
  const { limit, perScale } = quantizationOf(dtype);
  return Array.from(x, (v, i) => {
    const scale = scales[Math.floor(i / perScale)];
    if (scale === 0) return 0;
    const inverse = Math.fround(limit / Math.fround(scale * limit));
    return nearest(Math.fround(v * inverse)) * scale;
  });
}

/** Ties to even. */
function nearest(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** The largest that is added up for number `i`: its quant, or its minimum, times their scales. */
function largestTerm(dtype: DType, weights: Uint8Array, i: number): number {
  const { bytes, numbers } = BLOCK_FORMATS[dtype];
  const start = Math.floor(i / numbers) * bytes;
  const one = (at: number) =>
    decoded(
      'Q8_0',
      Uint8Array.of(weights[start + at], weights[start + at + 1], ...new Array(32).fill(1)),
    )[0];
  return SCALES[dtype].reduce((sum, [at, times]) => sum + times * Math.abs(one(at)), 0);
}
