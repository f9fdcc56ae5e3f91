/** llama.cpp's blocks: into tiles without loss, and the linear layers of the K formats on them. */
import { expect, it } from 'vitest';
import { toF16Bits } from '../../src/base/half.js';
import { blocksOf, tileBytes } from '../../src/engines/wasm/memory/weight-formats.js';
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import type { BlockDType } from '../../src/model/dtypes.js';
import { noise } from '../support/tensors.js';
import { describeBuilds, type Instance } from './instance.js';
import { strideOf } from './linear.js';
import { pack } from './packed.js';

const REPACK = {
  Q8_0: 'repackQ8',
  Q4_0: 'repackQ4',
  Q4_K: 'repackQ4K',
  Q6_K: 'repackQ6K',
} as const;
const TILE_BYTES = { Q8_0: 34 * 16, Q4_0: 18 * 16, Q4_K: 152 * 16, Q6_K: 212 * 16 };
/** Where a block keeps its f16s. */
const HALVES: Partial<Record<BlockDType, readonly number[]>> = {
  Q8_0: [0],
  Q4_0: [0],
  Q4_K: [0, 2],
  Q6_K: [208],
};

/** Rows of random blocks; their f16s are normal, subnormal, zero and negative. */
function randomRows(dtype: keyof typeof REPACK, rows: number, blocks: number): Uint8Array {
  const { bytes } = BLOCK_FORMATS[dtype];
  const all = Uint8Array.from(
    noise(rows * blocks * bytes, 5),
    x => Math.floor((x + 1) * 128) & 255,
  );
  for (let block = 0; block < rows * blocks; block++) {
    for (const at of HALVES[dtype]!) {
      const scale = [0.003, 2 ** -20, 0, -0.001, 1.25, 3 * 2 ** -24][(block + at) % 6];
      new DataView(all.buffer).setUint16(block * bytes + at, toF16Bits(scale), true);
    }
  }
  return all;
}

function repack(instance: Instance, dtype: keyof typeof REPACK, rows: Uint8Array, count: number) {
  const rowBytes = rows.length / count;
  const blocks = rowBytes / BLOCK_FORMATS[dtype].bytes;
  const from = instance.reserve(rows.length);
  instance.bytes(from, rows.length).set(rows);
  const tiles = Math.ceil(count / 16);
  const pointer = instance.reserve(tiles * blocks * TILE_BYTES[dtype]);
  let unstorable = 0;
  for (let t = 0; t < tiles; t++) {
    const to = pointer + t * blocks * TILE_BYTES[dtype];
    const some = Math.min(16, count - t * 16);
    unstorable += instance.kernels[REPACK[dtype]](
      to,
      from + t * 16 * rowBytes,
      rowBytes,
      blocks,
      some,
    )!;
  }
  return { pointer, unstorable };
}

function decoded(dtype: BlockDType, rows: Uint8Array): Float32Array {
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

  it.each(['Q4_K', 'Q6_K'] as const)(
    '%s: float32 roundings only, 2^−22 of |terms| a superblock, and the rows alone',
    dtype => {
      const [m, n, rows] = [512, 35, 6];
      instance.reset();
      const weights = randomRows(dtype, n, m / 256);
      const { pointer, unstorable } = repack(instance, dtype, weights, n);
      expect(unstorable).toBe(0);
      const w = decoded(dtype, weights);
      const x = Float32Array.from(noise(rows * m, 7), (v, i) => v * 2 ** ((i >> 5) % 9));
      const blocks = blocksOf(m);
      const placed = instance.place(x, m, strideOf(m));
      const [xq, scales, sums] = [
        instance.reserve(rows * m),
        instance.reserve((rows * blocks) / 2),
        instance.reserve(rows * blocks * 10),
      ];
      instance.kernels.quantize8K(xq, scales, sums, placed, strideOf(m), m, 0, rows);
      const tiles = Math.ceil(n / 16);
      const out = instance.reserve(rows * tiles * 64);
      const matmul = instance.kernels[dtype === 'Q4_K' ? 'matmulQ4K' : 'matmulQ6K'];
      const call = (first: number, count: number, to: number) =>
        matmul(
          to,
          tiles * 16,
          xq + first * m,
          scales + (first * blocks) / 2,
          sums + first * blocks * 10,
          count,
          pointer,
          blocks,
          0,
          tiles,
        );
      call(0, rows, out);
      const got = instance.floats(out, rows * tiles * 16).slice();

      const q = new Int8Array(instance.memory.buffer, xq, rows * m);
      const d = instance.floats(scales, (rows * blocks) / 8);
      for (let r = 0; r < rows; r++) {
        for (let o = 0; o < n; o++) {
          let exact = 0;
          let size = 0;
          for (let k = 0; k < m; k++) {
            const activation = q[r * m + k] * d[(r * blocks) / 8 + (k >> 8)];
            exact += activation * w[o * m + k];
            // What is subtracted from a quant is up to four times as large as the weight itself.
            size += Math.abs(activation) * largestTerm(dtype, weights, o * m + k);
          }
          expect(Math.abs(got[r * tiles * 16 + o] - exact)).toBeLessThanOrEqual(
            2 ** -22 * (m / 256) * size,
          );
        }
      }
      for (let r = 0; r < rows; r++) {
        const alone = instance.reserve(tiles * 64);
        call(r, 1, alone);
        expect([...instance.floats(alone, n)]).toEqual([
          ...got.subarray(r * tiles * 16, r * tiles * 16 + n),
        ]);
      }
    },
  );

  it.each([
    ['Q8_0', 128],
    ['Q4_0', 128],
    ['Q4_K', NaN],
    ['Q6_K', NaN],
  ] as const)('%s: scales as %s are counted', (dtype, tooLarge) => {
    instance.reset();
    const rows = randomRows(dtype, 3, 2);
    for (const [block, scale] of [
      [1, tooLarge],
      [4, Infinity],
      [5, 127.9],
    ]) {
      const at = block * BLOCK_FORMATS[dtype].bytes + HALVES[dtype]![0];
      new DataView(rows.buffer).setUint16(at, toF16Bits(scale), true);
    }
    expect(repack(instance, dtype, rows, 3).unstorable).toBe(2);
  });
});

/**
 * |d · s · 63| and |d_min · m|, or what corresponds to them: nothing that is added up for this
 * number is larger.
 */
function largestTerm(dtype: 'Q4_K' | 'Q6_K', weights: Uint8Array, i: number): number {
  const { bytes, numbers } = BLOCK_FORMATS[dtype];
  const block = weights.subarray(
    Math.floor(i / numbers) * bytes,
    (Math.floor(i / numbers) + 1) * bytes,
  );
  const halves = HALVES[dtype]!.map(
    at => decoded('Q8_0', Uint8Array.of(block[at], block[at + 1], ...new Array(32).fill(1)))[0],
  );
  return halves.reduce((sum, d) => sum + Math.abs(d), 0) * (dtype === 'Q4_K' ? 63 * 15 : 128 * 63);
}
