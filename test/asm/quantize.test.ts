/** Activations as integers, against the formula in plain TypeScript. */
import { expect, it } from 'vitest';
import { blocksOf } from '../../src/engines/wasm/memory/weight-formats.js';
import { noise } from '../support/tensors.js';
import { describeBuilds, type Instance } from './instance.js';
import { strideOf } from './linear.js';

const ROWS = 3;

interface Form {
  /** Of |q|. */
  readonly limit: number;
  /** How many numbers share a scale. */
  readonly block: number;
  readonly widths: readonly number[];
}

const WIDTHS = [1, 3, 4, 16, 31, 32, 33, 63, 64, 96, 257];
const FORMS = {
  quantize14: { limit: 8191, block: 32, widths: WIDTHS },
  quantize8: { limit: 127, block: 32, widths: WIDTHS },
  quantize8K: { limit: 127, block: 256, widths: [256, 768] },
} satisfies Record<string, Form>;
type Name = keyof typeof FORMS;
const NAMES = Object.keys(FORMS) as Name[];

interface Quantized {
  readonly quants: readonly number[];
  readonly scales: readonly number[];
}

/** Blocks, the last filled up with zeros. */
function plainly(x: Float32Array, width: number, { limit, block: length }: Form): Quantized {
  const quants: number[] = [];
  const scales: number[] = [];
  for (let r = 0; r < x.length / width; r++) {
    for (let start = 0; start < width; start += length) {
      const block = Array.from({ length }, (_, i) =>
        start + i < width ? x[r * width + start + i] : 0,
      );
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

/** Through the kernel, rows first … end − 1; what it has not written is NaN, or bytes 0xff. */
function quantized(
  instance: Instance,
  name: Name,
  x: Float32Array,
  width: number,
  [first, end] = [0, x.length / width],
): Quantized & { sums: DataView } {
  const { memory, kernels } = instance;
  const count = (x.length / width) * blocksOf(width);
  const from = instance.place(x, width, strideOf(width));
  const xq = instance.reserve(count * 64);
  const scales = instance.reserve(count * 4);
  const sums = instance.reserve(count * 10);
  kernels[name](xq, scales, sums, from, strideOf(width), width, first, end);
  const bytes = new Uint8Array(memory.buffer, xq, count * 64);
  const quants = Array.from({ length: count * 32 }, (_, i) => {
    if (FORMS[name].limit === 127) return new Int8Array(memory.buffer, xq)[i];
    if (!isDot4(instance)) return new Int16Array(memory.buffer, xq)[(i & ~3) + [0, 2, 1, 3][i & 3]];
    const at = (i >> 5) * 64 + (i & 31);
    return bytes[at] * 128 + bytes[at + 32] - 8192;
  });
  return {
    quants,
    scales: [...instance.floats(scales, (count * 32) / FORMS[name].block)],
    sums: new DataView(memory.buffer, sums, 10 * count),
  };
}

const isDot4 = ({ build }: Instance) => build.startsWith('dot4');

/** What lies beside the blocks, as asm/README.md tells: by pairs two int16, by fours one int32. */
function sumsIn(instance: Instance, name: Name, sums: DataView, count: number): number[] {
  const offsets = (start: number, length: number) =>
    Array.from({ length }, (_, i) =>
      isDot4(instance)
        ? [sums.getInt32(start + 4 * i, true)]
        : [sums.getInt16(start + 4 * i, true), sums.getInt16(start + 4 * i + 2, true)],
    ).flat();
  if (name === 'quantize8') return offsets(0, count / 32);
  if (name === 'quantize8K') {
    return Array.from({ length: count / 256 }, (_, b) => [
      ...offsets(80 * b, 16),
      ...Array.from({ length: 8 }, (_, i) => sums.getInt16(80 * b + 64 + 2 * i, true)),
    ]).flat();
  }
  if (isDot4(instance)) return [];
  return Array.from({ length: count / 32 }, (_, b) => sums.getInt32(4 * b, true));
}

/** The same from the quants. */
function sumsOf(instance: Instance, name: Name, quants: readonly number[]): number[] {
  const sum = (start: number, length: number, has: (k: number) => boolean) =>
    quants.slice(start, start + length).reduce((all, q, k) => (has(k) ? all + q : all), 0);
  const blocks = (length: number) => Array.from({ length: quants.length / length }, (_, b) => b);
  const all = () => true;
  const offsets = (start: number, length: number, unit: number) =>
    (isDot4(instance) ? [all] : [(k: number) => k % 4 < 2, (k: number) => k % 4 > 1]).map(
      has => unit * sum(start, length, has) + 0,
    );
  if (name === 'quantize8') return blocks(32).flatMap(b => offsets(32 * b, 32, -8));
  if (name === 'quantize8K') {
    return blocks(256).flatMap(b => [
      ...Array.from({ length: 16 }, (_, i) => offsets(256 * b + 16 * i, 16, -32)).flat(),
      ...[0, 2, 1, 3, 4, 6, 5, 7].map(i => 0 - sum(256 * b + 32 * i, 32, all)),
    ]);
  }
  if (isDot4(instance)) return [];
  return blocks(32).map(b => -128 * sum(32 * b, 32, k => k % 2 === 0) + 0);
}

describeBuilds('quantizing activations', instance => {
  it.each(NAMES)('%s: every width', name => {
    const form: Form = FORMS[name];
    for (const width of form.widths) {
      instance.reset();
      const x = Float32Array.from(noise(ROWS * width, width), (v, i) => v * 2 ** ((i >> 5) % 20));
      const { sums, ...got } = quantized(instance, name, x, width);
      const wanted = plainly(x, width, form);
      expect(got).toEqual({ ...wanted, quants: wanted.quants.map(q => q + 0) });
      expect(sumsIn(instance, name, sums, wanted.quants.length)).toEqual(
        sumsOf(instance, name, wanted.quants),
      );
    }
  });

  it.each(NAMES)(
    '%s: ties go to even, the largest to the limit, tiny and empty blocks to 0',
    name => {
      instance.reset();
      const { limit, block } = FORMS[name];
      const some = [limit, -limit, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, limit - 0.5, 0.5 - limit];
      const ties = [...some, ...Array(block - some.length).fill(3)];
      const blocks = [
        ties,
        ties.map(v => v * 2 ** -126),
        ties.map(v => v * 2 ** -110),
        ties.map(v => v * 2 ** 100),
        ties.fill(0, 0),
      ];
      const x = Float32Array.from(blocks.flat());
      const { quants, scales } = quantized(instance, name, x, x.length);
      const wanted = plainly(x, x.length, FORMS[name]);
      expect({ quants, scales }).toEqual({ ...wanted, quants: wanted.quants.map(q => q + 0) });
    },
  );

  it.each(NAMES)('%s: a block with NaN or Infinity has such a scale', name => {
    instance.reset();
    const { block } = FORMS[name];
    const x = new Float32Array(3 * block).fill(1);
    x[5] = NaN;
    x[2 * block + 6] = -Infinity;
    const { scales } = quantized(instance, name, x, x.length);
    expect(scales.map(Number.isFinite)).toEqual([false, true, false]);
  });

  it.each(NAMES)('%s: rows of a range, and no others', name => {
    instance.reset();
    const { block } = FORMS[name];
    const width = block === 32 ? 33 : block;
    const blocks = Math.ceil(width / block);
    const x = Float32Array.from(noise(5 * width, 1));
    const all = quantized(instance, name, x, width);
    const some = quantized(instance, name, x, width, [1, 3]);
    const [first, end] = [blocks, 3 * blocks];
    expect(some.quants.slice(first * block, end * block)).toEqual(
      all.quants.slice(first * block, end * block),
    );
    expect(some.scales.slice(first, end)).toEqual(all.scales.slice(first, end));
    expect([...some.scales.slice(0, first), ...some.scales.slice(end)].every(Number.isNaN)).toBe(
      true,
    );
  });
});
