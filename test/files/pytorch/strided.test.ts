import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementCount } from '../../../src/base/tensor.js';
import {
  isOverlapping,
  isRowMajor,
  type StridedInfo,
  StridedTensor,
} from '../../../src/files/pytorch/strided.js';
import type { ByteSource } from '../../../src/files/source.js';
import { DTYPE_BYTES } from '../../../src/model/dtypes.js';
import { expectRefused, watched } from '../helpers.js';

/** Where each element of a view is in its storage, in row-major order: the definition. */
function positions(shape: readonly number[], strides: readonly number[]): number[] {
  return Array.from({ length: elementCount(shape) }, (_, index) => {
    let rest = index;
    let position = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return position;
  });
}

const view = fc
  .array(fc.record({ size: fc.nat(5), stride: fc.nat(30) }), { minLength: 1, maxLength: 4 })
  .map(axes => ({
    shape: axes.map(({ size }) => size),
    strides: axes.map(({ stride }) => stride),
  }));

/** Views as slicing, transposing and repeating make them; those of `view` mostly overlap. */
const slice = fc
  .array(
    fc.record({
      size: fc.integer({ min: 1, max: 4 }),
      every: fc.integer({ min: 1, max: 3 }),
      gap: fc.nat(2),
      repeat: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .chain(axes => {
    let stride = 1;
    const placed = axes.map(({ size, every, gap, repeat }) => {
      const axis = { size, stride: repeat ? 0 : stride * every };
      if (!repeat) stride *= size * every + gap;
      return axis;
    });
    return fc.shuffledSubarray(placed, { minLength: placed.length });
  })
  .map(axes => ({
    shape: axes.map(({ size }) => size),
    strides: axes.map(({ stride }) => stride),
  }));

function strided(
  source: ByteSource,
  info: Omit<StridedInfo, 'name' | 'byteLength'>,
): StridedTensor {
  const byteLength = elementCount(info.shape) * DTYPE_BYTES[info.dtype];
  return new StridedTensor(source, { name: 't', byteLength, ...info });
}

describe('StridedTensor', () => {
  it('gives any rows of any view, bit for bit, for every size of number', async () => {
    const dtype = fc.constantFrom('U8' as const, 'BF16' as const, 'F32' as const, 'F64' as const);
    await fc.assert(
      fc.asyncProperty(
        slice,
        dtype,
        fc.nat(9),
        fc.nat(4),
        fc.nat(4),
        async ({ shape, strides }, dtype, offset, a, b) => {
          const elementBytes = DTYPE_BYTES[dtype];
          const at = positions(shape, strides);
          const storage = new Uint8Array(offset + (Math.max(0, ...at) + 1) * elementBytes).map(
            (_, i) => (i * 37) % 251,
          );
          const source = watched(storage);
          const tensor = strided(source, { dtype, shape, strides, offset });
          const first = Math.min(a, shape[0]);
          const count = Math.min(b, shape[0] - first);
          const perRow = at.length / shape[0];
          const expected = at
            .slice(first * perRow, (first + count) * perRow)
            .flatMap(p => [
              ...storage.subarray(offset + p * elementBytes, offset + (p + 1) * elementBytes),
            ]);
          expect([...(await tensor.readBytes(first, count))]).toEqual(expected);
          expect(source.bytesRead).toBeLessThanOrEqual(storage.length); // no byte twice
          expect(tensor.byteLength).toBe(at.length * elementBytes);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('reads a large matrix in pieces: 33 MB transposed, in one pass', async () => {
    const [rows, columns] = [2048, 4096]; // as they lie in the file
    const numbers = Float32Array.from({ length: rows * columns }, (_, i) => i);
    const source = watched(new Uint8Array(numbers.buffer));
    const tensor = strided(source, {
      dtype: 'F32',
      shape: [columns, rows],
      strides: [1, columns],
      offset: 0,
    });
    const read = await tensor.read();
    expect(source.bytesRead).toBe(numbers.byteLength);
    for (const [i, j] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [4095, 2047],
      [260, 127],
      [4000, 3],
    ]) {
      expect(read[i * rows + j]).toBe(j * columns + i);
    }
    source.bytesRead = 0;
    const row = await tensor.read(4095, 1);
    expect(row).toEqual(Float32Array.from({ length: rows }, (_, j) => j * columns + 4095));
    expect(source.bytesRead).toBe(((rows - 1) * columns + 1) * 4);
  });

  it('decodes, and says what it does not decode, as other tensors do', async () => {
    const source = watched(Uint8Array.of(0, 0x3c, 1, 2, 0, 0xc0), 'file');
    const info = { shape: [2], strides: [2], offset: 0 };
    expect(await strided(source, { ...info, dtype: 'F16' }).read()).toEqual(Float32Array.of(1, -2));
    const integers = strided(source, { ...info, dtype: 'I16' });
    await expectRefused(integers.read(), 'UNSUPPORTED', 'file', '"t"', 'I16');
    expect(await integers.readBytes()).toEqual(Uint8Array.of(0, 0x3c, 0, 0xc0));
    for (const [first, count] of [
      [-1, 1],
      [0, 3],
      [2, 1],
      [0.5, 1],
      [NaN, 1],
    ]) {
      await expect(integers.readBytes(first, count)).rejects.toThrow(RangeError);
    }
  });
});

it('isRowMajor: exactly if the elements follow one another', () => {
  let found = 0;
  fc.assert(
    fc.property(fc.oneof(view, slice), ({ shape, strides }) => {
      const expected = positions(shape, strides).every((position, i) => position === i);
      if (expected) found++;
      expect(isRowMajor(shape, strides)).toBe(expected);
    }),
    { numRuns: 5000 },
  );
  expect(found).toBeGreaterThan(100);
  expect(isRowMajor([], [])).toBe(true);
});

it('isOverlapping: never false for a view that passes over an element twice', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(view, slice), ({ shape, strides }) => {
      if (shape.includes(0) || isOverlapping(shape, strides)) return;
      accepted++;
      const once = strides.map((stride, axis) => (stride === 0 ? 1 : shape[axis]));
      const at = positions(once, strides);
      expect(new Set(at).size).toBe(at.length);
    }),
    { numRuns: 5000 },
  );
  expect(accepted).toBeGreaterThan(1000);
});

it('isOverlapping: false for whatever slicing, transposing and repeating make', () => {
  fc.assert(
    fc.property(slice, ({ shape, strides }) => {
      expect(isOverlapping(shape, strides)).toBe(false);
    }),
  );
  expect(isOverlapping([4, 0], [1, 1])).toBe(false); // as PyTorch has it: nothing overlaps nothing
});
