import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ggufRows, huggingFaceRows, reorderHeads } from '../../../src/files/gguf/rotary-order.js';
import type { CheckpointTensor } from '../../../src/model/checkpoint.js';

/** Number r · 10 + c at row r, column c; and its bytes are the row, twice. */
function numbered(rows: number, columns: number): CheckpointTensor & { reads: number[][] } {
  const row = (r: number) => Array.from({ length: columns }, (_, c) => r * 10 + c);
  const range = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => first + i);
  const reads: number[][] = [];
  return {
    name: 'q',
    dtype: 'F32',
    shape: [rows, columns],
    byteLength: 2 * rows,
    reads,
    async read(first = 0, count = rows - first) {
      reads.push([first, count]);
      return Float32Array.from(range(first, count).flatMap(row));
    },
    async readInto() {},
    async readBytes(first = 0, count = rows - first) {
      return Uint8Array.from(range(first, count).flatMap(r => [r, r]));
    },
  };
}

it('pairs numbers as llama.cpp and as Hugging Face do: heads of 6 by hand', () => {
  expect(ggufRows(6)).toEqual([0, 2, 4, 1, 3, 5]);
  expect(huggingFaceRows(6)).toEqual([0, 3, 1, 4, 2, 5]);
});

it.each([2, 4, 10, 12, 22, 128])('there and back is where it was: heads of %i', headDim => {
  const forth = ggufRows(headDim);
  const back = huggingFaceRows(headDim);
  expect(forth.map(row => back[row])).toEqual(forth.map((_, row) => row));
});

it('gives any rows of any head, reading whole heads around them', async () => {
  const tensor = numbered(3 * 6, 2);
  const turned = reorderHeads(tensor, ggufRows(6));
  expect(turned).toMatchObject({ name: 'q', dtype: 'F32', shape: [18, 2], byteLength: 36 });
  const expected = [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11, 12, 14, 16, 13, 15, 17];
  expect(await turned.read()).toEqual(
    Float32Array.from(expected.flatMap(r => [r * 10, r * 10 + 1])),
  );
  tensor.reads.length = 0;
  await turned.read(7, 4);
  await turned.read(5, 2);
  expect(tensor.reads).toEqual([
    [6, 6],
    [0, 12],
  ]);
  await fc.assert(
    fc.asyncProperty(fc.nat(18), fc.nat(18), async (a, b) => {
      const [first, end] = a < b ? [a, b] : [b, a];
      const rows = expected.slice(first, end);
      expect(await turned.read(first, end - first)).toEqual(
        Float32Array.from(rows.flatMap(r => [r * 10, r * 10 + 1])),
      );
      expect(await turned.readBytes(first, end - first)).toEqual(
        Uint8Array.from(rows.flatMap(r => [r, r])),
      );
    }),
  );
});

it('refuses rows that are not there', async () => {
  const turned = reorderHeads(numbered(12, 2), ggufRows(6));
  for (const [first, count] of [
    [-1, 1],
    [11, 2],
    [0.5, 1],
    [13, 0],
    [0, NaN],
  ]) {
    await expect(turned.read(first, count)).rejects.toThrow(RangeError);
    await expect(turned.readBytes(first, count)).rejects.toThrow(RangeError);
  }
});
