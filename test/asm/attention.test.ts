import { describe, expect, it } from 'vitest';
import { attentionScratchBytes } from '../../src/kernels/wasm/attention-scratch.js';
import { attention, type HeadShape } from '../../src/ops/attention.js';
import { exp32 } from '../../src/ops/exp32.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { largestDifference, noise } from '../support/tensors.js';
import { describeBuilds, type Instance } from './instance.js';

const { fround } = Math;
const PAGE = 64;

/** One row of queries [H·d] and what it sees: keys and values [T, K·d]. */
interface Case {
  readonly shape: HeadShape;
  readonly count: number;
  readonly query: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

function randomCase(headDim: number, groupSize: number, numKeyValueHeads: number, count: number): Case {
  const shape = { headDim, numKeyValueHeads, numHeads: groupSize * numKeyValueHeads };
  const random = (length: number, seed: number, size: number) => Float32Array.from(noise(length, seed), v => v * size);
  const cache = count * numKeyValueHeads * headDim;
  const query = random(shape.numHeads * headDim, headDim + count, 4);
  return { shape, count, query, keys: random(cache, 2, 2), values: random(cache, 3, 1) };
}

/** The operation in float64. */
function exactly({ shape, count, query, keys, values }: Case): Float64Array {
  const out = new Float64Array(query.length);
  const visible = { keys: new Float64Array(keys), values: new Float64Array(values), count };
  const probabilities = new Float64Array(shape.numHeads * count);
  attention(out, new Float64Array(query), visible, shape, probabilities, ROUNDINGS.f64);
  return out;
}

/** The kernel's steps, one number at a time: what its comments say, to the bit. */
function stepByStep({ shape: { numHeads, numKeyValueHeads, headDim }, count, query, keys, values }: Case) {
  const out = new Float32Array(numHeads * headDim);
  const scale = fround(1 / Math.sqrt(headDim));
  for (let h = 0; h < numHeads; h++) {
    const at = (t: number, i: number) =>
      (t * numKeyValueHeads + Math.floor((h * numKeyValueHeads) / numHeads)) * headDim + i;
    let largest = -Infinity;
    let total = 0;
    const sums = new Float32Array(headDim);
    for (let start = 0; start < count; start += PAGE) {
      const visible = Math.min(PAGE, count - start);
      const p = new Float32Array(PAGE).fill(-Infinity); // first the scores
      for (let t = 0; t < visible; t++) {
        let score = 0;
        for (let i = 0; i < headDim; i++)
          score = fround(score + fround(query[h * headDim + i] * keys[at(start + t, i)]));
        p[t] = score * scale;
      }
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
      for (let i = 0; i < headDim; i++) {
        const term = (t: number) => fround(p[t] * values[at(start + t, i)]);
        sums[i] *= rescale;
        let t = 0;
        for (; t + 4 <= visible; t += 4) {
          sums[i] += fround(fround(fround(term(t) + term(t + 1)) + term(t + 2)) + term(t + 3));
        }
        for (; t < visible; t++) sums[i] += term(t);
      }
    }
    const inverse = total === 0 ? 0 : fround(1 / total);
    for (let i = 0; i < headDim; i++) out[h * headDim + i] = sums[i] * inverse;
  }
  return out;
}

/** Everything that the case does not fill is NaN: later positions of the last page, other pages, what is around them. */
class Cache {
  readonly pageBytes: number;
  readonly base: number;
  readonly pages: number;
  private readonly instance: Instance;
  private readonly input: Case;
  private readonly scratch: number;
  private readonly query: number;

  /** `order`: where in memory the sequence's pages are. */
  constructor(instance: Instance, input: Case, order: number[], base?: number) {
    const { shape, count, query, keys, values } = input;
    const { headDim, numKeyValueHeads, numHeads } = shape;
    instance.reset();
    this.instance = instance;
    this.input = input;
    const layerBytes = PAGE * numKeyValueHeads * (headDim + Math.ceil(headDim / 4) * 4) * 4;
    this.pageBytes = layerBytes + 64; // as if a second layer followed
    this.base = base ?? instance.reserve(this.pageBytes * (Math.max(...order) + 1));
    this.pages = instance.reserve(order.length * 4);
    instance.bytes(this.pages, order.length * 4).set(new Uint8Array(Uint32Array.from(order).buffer));
    this.query = instance.place(query, query.length, query.length);
    this.scratch = instance.reserve(attentionScratchBytes(numHeads / numKeyValueHeads, headDim));
    const width = numKeyValueHeads * headDim;
    const stride = Math.ceil((width + 1) / 16) * 16;
    const keyRows = instance.place(keys, width, stride);
    const valueRows = instance.place(values, width, stride);
    for (let t = 0; t < count; t++) {
      const page = this.base + order[Math.floor(t / PAGE)] * this.pageBytes;
      const target = [page, t % PAGE, numKeyValueHeads, headDim];
      instance.kernels.storeKeyValue(keyRows, stride, valueRows, stride, t, ...target);
    }
  }

  /** Heads of the given key-value heads; all others stay NaN. */
  attention(
    keyValueHeads = [...Array(this.input.shape.numKeyValueHeads).keys()],
    count = this.input.count,
  ): Float32Array {
    const { headDim, numKeyValueHeads, numHeads } = this.input.shape;
    const out = this.instance.reserve(numHeads * headDim * 4);
    const scale = fround(1 / Math.sqrt(headDim));
    const groupSize = numHeads / numKeyValueHeads;
    for (const head of keyValueHeads) {
      this.instance.kernels.attentionRows(
        ...[out, this.query, 0, 1, this.pages, this.base, this.pageBytes, count],
        ...[head, numKeyValueHeads, groupSize, headDim, scale, this.scratch],
      );
    }
    this.expectNothingAfter(this.scratch + attentionScratchBytes(groupSize, headDim));
    return this.instance.floats(out, numHeads * headDim).slice();
  }

  /** Rows of queries, the first of which sees `count` positions. */
  attentionRows(queries: Float32Array, count: number): Float32Array[] {
    const { headDim, numKeyValueHeads, numHeads } = this.input.shape;
    const width = numHeads * headDim;
    const stride = Math.ceil((width + 1) / 16) * 16;
    const rows = queries.length / width;
    const groupSize = numHeads / numKeyValueHeads;
    const query = this.instance.place(queries, width, stride);
    const out = this.instance.reserve(rows * stride * 4);
    const scratch = this.instance.reserve(attentionScratchBytes(groupSize, headDim, rows));
    for (let head = 0; head < numKeyValueHeads; head++) {
      this.instance.kernels.attentionRows(
        ...[out, query, stride, rows, this.pages, this.base, this.pageBytes, count],
        ...[head, numKeyValueHeads, groupSize, headDim, fround(1 / Math.sqrt(headDim)), scratch],
      );
    }
    this.expectNothingAfter(scratch + attentionScratchBytes(groupSize, headDim, rows));
    const row = (r: number) => this.instance.floats(out, rows * stride).slice(r * stride, (r + 1) * stride);
    return Array.from({ length: rows }, (_, r) => {
      expect(row(r).subarray(width).every(Number.isNaN), 'what follows the row').toBe(true);
      return row(r).subarray(0, width);
    });
  }

  private expectNothingAfter(end: number): void {
    const after = this.instance.bytes(end, Math.ceil(end / 64) * 64 + 64 - end); // `reserve` leaves as much
    expect(
      after.every(byte => byte === 0xff),
      'what follows the scratch',
    ).toBe(true);
  }
}

function run(instance: Instance, input: Case, order = inOrder(input.count)): Float32Array {
  return new Cache(instance, input, order).attention();
}

const inOrder = (count: number) => Array.from({ length: Math.ceil(count / PAGE) }, (_, i) => i);

describeBuilds('attention', instance => {
  describe.each([1, 63, 64, 65, 127, 260, 1000])('of %i positions', count => {
    it.each([2, 3, 6, 22, 24, 64, 128])('with heads of %i', headDim => {
      for (const [groupSize, numKeyValueHeads] of [
        [1, 1],
        [1, 3],
        [2, 2],
        [3, 2],
        [8, 1],
      ]) {
        const input = randomCase(headDim, groupSize, numKeyValueHeads, count);
        const got = run(instance, input, inOrder(count).reverse());
        expect(got, 'the documented steps, bit for bit').toEqual(stepByStep(input));
        // Scores below 10 in 128 roundings of at most 2⁻²² each, seldom of one sign; values below 1.
        expect(largestDifference(got, exactly(input)), 'the formula in float64').toBeLessThan(3e-6);
      }
    });
  });

  it('keeps a position where asm/README.md says, its padding zero, and touches nothing else', () => {
    const [headDim, heads, slot, stride] = [6, 3, 37, 32];
    instance.reset();
    const keys = instance.place(noise(2 * 18, 1), 18, stride);
    const values = instance.place(noise(2 * 18, 2), 18, stride);
    const page = instance.reserve(PAGE * heads * (6 + 8) * 4);
    instance.kernels.storeKeyValue(keys, stride, values, stride, 1, page, slot, heads, headDim);
    const expected = new Float32Array(PAGE * heads * (6 + 8)).fill(NaN);
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < 8; i++) {
        const value = (heads * headDim + h * 8) * PAGE + slot * 8 + i;
        expected[value] = i < headDim ? instance.floats(values, 64)[stride + h * headDim + i] : 0;
        const key = ((h * 2 + 1) * headDim + i) * 32 + (slot - 32);
        if (i < headDim) expected[key] = instance.floats(keys, 64)[stride + h * headDim + i];
      }
    }
    expect(instance.floats(page, expected.length)).toEqual(expected);
  });

  it('gives the same bits for rows at once as for each alone, whichever pages they begin and end in', () => {
    const [headDim, groupSize, numKeyValueHeads] = [22, 3, 2];
    for (const [count, rows] of [
      [1, 1],
      [1, 70],
      [60, 5],
      [63, 3],
      [64, 2],
      [65, 130],
      [190, 9],
    ]) {
      const input = randomCase(headDim, groupSize, numKeyValueHeads, count + rows - 1);
      const width = headDim * groupSize * numKeyValueHeads;
      const queries = Float32Array.from(noise(rows * width, rows), v => v * 4);
      const got = new Cache(instance, input, inOrder(input.count).reverse()).attentionRows(queries, count);
      for (let r = 0; r < rows; r++) {
        const query = queries.subarray(r * width, (r + 1) * width);
        expect(got[r]).toEqual(stepByStep({ ...input, query, count: count + r }));
      }
    }
  });

  it('gives the same bits wherever its pages are, beyond 2 GiB too', () => {
    const input = randomCase(24, 2, 2, 200);
    const expected = run(instance, input);
    expect(run(instance, input, [5, 0, 9, 2])).toEqual(expected);
    const base = 2 ** 31 - 50_000;
    instance.memory.grow((2 ** 31 + 2 ** 20) / 65_536 - instance.memory.buffer.byteLength / 65_536);
    expect(new Cache(instance, input, [1, 0, 9, 2], base).attention()).toEqual(expected);
  });

  it('never sees what the pages hold after the last position, nor writes other heads', () => {
    const input = randomCase(22, 3, 3, 70);
    const cache = new Cache(instance, input, [0, 1]);
    const expected = cache.attention();
    for (const count of [1, 2, 3, 4, 5, 33, 64, 66, 69]) {
      const shorter = { ...input, count };
      expect(cache.attention(undefined, count)).toEqual(stepByStep(shorter));
    }
    const middle = cache.attention([1]);
    expect(middle.subarray(66, 132)).toEqual(expected.subarray(66, 132));
    expect([...middle.subarray(0, 66), ...middle.subarray(132)].every(Number.isNaN)).toBe(true);
  });

  it('takes scores of any size: all −200, all 1000, one 1000 above the rest, falling, rising', () => {
    const headDim = 4;
    const scoresOf = [
      (_: number) => -200,
      (_: number) => 1000,
      (t: number) => (t === 77 ? 1000 : 0),
      (t: number) => -t,
      (t: number) => 3 * t,
      (t: number) => -1e30 * t,
    ];
    for (const score of scoresOf) {
      const base = randomCase(headDim, 1, 1, 150);
      const keys = new Float32Array(base.keys.length);
      for (let t = 0; t < base.count; t++) keys[t * headDim] = score(t);
      const input = { ...base, keys, query: Float32Array.of(2, 0, 0, 0) }; // 2 · score · 1/√4
      const got = run(instance, input);
      expect(got).toEqual(stepByStep(input));
      expect(largestDifference(got, exactly(input))).toBeLessThan(1e-6);
    }
  });

  it('is 0 where every score is −Infinity, and NaN where one is NaN', () => {
    const base = randomCase(4, 1, 1, 70);
    const minus = { ...base, query: Float32Array.of(3e38, 0, 0, 0), keys: base.keys.map(() => -3e38) };
    expect([...run(instance, minus)]).toEqual([0, 0, 0, 0]);
    const keys = base.keys.slice();
    keys[4 * 5] = NaN;
    expect([...run(instance, { ...base, keys })]).toEqual([NaN, NaN, NaN, NaN]);
  });
});

describe('attentionScratchBytes', () => {
  it('is the scores of a page, and a weighted sum, maximum and total per row and head', () => {
    expect(attentionScratchBytes(32, 128)).toBe(32 * (256 + 512 + 8));
    expect(attentionScratchBytes(1, 22, 16)).toBe(256 + 16 * (96 + 8));
  });
});
