/**
 * Linear layers on blocks at the edges of what a file can hold, to the bit: all quants and scales
 * the largest, minima without a scale, subnormal and negative f16s; and activations that bring
 * every sum of int16 to its limits.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { f16ToF32 } from '../../src/base/half.js';
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import { noise } from '../support/tensors.js';
import {
  blockLayer,
  DTYPES,
  type DType,
  decoded,
  quantizationOf,
  repack,
  SCALES,
} from './block-layer.js';
import { describeBuilds } from './instance.js';

/** Byte i of a block; `random` is −1 … 1. */
const FILLS: Readonly<Record<string, (i: number, random: number) => number>> = {
  zero: () => 0,
  largest: () => 0xff,
  low: () => 0x0f,
  high: () => 0xf0,
  'every other bit': i => (i % 2 === 0 ? 0xaa : 0x55),
  random: (_, random) => Math.floor((random + 1) * 128) & 255,
};

/** Number k of a row, in units of the largest integer; `random` is −1 … 1. */
const ACTIVATIONS: Readonly<Record<string, (k: number, random: number) => number>> = {
  'all 1': () => 1,
  'all −1': () => -1,
  alternating: k => (k % 2 === 0 ? 1 : -1),
  'alternating in pairs': k => (k % 4 < 2 ? 1 : -1),
  halves: k => (k % 32 < 16 ? -1 : 1),
  lone: k => (k % 256 === 0 ? -1 : 0),
  random: (k, random) => (k % 32 === 0 ? 1 : random),
};

/** 0, −0, ±1, the smallest and the largest subnormal ones, −0.01. */
const F16S = [0, 0x8000, 0x3c00, 0xbc00, 1, 0x8001, 0x3ff, 0x83ff, 0xa11f];
/** ±127.9375, the largest that a stored half holds (`asm/half.ts`). */
const LARGEST_HALVES = [0x57ff, 0xd7ff];
/** ±65504, which d and d_min of the K formats may be. */
const LARGEST_F16S = [0x7bff, 0xfbff];

/** 1 as f16. */
const ONE = 0x3c00;

const f32 = Math.fround;
const isK = (dtype: DType) => BLOCK_FORMATS[dtype].numbers === 256;

/** What `blocks` blocks, outputs and rows of activations are made of, each in turn. */
const layers = (dtype: DType) => {
  const turns = <T>(all: readonly T[]) =>
    fc.array(fc.constantFrom(...all), { minLength: 1, maxLength: 5 });
  return fc.record({
    // 33 blocks of 32 are more than a panel of `asm/matmul-blocks.ts`, as 5 of 256 are.
    blocks: fc.constantFrom(...(isK(dtype) ? [1, 3, 5] : [1, 3, 7, 33])),
    outputs: fc.constantFrom(1, 17),
    rows: fc.constantFrom(1, 2, 3, 4, 5, 33),
    fills: turns(Object.keys(FILLS)),
    f16s: turns([...F16S, ...(isK(dtype) ? LARGEST_F16S : LARGEST_HALVES)]),
    activations: turns(Object.keys(ACTIVATIONS)),
    exponents: turns([0, -90, -13, 60]),
    seed: fc.nat(1000),
  });
};
type Layer = ReturnType<typeof layers> extends fc.Arbitrary<infer T> ? T : never;

/** Rows of blocks, their f16s as if in the file. */
function weightsOf(dtype: DType, { blocks, outputs, fills, f16s, seed }: Layer): Uint8Array {
  const { bytes } = BLOCK_FORMATS[dtype];
  const random = noise(outputs * blocks * bytes, seed);
  const rows = Uint8Array.from(random, (x, i) => {
    return FILLS[fills[Math.floor(i / bytes) % fills.length]](i % bytes, x);
  });
  const view = new DataView(rows.buffer);
  let turn = 0;
  for (let block = 0; block < rows.length; block += bytes) {
    for (const [at] of SCALES[dtype]) view.setUint16(block + at, f16s[turn++ % f16s.length], true);
  }
  return rows;
}

/**
 * Integers −L … L, and the power of two that those of a block are multiplied by. One of them is ±L,
 * or all are 0: they are the quants.
 */
function activationsOf(dtype: DType, { blocks, rows, activations, exponents, seed }: Layer) {
  const { limit, perScale } = quantizationOf(dtype);
  const width = blocks * BLOCK_FORMATS[dtype].numbers;
  const turn = <T>(all: readonly T[], k: number) =>
    all[(Math.floor(k / width) + Math.floor((k % width) / perScale)) % all.length];
  const integers = Array.from(noise(rows * width, seed + 1), (x, k) =>
    Math.round(ACTIVATIONS[turn(activations, k)](k % width, x) * limit),
  );
  const scales = Array.from({ length: (rows * width) / perScale }, (_, i) => {
    return 2 ** turn(exponents, i * perScale);
  });
  const x = Float32Array.from(integers, (q, k) => q * scales[Math.floor(k / perScale)]);
  return { integers, scales, x, width };
}

interface Parts {
  /** d of each block, and what its minimum is multiplied by, or 0. */
  readonly d: readonly number[];
  readonly m: readonly number[];
  /** Of each number, the integers that they are multiplied by. */
  readonly quants: Float32Array;
  readonly minima: Float32Array;
}

/** The f16s of blocks; and the numbers that they stand for if those are 1 and 0, or 0 and 1. */
function partsOf(dtype: DType, weights: Uint8Array): Parts {
  const places = SCALES[dtype].map(([at]) => at);
  const blocks = weights.length / BLOCK_FORMATS[dtype].bytes;
  const viewOf = (rows: Uint8Array, block: number) =>
    new DataView(rows.buffer, block * BLOCK_FORMATS[dtype].bytes);
  const f16s = (place: number | undefined) =>
    Array.from({ length: blocks }, (_, block) =>
      place === undefined ? 0 : f16ToF32(viewOf(weights, block).getUint16(place, true)),
    );
  const integers = (...bits: number[]) => {
    const rows = weights.slice();
    for (let block = 0; block < blocks; block++)
      places.forEach((place, i) => {
        viewOf(rows, block).setUint16(place, bits[i], true);
      });
    return decoded(dtype, rows);
  };
  const [quants, minima] = [integers(ONE, 0), integers(0, ONE)];
  return { d: f16s(places[0]), m: f16s(places[1]), quants, minima };
}

/**
 * What `asm/matmul-*.ts` say that they compute: exact sums over a block, then a float32 rounding at
 * every step.
 */
function expectedOutputs(dtype: DType, layer: Layer, weights: Uint8Array): number[][] {
  const { numbers } = BLOCK_FORMATS[dtype];
  const { integers, scales, width } = activationsOf(dtype, layer);
  const { d, m, quants, minima } = partsOf(dtype, weights);
  const sumOf = (of: Float32Array, row: number, n: number, block: number) => {
    let sum = 0; // below 2^53
    for (let k = block * numbers; k < (block + 1) * numbers; k++)
      sum += integers[row * width + k] * of[n * width + k];
    return sum;
  };
  const outputOf = (row: number, n: number) => {
    let total = 0;
    for (let block = 0; block < layer.blocks; block++) {
      const at = n * layer.blocks + block;
      const scaled = f32(f32(sumOf(quants, row, n, block)) * d[at]);
      const minimum = f32(f32(sumOf(minima, row, n, block)) * m[at]);
      const scale = scales[row * layer.blocks + block];
      total = f32(total + f32(f32(scaled + minimum) * scale));
    }
    return total;
  };
  return Array.from({ length: layer.rows }, (_, row) =>
    Array.from({ length: layer.outputs }, (_, n) => outputOf(row, n)),
  );
}

describeBuilds('blocks at their limits', instance => {
  it.each(DTYPES)(
    '%s: exact sums over a block, each step after them rounded, to the bit',
    dtype => {
      fc.assert(
        fc.property(layers(dtype), layer => {
          instance.reset();
          const weights = weightsOf(dtype, layer);
          const { x, width } = activationsOf(dtype, layer);
          const { pointer, unstorable } = repack(instance, dtype, weights, layer.outputs);
          expect(unstorable).toBe(0);
          const { multiply } = blockLayer(instance, dtype, x, width, pointer, layer.outputs);
          const outputs = multiply(0, layer.rows).map(row => [...row]);
          expect(outputs).toEqual(expectedOutputs(dtype, layer, weights));
        }),
        { numRuns: 40 },
      );
    },
  );
});
