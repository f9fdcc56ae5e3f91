/**
 * Block formats against the gguf package, which is llama.cpp's own (golden/blocks, written by
 * reference/make_blocks.py).
 */
import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../src/base/errors.js';
import { BLOCK_FORMATS, type BlockFormat } from '../../src/files/blocks/blocks.js';
import { openFile } from '../../src/files/file.js';
import { openSafetensors } from '../../src/files/safetensors/safetensors.js';
import { isBlockDType } from '../../src/model/dtypes.js';
import { goldenPath } from '../support/golden.js';
import { largestDifference, rootMeanSquareDifference } from '../support/tensors.js';

const FORMATS = Object.entries<BlockFormat>(BLOCK_FORMATS);
const SIMPLE = FORMATS.filter(([, { numbers }]) => numbers === 32);

async function golden(name: string) {
  const file = await openSafetensors(
    await openFile(goldenPath(`blocks/${name.toLowerCase()}.safetensors`)),
  );
  const bytes = (key: string) => file.tensors.get(key)!.readBytes();
  const floats = async (key: string) => (await file.tensors.get(key)!.read()) as Float32Array;
  const tensors = {
    blocks: await bytes('blocks'),
    values: await floats('values'),
    ...(file.tensors.has('numbers') && {
      numbers: await floats('numbers'),
      quantized: await bytes('quantized'),
    }),
  };
  await file.close();
  return tensors;
}

function decoded({ decode, numbers, bytes }: BlockFormat, blocks: Uint8Array): Float32Array {
  const out = new Float32Array((blocks.length / bytes) * numbers).fill(NaN);
  decode(blocks, out);
  return out;
}

function encoded({ encode, numbers, bytes }: BlockFormat, values: Float32Array): Uint8Array {
  const out = new Uint8Array((values.length / numbers) * bytes).fill(0xff);
  encode!(values, out);
  return out;
}

const bitsOf = (numbers: Float32Array) =>
  new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);

describe.each(FORMATS)('%s', (name, format) => {
  it('decodes any bits to those of gguf.quants, all scales, signs of zeros too', async () => {
    const { blocks, values } = await golden(name);
    expect(blocks.length / format.bytes).toBe(values.length / format.numbers);
    expect(bitsOf(decoded(format, blocks))).toEqual(bitsOf(values));
  });

  it('decodes what lies at an odd address', async () => {
    const { blocks, values } = await golden(name);
    const moved = new Uint8Array(blocks.length + 3);
    moved.set(blocks, 3);
    expect(decoded(format, moved.subarray(3))).toEqual(values);
  });
});

describe.each(SIMPLE)('%s', (name, format) => {
  it('encodes to the same bytes as gguf.quants: ties, zeros, tiny and huge numbers', async () => {
    const { numbers, quantized } = await golden(name);
    expect(encoded(format, numbers!)).toEqual(quantized);
  });

  it('writes numbers too small for an f16 scale as zeros', () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => (i - 15.5) * 2 ** -148);
    expect(decoded(format, encoded(format, values)).every(x => x === 0)).toBe(true);
  });
});

describe.each(FORMATS.filter(([, { encode }]) => encode !== undefined))('%s', (_, format) => {
  it.each([
    [NaN, 0],
    [NaN, 31],
    [Infinity, 3],
    [-Infinity, 16],
    [1e9, 5],
    [-1e9, 30],
  ])('refuses %d, at %i, rather than writing infinities', (value, at) => {
    const values = Float32Array.from({ length: 2 * format.numbers }, (_, i) => Math.sin(i));
    values[format.numbers + at] = value;
    expect(() => encoded(format, values)).toThrow(LlamaError);
    expect(() => encoded(format, values)).toThrow(
      /a block needs the scale .*65504 at most; use F32 or BF16/,
    );
  });

  it('of zeros are zeros', () => {
    expect(
      decoded(format, encoded(format, new Float32Array(2 * format.numbers))).every(x => x === 0),
    ).toBe(true);
  });
});

describe.each(FORMATS.filter(([name]) => name === 'Q4_K' || name === 'Q6_K'))(
  '%s',
  (name, format) => {
    /** √(mean of squared errors), by row. */
    const errors = (numbers: Float32Array, blocks: Uint8Array) => {
      const values = decoded(format, blocks);
      return Array.from({ length: numbers.length / 256 }, (_, row) =>
        rootMeanSquareDifference(
          numbers.subarray(row * 256, (row + 1) * 256),
          values.subarray(row * 256, (row + 1) * 256),
        ),
      );
    };

    it('encodes as ggml does: no row with 3 % more error, all with 0.2 % at most', async () => {
      const { numbers, quantized } = await golden(name);
      const [ours, theirs] = [
        errors(numbers!, encoded(format, numbers!)),
        errors(numbers!, quantized!),
      ];
      const ratios = ours.map((error, row) => (error === theirs[row] ? 1 : error / theirs[row]));
      expect(Math.max(...ratios)).toBeLessThan(1.03);
      expect(ratios.reduce((sum, ratio) => sum + ratio) / ratios.length).toBeLessThan(1.002);
    });

    it('encodes integers of its range to themselves but for 2⁻¹¹, the f16 scale’s', () => {
      const [least, levels, group] = name === 'Q4_K' ? [-3, 16, 32] : [-32, 64, 16];
      const integers = Float32Array.from(
        { length: 1024 },
        (_, i) => least + (i % group === 0 ? 0 : (i * 7) % levels),
      );
      if (name === 'Q4_K') for (let i = 1; i < 1024; i += group) integers[i] = least + levels - 1;
      for (const unit of [1, 0.75, 1 / 3]) {
        const numbers = integers.map(x => x * unit);
        const values = decoded(format, encoded(format, numbers));
        expect(largestDifference(values, numbers)).toBeLessThan(32 * unit * 2 ** -10);
      }
    });
  },
);

it('knows its names, and not those of other formats or of objects', () => {
  expect(['Q4_0', 'Q6_K'].every(isBlockDType)).toBe(true);
  expect(['F16', 'q4_0', 'IQ4_XS', 'toString', '__proto__'].some(isBlockDType)).toBe(false);
});
