import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bf16ToF32, f16ToF32, roundToBF16, roundToF16 } from '../../src/base/half.js';
import {
  allocateBytes,
  allocateFloats,
  decode,
  decodeInto,
  encode,
} from '../../src/files/dtypes.js';
import { type FloatDType, isFloatDType } from '../../src/model/dtypes.js';

const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const allBytes = new Uint8Array(all.buffer);

/** `bytes` at an odd address. */
function unaligned(bytes: Uint8Array): Uint8Array {
  const moved = new Uint8Array(bytes.length + 1);
  moved.set(bytes, 1);
  return moved.subarray(1);
}

it.each<[FloatDType, (bits: number) => number]>([
  ['F16', f16ToF32],
  ['BF16', bf16ToF32],
])('decodes all 65,536 values of %s, aligned or not', (dtype, one) => {
  const expected = Float32Array.from(all, one);
  expect(decode(dtype, allBytes)).toEqual(expected);
  expect(decode(dtype, unaligned(allBytes))).toEqual(expected);
});

it.each<FloatDType>(['F16', 'BF16'])('encodes what it decoded from %s to the same bits', dtype => {
  const values = decode(dtype, allBytes);
  const bits = new Uint16Array(encode(dtype, values).buffer);
  const again = decode(dtype, encode(dtype, values));
  const wrong = all.filter(i =>
    Number.isNaN(values[i]) ? !Number.isNaN(again[i]) : bits[i] !== i,
  );
  expect(wrong).toHaveLength(0);
});

it('reads little-endian F32 and F64, aligned or not, as copies', () => {
  const f32 = Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0); // 1, −2
  const f64 = Uint8Array.of(0x18, 0x2d, 0x44, 0x54, 0xfb, 0x21, 0x09, 0x40); // π
  for (const place of [(bytes: Uint8Array) => bytes, unaligned]) {
    expect(decode('F32', place(f32))).toEqual(Float32Array.of(1, -2));
    expect(decode('F64', place(f64))).toEqual(Float64Array.of(Math.PI));
  }
  const copy = decode('F32', f32);
  f32.fill(0);
  expect(copy[0]).toBe(1);
});

it('encodes rounding once from float64', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { maxLength: 20 }), numbers => {
      const values = Float64Array.from(numbers);
      expect(decode('F64', encode('F64', values))).toEqual(values);
      expect(decode('F32', encode('F32', values))).toEqual(Float32Array.from(values));
      expect(decode('F16', encode('F16', values))).toEqual(Float32Array.from(values, roundToF16));
      expect(decode('BF16', encode('BF16', values))).toEqual(
        Float32Array.from(values, roundToBF16),
      );
    }),
  );
});

it('decodes to the beginning of a longer array', () => {
  const out = new Float32Array(3).fill(9);
  decodeInto('BF16', Uint8Array.of(0x80, 0x3f), out);
  decodeInto('F32', Uint8Array.of(0, 0, 0, 0xc0), out.subarray(1));
  expect(out).toEqual(Float32Array.of(1, -2, 9));
});

describe('refuses', () => {
  it('bytes that end inside a number', () => {
    expect(() => decodeInto('F16', new Uint8Array(3), new Float32Array(2))).toThrow(RangeError);
    expect(() => decodeInto('F32', new Uint8Array(6), new Float32Array(2))).toThrow('6');
  });

  it('more memory than there can be', () => {
    expect(() => allocateBytes(2 ** 50)).toThrow(
      expect.objectContaining({ code: 'OUT_OF_MEMORY' }),
    );
    expect(() => allocateFloats('F16', 2 ** 48)).toThrow(String(2 ** 50));
  });
});

it('knows which formats a weight can have', () => {
  expect((['F64', 'F32', 'F16', 'BF16'] as const).every(isFloatDType)).toBe(true);
  expect((['I64', 'U8', 'BOOL', 'F8_E4M3'] as const).some(isFloatDType)).toBe(false);
});
