import { describe, expect, test } from 'vitest';
import { philox4x32, randomSeed, uniform } from '../../../src/text/sampling/philox.js';

const hex = (words: readonly number[]) =>
  words.map(word => word.toString(16).padStart(8, '0')).join(' ');

describe('philox4x32-10: known answers of Random123 (tests/kat_vectors)', () => {
  const ones = 0xffffffff;
  test.each([
    { counter: [0, 0, 0, 0], key: [0, 0], answer: '6627e8d5 e169c58d bc57ac4c 9b00dbd8' },
    {
      counter: [ones, ones, ones, ones],
      key: [ones, ones],
      answer: '408f276d 41c83b0e a20bc7c6 6d5451fd',
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      answer: 'd16cfe09 94fdcceb 5001e420 24126ea1',
    },
  ] as const)('$answer', ({ counter, key, answer }) =>
    expect(hex(philox4x32(counter, key))).toBe(answer),
  );
});

describe('uniform', () => {
  test('is 53 bits of the two first words', () => {
    const expected = (BigInt(0x6627e8d5 >>> 5) << 26n) | BigInt(0xe169c58d >>> 6);
    expect(uniform(0, 0) * 2 ** 53).toBe(Number(expected));
  });

  test('depends on all 53 bits of seed and number', () => {
    const values = [
      uniform(1, 0),
      uniform(0, 1),
      uniform(2 ** 32, 0),
      uniform(0, 2 ** 32),
      uniform(2 ** 53 - 1, 2 ** 53 - 1),
    ];
    expect(new Set(values).size).toBe(5);
    for (const value of values) expect(value >= 0 && value < 1).toBe(true);
  });

  test('is uniform: chi-square over 64 bins, 64,000 draws', () => {
    const bins = new Array(64).fill(0);
    for (let n = 0; n < 64_000; n++) bins[Math.floor(uniform(7, n) * 64)] += 1;
    const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeGreaterThan(33); // 63 degrees of freedom: 0.1 % …
    expect(chiSquare).toBeLessThan(104); // … and 99.9 % quantile
  });
});

test('a random seed is a safe integer, and another one each time', () => {
  const seeds = Array.from({ length: 100 }, randomSeed);
  expect(seeds.every(seed => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
  expect(new Set(seeds).size).toBe(100);
  expect(Math.max(...seeds)).toBeGreaterThan(2 ** 50);
});
