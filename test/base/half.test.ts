import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bf16ToF32,
  f16ToF32,
  roundToBF16,
  roundToF16,
  toBF16Bits,
  toF16Bits,
} from '../../src/base/half.js';

interface Format {
  name: string;
  round(x: number): number;
  toBits(x: number): number;
  fromBits(bits: number): number;
  exponentBits: number;
  fractionBits: number;
  infinityBits: number;
}

const FORMATS: Format[] = [
  {
    name: 'f16',
    round: roundToF16,
    toBits: toF16Bits,
    fromBits: f16ToF32,
    exponentBits: 5,
    fractionBits: 10,
    infinityBits: 0x7c00,
  },
  {
    name: 'bf16',
    round: roundToBF16,
    toBits: toBF16Bits,
    fromBits: bf16ToF32,
    exponentBits: 8,
    fractionBits: 7,
    infinityBits: 0x7f80,
  },
];

/**
 * The value of `bits` by the textbook: (−1)^s · 2^(e−bias) · 1.f, written with division and
 * multiplication only.
 */
function textbook({ exponentBits, fractionBits }: Format, bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = Math.floor((bits % 0x8000) / 2 ** fractionBits);
  const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

/**
 * The nearest value by search: the two neighbours of |x| among all finite values, compared exactly;
 * a tie goes to even bits.
 */
function nearestBits(format: Format, x: number): number {
  const size = Math.abs(x);
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  let low = 0;
  let high = format.infinityBits;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (textbook(format, middle) <= size) low = middle;
    else high = middle;
  }
  const bias = 2 ** (format.exponentBits - 1) - 1;
  const next = high === format.infinityBits ? 2 ** (bias + 1) : textbook(format, high);
  const halfway = (textbook(format, low) + next) / 2; // exact: one bit more than the format has
  if (size < halfway) return sign | low;
  if (size > halfway) return sign | high;
  return sign | (low % 2 === 0 ? low : high);
}

/** The next float64 towards +Infinity, or towards −Infinity with `step` −1; for finite x ≠ 0. */
function neighbour(x: number, step: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 ? step : -step));
  return view.getFloat64(0);
}

describe.each(FORMATS)('$name', format => {
  const all = Array.from({ length: 65536 }, (_, bits) => bits);
  const finite = all.filter(bits => Number.isFinite(textbook(format, bits)));
  const finiteSet = new Set(finite);

  it('reads all 65,536 bit patterns as the textbook does', () => {
    const wrong = all.filter(bits => !Object.is(format.fromBits(bits), textbook(format, bits)));
    expect(wrong).toEqual([]);
  });

  it('returns to the same bits, NaN to the quiet one', () => {
    const wrong = all.filter(bits => {
      const value = format.fromBits(bits);
      const back = format.toBits(value);
      return Number.isNaN(value) ? !Number.isNaN(format.fromBits(back)) : back !== bits;
    });
    expect(wrong).toEqual([]);
  });

  it('leaves every value of the format as it is', () => {
    expect(
      all.filter(bits => !Object.is(format.round(format.fromBits(bits)), format.fromBits(bits))),
    ).toEqual([]);
  });

  it('rounds every halfway point to even, and its float64 neighbours to their own side', () => {
    const wrong: number[] = [];
    for (const bits of finite) {
      const up = bits + 1; // away from zero
      const bias = 2 ** (format.exponentBits - 1) - 1;
      const beyond = (bits >= 0x8000 ? -1 : 1) * 2 ** (bias + 1);
      const next = finiteSet.has(up) ? textbook(format, up) : beyond;
      const halfway = (textbook(format, bits) + next) / 2;
      const toEven = bits % 2 === 0 ? bits : up;
      const outward = halfway > 0 ? 1n : -1n;
      if (format.toBits(halfway) !== toEven) wrong.push(halfway);
      if (format.toBits(neighbour(halfway, -outward)) !== bits)
        wrong.push(neighbour(halfway, -outward));
      if (format.toBits(neighbour(halfway, outward)) !== up)
        wrong.push(neighbour(halfway, outward));
    }
    expect(wrong).toEqual([]);
  });

  it('agrees with a search for the nearest value, for any float64', () => {
    const near = fc
      .tuple(fc.constantFrom(...finite), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([bits, part]) => {
        const value = textbook(format, bits);
        const next = textbook(format, bits + 1);
        return Number.isFinite(next) ? value + (next - value) * part : value;
      });
    fc.assert(
      fc.property(fc.oneof(near, fc.double({ noNaN: true })), x => {
        const bits = nearestBits(format, x);
        expect(format.toBits(x)).toBe(bits);
        expect(format.round(x)).toBe(textbook(format, bits));
      }),
      { numRuns: 20_000 },
    );
  });

  it('keeps the sign of zero, and NaN', () => {
    expect(Object.is(format.round(-0), -0)).toBe(true);
    expect(Object.is(format.round(-1e-300), -0)).toBe(true);
    expect(Object.is(format.round(1e-300), 0)).toBe(true);
    expect(Object.is(format.round(5e-324), 0)).toBe(true);
    expect(format.round(NaN)).toBeNaN();
  });

  it('overflows to Infinity', () => {
    expect(format.round(1e300)).toBe(Infinity);
    expect(format.round(-1e300)).toBe(-Infinity);
    expect(format.round(Infinity)).toBe(Infinity);
    expect(format.round(-Infinity)).toBe(-Infinity);
  });
});

it('rounds once, not by way of float32', () => {
  expect(roundToF16(1 + 2 ** -11 + 2 ** -40)).toBe(1 + 2 ** -10);
  expect(roundToF16(Math.fround(1 + 2 ** -11 + 2 ** -40))).toBe(1);
  expect(roundToBF16(1 + 2 ** -8 + 2 ** -40)).toBe(1 + 2 ** -7);
  expect(roundToBF16(Math.fround(1 + 2 ** -8 + 2 ** -40))).toBe(1);
});

it('knows the constants of the published model', () => {
  // eps and 1/√128 of Together's modeling_flash_llama.py in float16.
  expect(roundToF16(1e-5)).toBe(168 * 2 ** -24);
  expect(roundToF16(Math.sqrt(128))).toBe(11.3125);
  expect(roundToF16(65519.99)).toBe(65504);
  expect(roundToF16(65520)).toBe(Infinity);
});
