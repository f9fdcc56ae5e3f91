/** Functions and formats that only mutants have, against values that others computed. */
import { expect, it } from 'vitest';
import { roundToTf32 } from '../../../src/base/half.js';
import { q4_0 } from '../../../src/files/blocks/q4-0.js';
import { q8_0 } from '../../../src/files/blocks/q8-0.js';
import { erf, sigmoid, tanh } from '../../../src/oracle/mutants/functions.js';
import { quantize, toQ4_0, toQ8_0 } from '../../../src/oracle/noise/quantized.js';
import { float32, largestDifference } from '../../support/tensors.js';

/** x, erf x and tanh x by Python's math module. */
const VALUES = [
  [0, 0, 0],
  [0.01, 0.011283415555849616, 0.00999966667999946],
  [0.5, 0.5204998778130465, 0.46211715726000974],
  [1, 0.8427007929497149, 0.7615941559557649],
  [2, 0.9953222650189527, 0.9640275800758169],
  [2.4999, 0.9995928300996666, 0.9866116386663822],
  [2.5, 0.999593047982555, 0.9866142981514303],
  [3, 0.9999779095030014, 0.9950547536867305],
  [4, 0.9999999845827421, 0.999329299739067],
  [5.5, 0.9999999999999927, 0.9999665971563038],
  [6, 1, 0.9999877116507956],
  [-0.7, -0.6778011938374184, -0.6043677771171636],
  [-3, -0.9999779095030014, -0.9950547536867305],
];

it.each(VALUES)('erf and tanh of %d: within 1e-15', (x, ofErf, ofTanh) => {
  expect(Math.abs(erf(x) - ofErf)).toBeLessThanOrEqual(1e-15);
  expect(Math.abs(tanh(x) - ofTanh)).toBeLessThanOrEqual(1e-15);
  expect(Math.abs(sigmoid(2 * x) - (1 + ofTanh) / 2)).toBeLessThanOrEqual(1e-15);
});

it('sigmoid, tanh and erf end where their limits are', () => {
  for (const x of [800, Infinity]) {
    expect([sigmoid(x), sigmoid(-x), tanh(x), tanh(-x)]).toEqual([1, 0, 1, -1]);
  }
  expect([erf(40), erf(-40)]).toEqual([1, -1]);
});

const FORMATS = [
  ['Q8_0', toQ8_0, q8_0],
  ['Q4_0', toQ4_0, q4_0],
] as const;

it.each(FORMATS)('%s: of 64 blocks the numbers of a GGUF file', (_, format, { bytes, ...file }) => {
  const numbers = float32(64 * file.numbers, 3);
  const blocks = new Uint8Array(64 * bytes);
  file.encode!(numbers, blocks);
  const decoded = new Float32Array(numbers.length);
  file.decode(blocks, decoded);
  expect(largestDifference(quantize(numbers, numbers.length, format), decoded)).toBeLessThan(1e-9);
});

it('begins a block with each row, the last being shorter', () => {
  // Of 34 numbers the last two are a block: their largest is 3 and not 127.
  const row = [...Array(32).fill(127), 3, 1.02];
  const twice = quantize(Float64Array.from([...row, ...row]), row.length, toQ8_0);
  const scale = 0.02362060546875; // 3 / 127 in f16
  const expected = [...Array(32).fill(127), 127 * scale, 43 * scale];
  expect([...twice]).toEqual([...expected, ...expected]);
});

it('keeps zeros, and takes the first of equals for the farthest', () => {
  const numbers = (values: number[]) => Float64Array.from(values);
  expect([...quantize(numbers([0, 0]), 2, toQ8_0)]).toEqual([0, 0]);
  expect([...quantize(numbers([0, 0]), 2, toQ4_0)]).toEqual([0, 0]);
  expect([...quantize(numbers([-8, 8]), 2, toQ4_0)]).toEqual([-8, 7]);
  expect([...quantize(numbers([8, -8]), 2, toQ4_0)]).toEqual([8, -7]);
});

it('rounds to TF32: 10 bits of fraction, ties to even, the exponents of float32', () => {
  expect(roundToTf32(1 + 2 ** -11)).toBe(1);
  expect(roundToTf32(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
  expect(roundToTf32(1 + 2 ** -11 + 2 ** -40)).toBe(1 + 2 ** -10);
  expect(roundToTf32(-1e30)).toBe(-(Math.round(1e30 / 2 ** 89) * 2 ** 89));
  expect(roundToTf32(2 ** -126 * (1 + 2 ** -10))).toBe(2 ** -126 * (1 + 2 ** -10));
  expect(roundToTf32(2 ** -136)).toBe(2 ** -136);
  expect(roundToTf32(2 ** -138)).toBe(0);
});
