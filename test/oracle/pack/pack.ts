/** Reads golden/conformance for the tests of what is in it. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Tensor } from '../../../src/base/tensor.js';
import { goldenPath } from '../../support/golden.js';
import { largestDifference, rootMeanSquareDifference, zeros } from '../../support/tensors.js';

export const PACK = 'conformance';
export const readPack = (name: string): Buffer => readFileSync(goldenPath(`${PACK}/${name}`));
export const readPackJson = (name: string) => JSON.parse(readPack(name).toString());

/** The largest difference of any number, in root mean squares of its row. */
export function farthest(ours: Tensor | undefined, golden: Tensor | undefined): number {
  if (ours === undefined || golden === undefined) return Infinity;
  expect(ours.shape).toEqual(golden.shape);
  const width = golden.data.length / golden.shape[0];
  let error = 0;
  for (let start = 0; start < golden.data.length; start += width) {
    const row = Float64Array.from(golden.data.subarray(start, start + width));
    const difference = largestDifference(ours.data.subarray(start, start + width), row);
    error = Math.max(error, difference / rootMeanSquareDifference(row, zeros(width).data));
  }
  return error;
}
