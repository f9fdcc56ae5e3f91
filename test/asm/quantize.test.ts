/** Activations as integers, against the formula in plain TypeScript. */
import { expect, it } from 'vitest';
import { blocksOf } from '../../src/kernels/wasm/formats.js';
import { noise } from '../support/tensors.js';
import { describeBuilds, type Instance } from './instance.js';
import { strideOf } from './linear.js';

const WIDTHS = [1, 3, 4, 16, 31, 32, 33, 63, 64, 96, 257];
const ROWS = 3;

interface Quantized {
  readonly quants: readonly number[];
  readonly scales: readonly number[];
}

/** Blocks of 32, the last filled up with zeros. */
function plainly(x: Float32Array, width: number, limit: number): Quantized {
  const quants: number[] = [];
  const scales: number[] = [];
  for (let r = 0; r < x.length / width; r++) {
    for (let start = 0; start < width; start += 32) {
      const block = Array.from({ length: 32 }, (_, i) => (start + i < width ? x[r * width + start + i] : 0));
      const largest = Math.max(...block.map(Math.abs));
      const inverse = largest < 2 ** -100 ? 0 : Math.fround(limit / largest);
      scales.push(largest < 2 ** -100 ? 0 : Math.fround(largest / limit));
      quants.push(...block.map(v => nearestEven(Math.fround(v * inverse))));
    }
  }
  return { quants, scales };
}

function nearestEven(v: number): number {
  const below = Math.floor(v);
  const up = v - below > 0.5 || (v - below === 0.5 && below % 2 !== 0);
  return below + (up ? 1 : 0);
}

const NAMES = ['quantize14', 'quantize14Halves', 'quantize8'] as const;

/** Through the kernel, rows first … end − 1; what it has not written is NaN, or bytes 0xff. */
function quantized(
  instance: Instance,
  name: (typeof NAMES)[number],
  x: Float32Array,
  width: number,
  [first, end] = [0, x.length / width],
): Quantized & { sums: readonly number[] } {
  const { memory, kernels } = instance;
  const count = (x.length / width) * blocksOf(width);
  const from = instance.place(x, width, strideOf(width));
  const xq = instance.reserve(count * 64);
  const scales = instance.reserve(count * 4);
  const sums = instance.reserve(count * 4);
  const range = [from, strideOf(width), width, first, end] as const;
  if (name === 'quantize8') kernels.quantize8(xq, scales, sums, ...range);
  else kernels[name](xq, scales, ...range);
  const bytes = new Uint8Array(memory.buffer, xq, count * 64);
  const quants = Array.from({ length: count * 32 }, (_, i) => {
    if (name === 'quantize8') return new Int8Array(memory.buffer, xq)[i];
    if (name === 'quantize14') return new Int16Array(memory.buffer, xq)[i];
    const at = (i >> 5) * 64 + (i & 31);
    return bytes[at] * 128 + bytes[at + 32] - 8192;
  });
  return {
    quants,
    scales: [...instance.floats(scales, count)],
    sums: [...new Int16Array(memory.buffer, sums, 2 * count)],
  };
}

describeBuilds('quantizing activations', instance => {
  it.each(NAMES)('%s: every width', name => {
    for (const width of WIDTHS) {
      instance.reset();
      const x = Float32Array.from(noise(ROWS * width, width), (v, i) => v * 2 ** ((i >> 5) % 20));
      const { sums, ...got } = quantized(instance, name, x, width);
      const wanted = plainly(x, width, name === 'quantize8' ? 127 : 8191);
      expect(got).toEqual({ ...wanted, quants: wanted.quants.map(q => q + 0) });
      if (name === 'quantize8') {
        const total = (half: number) => wanted.quants.slice(half * 16, half * 16 + 16).reduce((a, q) => a + q, 0);
        expect(sums).toEqual(wanted.scales.flatMap((_, b) => [-8 * total(2 * b) + 0, -8 * total(2 * b + 1) + 0]));
      }
    }
  });

  it.each(NAMES)('%s: ties go to even, the largest to the limit, tiny and empty blocks to 0', name => {
    instance.reset();
    const limit = name === 'quantize8' ? 127 : 8191;
    const ties = [limit, -limit, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, limit - 0.5, 0.5 - limit, ...Array(22).fill(3)];
    const blocks = [
      ties,
      ties.map(v => v * 2 ** -126),
      ties.map(v => v * 2 ** -110),
      ties.map(v => v * 2 ** 100),
      ties.fill(0, 0),
    ];
    const x = Float32Array.from(blocks.flat());
    const { quants, scales } = quantized(instance, name, x, x.length);
    const wanted = plainly(x, x.length, limit);
    expect({ quants, scales }).toEqual({ ...wanted, quants: wanted.quants.map(q => q + 0) });
  });

  it.each(NAMES)('%s: a block with NaN or Infinity has such a scale', name => {
    instance.reset();
    const x = new Float32Array(96).fill(1);
    x[5] = NaN;
    x[70] = -Infinity;
    const { scales } = quantized(instance, name, x, 96);
    expect(scales.map(Number.isFinite)).toEqual([false, true, false]);
  });

  it.each(NAMES)('%s: rows of a range, and no others', name => {
    instance.reset();
    const x = Float32Array.from(noise(5 * 33, 1));
    const all = quantized(instance, name, x, 33);
    const some = quantized(instance, name, x, 33, [1, 3]);
    expect(some.quants.slice(64, 192)).toEqual(all.quants.slice(64, 192));
    expect(some.scales.slice(2, 6)).toEqual(all.scales.slice(2, 6));
    expect([...some.scales.slice(0, 2), ...some.scales.slice(6)].every(Number.isNaN)).toBe(true);
  });
});
