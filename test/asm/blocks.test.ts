/** llama.cpp's blocks: into tiles without loss, and the linear layers on them. */
import { expect, it } from 'vitest';
import { toF16Bits } from '../../src/base/half.js';
import { BLOCKS } from '../../src/engines/wasm/kernels/linear-layers.js';
import {
  BLOCK_SIZES,
  type BlockFormat,
  blocksOf,
  tileBytes,
} from '../../src/engines/wasm/memory/weight-formats.js';
import { REPACKERS } from '../../src/engines/wasm/workers/pack-tile.js';
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import { noise } from '../support/tensors.js';
import { describeBuilds, type Instance } from './instance.js';
import { strideOf } from './linear.js';
import { pack } from './packed.js';

type DType = Uppercase<BlockFormat>;

/** Where a block keeps its f16s, and how often the largest quant has each of them in it. */
const SCALES: Readonly<Record<DType, readonly (readonly [at: number, times: number])[]>> = {
  Q8_0: [[0, 128]],
  Q4_0: [[0, 15]],
  Q4_1: [
    [0, 15],
    [2, 1],
  ],
  Q5_0: [[0, 31]],
  Q5_1: [
    [0, 31],
    [2, 1],
  ],
  Q2_K: [
    [80, 15 * 3],
    [82, 15],
  ],
  Q3_K: [[108, 32 * 7]],
  Q4_K: [
    [0, 63 * 15],
    [2, 63],
  ],
  Q5_K: [
    [0, 63 * 31],
    [2, 63],
  ],
  Q6_K: [[208, 128 * 63]],
};
const DTYPES = Object.keys(SCALES) as DType[];

const formatOf = (dtype: DType) => dtype.toLowerCase() as BlockFormat;

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

function repack(instance: Instance, dtype: DType, rows: Uint8Array, count: number) {
  const rowBytes = rows.length / count;
  const blocks = rowBytes / BLOCK_FORMATS[dtype].bytes;
  const from = instance.reserve(rows.length);
  instance.bytes(from, rows.length).set(rows);
  const tiles = Math.ceil(count / 16);
  const tile = tileBytes(formatOf(dtype), blocks * BLOCK_FORMATS[dtype].numbers);
  const pointer = instance.reserve(tiles * tile);
  let unstorable = 0;
  for (let t = 0; t < tiles; t++) {
    const some = Math.min(16, count - t * 16);
    const source = from + t * 16 * rowBytes;
    const kernel = instance.kernels[REPACKERS[formatOf(dtype)]];
    unstorable += kernel(pointer + t * tile, source, rowBytes, blocks, some)!;
  }
  return { pointer, unstorable };
}

function decoded(dtype: DType, rows: Uint8Array): Float32Array {
  const { bytes, numbers, decode } = BLOCK_FORMATS[dtype];
  const out = new Float32Array((rows.length / bytes) * numbers);
  decode(rows, out);
  return out;
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
      const { multiply, activations } = quantized(instance, dtype, x, m, pointer, n);
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
        const { multiply } = quantized(instance, dtype, x, numbers, pointer, 16);
        const expected = Array.from({ length: 16 }, (_, row) => x[k] * w[row * numbers + k] + 0);
        expect([...multiply(0, 1)[0]]).toEqual(expected);
      }
    }
  });
});

/** x [rows, m] as the layer takes it, and the layer with the n outputs at `pointer`. */
function quantized(
  instance: Instance,
  dtype: DType,
  x: Float32Array,
  m: number,
  pointer: number,
  n: number,
) {
  const rows = x.length / m;
  const { copy, matmul } = BLOCKS[formatOf(dtype)];
  const blocks = blocksOf(m);
  const perScale = copy === 'quantize8K' ? 8 : 1;
  const quantBytes = copy === 'quantize14' ? 64 : 32;
  const sumBytes = copy === 'quantize8K' ? 10 : 4;
  const placed = instance.place(x, m, strideOf(m));
  const xq = instance.reserve(rows * blocks * quantBytes);
  const scales = instance.reserve((rows * blocks * 4) / perScale);
  const sums = instance.reserve(rows * blocks * sumBytes);
  instance.kernels[copy](xq, scales, sums, placed, strideOf(m), m, 0, rows);
  const tiles = Math.ceil(n / 16);
  const multiply = (first: number, count: number): Float32Array[] => {
    const out = instance.reserve(count * tiles * 64);
    instance.kernels[matmul](
      out,
      tiles * 16,
      xq + first * blocks * quantBytes,
      scales + (first * blocks * 4) / perScale,
      sums + first * blocks * sumBytes,
      count,
      pointer,
      blocks,
      0,
      tiles,
    );
    return Array.from({ length: count }, (_, r) =>
      instance.floats(out + r * tiles * 64, n).slice(),
    );
  };
  const d = instance.floats(scales, (rows * blocks) / perScale);
  const limit = copy === 'quantize14' ? 8191 : 127;
  // As quantize.test.ts holds it to: nearest, of max|x| / L.
  const activations = Array.from(x, (v, i) => {
    const scale =
      d[Math.floor(i / m) * (blocks / perScale) + Math.floor((i % m) / (32 * perScale))];
    if (scale === 0) return 0;
    const inverse = Math.fround(limit / Math.fround(scale * limit));
    return nearest(Math.fround(v * inverse)) * scale;
  });
  return { multiply, activations };
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
