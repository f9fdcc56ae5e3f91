/** The steps of `asm/attention.ts` one number at a time: what its comments say, to the bit. */

import { roundToF16 } from '../../src/base/half.js';
import type { CacheFormat } from '../../src/engines/wasm/memory/cache-formats.js';
import type { HeadShape } from '../../src/ops/attention.js';
import { exp32 } from '../../src/ops/exp32.js';

const { fround } = Math;
export const PAGE = 64;
const BLOCK = 32;

/** One row of queries [H·d] and what it sees: keys and values [T, K·d]. */
export interface Case {
  readonly shape: HeadShape;
  readonly count: number;
  readonly query: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Numbers as integers times a scale. */
interface Quantized {
  readonly integers: readonly number[];
  readonly scale: number;
}

export function stepByStep(format: CacheFormat, input: Case): Float32Array {
  const { numHeads, numKeyValueHeads, headDim } = input.shape;
  const out = new Float32Array(numHeads * headDim);
  for (let h = 0; h < numHeads; h++) {
    const keyValueHead = Math.floor((h * numKeyValueHeads) / numHeads);
    const query = input.query.subarray(h * headDim, (h + 1) * headDim);
    const row = (x: Float32Array, t: number) => {
      const start = (t * numKeyValueHeads + keyValueHead) * headDim;
      return x.subarray(start, start + headDim);
    };
    out.set(
      oneHead(
        format,
        query,
        t => row(input.keys, t),
        t => row(input.values, t),
        input.count,
      ),
      h * headDim,
    );
  }
  return out;
}

type Rows = (t: number) => Float32Array;

function oneHead(
  format: CacheFormat,
  query: Float32Array,
  keys: Rows,
  values: Rows,
  count: number,
): Float32Array {
  const scale = fround(1 / Math.sqrt(query.length));
  const sums = new Float32Array(query.length);
  let largest = -Infinity;
  let total = 0;
  for (let start = 0; start < count; start += PAGE) {
    const visible = Math.min(PAGE, count - start);
    const p = new Float32Array(PAGE).fill(-Infinity); // first the scores
    for (let t = 0; t < visible; t++) p[t] = score(format, query, keys(start + t)) * scale;
    const before = largest;
    for (const score of p) if (score > largest) largest = score;
    const shift = largest === -Infinity ? 0 : largest;
    const lanes = new Float32Array(4);
    for (let t = 0; t < PAGE; t++) {
      p[t] = exp32(fround(p[t] - shift));
      lanes[t % 4] += p[t];
    }
    const rescale = before === largest ? 1 : exp32(fround(before - shift));
    const pageTotal = fround(fround(lanes[0] + lanes[2]) + fround(lanes[1] + lanes[3]));
    total = fround(fround(total * rescale) + pageTotal);
    const page = Array.from({ length: visible }, (_, t) => values(start + t));
    const added = format === 'q8' ? weightedSumQ8(p, page) : weightedSum(format, p, page);
    for (let i = 0; i < sums.length; i++) sums[i] = fround(sums[i] * rescale) + added[i];
  }
  const inverse = total === 0 ? 0 : fround(1 / total);
  return sums.map(sum => sum * inverse);
}

function score(format: CacheFormat, query: Float32Array, key: Float32Array): number {
  let sum = 0;
  if (format !== 'q8') {
    for (let i = 0; i < query.length; i++)
      sum = fround(sum + fround(query[i] * stored(format, key[i])));
    return sum;
  }
  for (let start = 0; start < query.length; start += BLOCK) {
    const q = quantize(query.subarray(start, start + BLOCK), 32767);
    const k = quantize(key.subarray(start, start + BLOCK), 127);
    const product = q.integers.reduce((sum, x, i) => sum + x * k.integers[i], 0);
    sum = fround(sum + fround(fround(product) * fround(k.scale * q.scale)));
  }
  return sum;
}

function weightedSum(
  format: CacheFormat,
  p: Float32Array,
  values: readonly Float32Array[],
): Float32Array {
  const sums = new Float32Array(values[0].length);
  values.forEach((value, t) => {
    for (let i = 0; i < sums.length; i++) sums[i] += fround(p[t] * stored(format, value[i]));
  });
  return sums;
}

function weightedSumQ8(p: Float32Array, values: readonly Float32Array[]): Float32Array {
  const rows = values.map(value => quantize(value, 127));
  const weights = quantize(
    Float32Array.from(rows, ({ scale }, t) => p[t] * scale),
    32767,
  );
  return values[0].map((_, i) => {
    const sum = rows.reduce((sum, { integers }, t) => sum + weights.integers[t] * integers[i], 0);
    return fround(sum) * weights.scale;
  });
}

/** What the cache holds of `x`; q8 holds something else. */
function stored(format: CacheFormat, x: number): number {
  return format === 'f16' ? roundToF16(x) : x;
}

function quantize(x: Float32Array, limit: number): Quantized {
  const largest = x.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  if (largest < 2 ** -100) return { integers: Array.from(x, () => 0), scale: 0 };
  const inverse = fround(limit / largest);
  return {
    integers: Array.from(x, v => nearest(fround(v * inverse))),
    scale: fround(largest / limit),
  };
}

/** The nearest integer, ties to even; 0 for NaN. */
function nearest(x: number): number {
  const magic = 1.5 * 2 ** 52;
  return x + magic - magic || 0;
}

/** Keys or values [T, K·d] as numbers, as the cache holds them. */
export function heldNumbers(
  format: CacheFormat,
  kind: 'keys' | 'values',
  x: Float32Array,
  headDim: number,
): Float32Array {
  if (format !== 'q8') return x.map(v => stored(format, v));
  const held = new Float32Array(x.length);
  for (let head = 0; head < x.length; head += headDim) {
    const block = kind === 'keys' ? BLOCK : headDim;
    for (let start = head; start < head + headDim; start += block) {
      const { integers, scale } = quantize(
        x.subarray(start, Math.min(start + block, head + headDim)),
        127,
      );
      held.set(
        integers.map(q => q * scale),
        start,
      );
    }
  }
  return held;
}
