import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { f16ToF32, toF16Bits } from '../../src/base/half.js';
import { attentionScratchBytes } from '../../src/engines/wasm/memory/attention-scratch.js';
import { type CacheFormat, headPageBytes } from '../../src/engines/wasm/memory/cache-formats.js';
import { attention } from '../../src/ops/attention.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { largestDifference, noise } from '../support/tensors.js';
import { type Case, heldNumbers, PAGE, stepByStep } from './attention-steps.js';
import { describeBuilds, type Instance } from './instance.js';

const { fround } = Math;
const FORMATS = ['f32', 'f16', 'q8'] as const;

const kernelsFor = ({ kernels }: Instance, format: CacheFormat) => {
  const {
    storeKeyValueF32,
    storeKeyValueF16,
    storeKeyValueQ8,
    attentionF32,
    attentionF16,
    attentionQ8,
  } = kernels;
  return {
    f32: { store: storeKeyValueF32, attend: attentionF32 },
    f16: { store: storeKeyValueF16, attend: attentionF16 },
    q8: { store: storeKeyValueQ8, attend: attentionQ8 },
  }[format];
};

function randomCase(
  headDim: number,
  groupSize: number,
  numKeyValueHeads: number,
  count: number,
): Case {
  const shape = { headDim, numKeyValueHeads, numHeads: groupSize * numKeyValueHeads };
  const random = (length: number, seed: number, size: number) =>
    Float32Array.from(noise(length, seed), v => v * size);
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

/** With the numbers that the cache holds. */
function rounded(format: CacheFormat, input: Case): Case {
  const { headDim } = input.shape;
  const keys = heldNumbers(format, 'keys', input.keys, headDim);
  return { ...input, keys, values: heldNumbers(format, 'values', input.values, headDim) };
}

/**
 * Everything that the case does not fill is NaN, or −1 among integers: later positions of the last
 * page, other pages, what is around them.
 */
class Cache {
  readonly pageBytes: number;
  readonly base: number;
  readonly pages: number;
  readonly #instance: Instance;
  readonly #format: CacheFormat;
  readonly #input: Case;

  /** `order`: where in memory the sequence's pages are. */
  constructor(
    instance: Instance,
    format: CacheFormat,
    input: Case,
    order = inOrder(input.count),
    base?: number,
  ) {
    const { shape, count, keys, values } = input;
    const { headDim, numKeyValueHeads } = shape;
    instance.reset();
    this.#instance = instance;
    this.#format = format;
    this.#input = input;
    // as if a second layer followed
    this.pageBytes = numKeyValueHeads * headPageBytes(format, headDim) + 64;
    this.base = base ?? instance.reserve(this.pageBytes * (Math.max(...order) + 1));
    this.pages = instance.reserve(order.length * 4);
    instance
      .bytes(this.pages, order.length * 4)
      .set(new Uint8Array(Uint32Array.from(order).buffer));
    const width = numKeyValueHeads * headDim;
    const stride = Math.ceil((width + 1) / 16) * 16;
    const keyRows = instance.place(keys, width, stride);
    const valueRows = instance.place(values, width, stride);
    for (let t = 0; t < count; t++) {
      const page = this.base + order[Math.floor(t / PAGE)] * this.pageBytes;
      const target = [page, t % PAGE, numKeyValueHeads, headDim];
      kernelsFor(instance, format).store(keyRows, stride, valueRows, stride, t, ...target);
    }
  }

  /**
   * Rows of queries, the first of which sees `count` positions; heads of the given range of
   * key-value heads, all others stay NaN.
   */
  attention(
    queries = this.#input.query,
    count = this.#input.count,
    [firstHead, endHead] = [0, this.#input.shape.numKeyValueHeads],
  ): Float32Array[] {
    const { headDim, numKeyValueHeads, numHeads } = this.#input.shape;
    const width = numHeads * headDim;
    const stride = Math.ceil((width + 1) / 16) * 16;
    const rows = queries.length / width;
    const groupSize = numHeads / numKeyValueHeads;
    const query = this.#instance.place(queries, width, stride);
    const out = this.#instance.reserve(rows * stride * 4);
    const bytes = attentionScratchBytes(this.#format, {
      headDim,
      groupSize,
      heads: endHead - firstHead,
      rows,
    });
    const scratch = this.#instance.reserve(bytes);
    kernelsFor(this.#instance, this.#format).attend(
      ...[out, query, stride, rows, this.pages, this.base, this.pageBytes, count],
      ...[firstHead, endHead, numKeyValueHeads],
      ...[groupSize, headDim, fround(1 / Math.sqrt(headDim)), scratch],
    );
    this.#expectNothingAfter(scratch + bytes);
    const row = (r: number) =>
      this.#instance.floats(out, rows * stride).slice(r * stride, (r + 1) * stride);
    return Array.from({ length: rows }, (_, r) => {
      const gap = endHead === numKeyValueHeads ? 0 : NaN; // who computes the last head clears it
      expect(
        row(r)
          .subarray(width)
          .every(x => Object.is(x, gap)),
      ).toBe(true);
      return row(r).subarray(0, width);
    });
  }

  #expectNothingAfter(end: number): void {
    // `reserve` leaves as much
    const after = this.#instance.bytes(end, Math.ceil(end / 64) * 64 + 64 - end);
    expect(
      after.every(byte => byte === 0xff),
      'what follows the scratch',
    ).toBe(true);
  }
}

function run(instance: Instance, format: CacheFormat, input: Case, order?: number[]): Float32Array {
  return new Cache(instance, format, input, order).attention()[0];
}

const inOrder = (count: number) => Array.from({ length: Math.ceil(count / PAGE) }, (_, i) => i);

/**
 * Against the formula with the numbers that the cache holds. Scores below 10 in 128 roundings of at
 * most 2⁻²² each, seldom of one sign; values below
 * 1. Q8: the query and the weights are rounded too, to 1/65534 of the largest beside them.
 */
const KERNEL_ERROR = { f32: 3e-6, f16: 3e-6, q8: 3e-4 };
/**
 * Against the formula with the numbers as they were. f16: off by 2⁻¹¹ of each at most. q8: by 1/254
 * of the largest in its block.
 */
const FORMAT_ERROR = { f32: 3e-6, f16: 1.5e-3, q8: 2.5e-2 };

describeBuilds('attention', instance => {
  describe.each(FORMATS)('with a cache of %s', format => {
    describe.each([1, 63, 64, 65, 127, 260, 500])('of %i positions', count => {
      it.each([2, 3, 12, 22, 24, 64, 80, 128])('and heads of %i', headDim => {
        for (const [groupSize, numKeyValueHeads] of [
          [1, 3],
          [2, 2],
          [3, 2],
          [8, 1],
        ]) {
          const input = randomCase(headDim, groupSize, numKeyValueHeads, count);
          const got = run(instance, format, input, inOrder(count).reverse());
          expect(got, 'the documented steps, bit for bit').toEqual(stepByStep(format, input));
          const held = largestDifference(got, exactly(rounded(format, input)));
          expect(held, 'the formula with the numbers in the cache').toBeLessThan(
            KERNEL_ERROR[format],
          );
          expect(largestDifference(got, exactly(input)), 'the formula').toBeLessThan(
            FORMAT_ERROR[format],
          );
        }
      });
    });

    it('takes the documented steps in any shape, for rows at once as for each alone', () => {
      const count = fc.integer({ min: 1, max: 200 });
      const small = fc.integer({ min: 1, max: 4 });
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 70 }),
          small,
          small,
          count,
          count,
          (headDim, groupSize, heads, count, rows) => {
            const input = randomCase(headDim, groupSize, heads, count + rows - 1);
            const width = headDim * groupSize * heads;
            const queries = Float32Array.from(noise(rows * width, rows), v => v * 4);
            const got = new Cache(
              instance,
              format,
              input,
              inOrder(input.count).reverse(),
            ).attention(queries, count);
            for (const r of new Set([0, 1, rows >> 1, rows - 1]).values()) {
              if (r >= rows) continue;
              const query = queries.subarray(r * width, (r + 1) * width);
              expect(got[r]).toEqual(stepByStep(format, { ...input, query, count: count + r }));
            }
          },
        ),
        {
          numRuns: 30,
          examples: [
            [22, 3, 2, 60, 5],
            [22, 1, 2, 63, 3],
            [6, 1, 1, 64, 2],
            [8, 1, 3, 65, 130],
          ],
        },
      );
    });

    it('gives the same bits wherever its pages are, beyond 2 GiB too', () => {
      const input = randomCase(24, 2, 2, 200);
      const expected = run(instance, format, input);
      expect(run(instance, format, input, [5, 0, 9, 2])).toEqual(expected);
      const base = 2 ** 31 - 50_000;
      const missing = (2 ** 31 + 2 ** 20 - instance.memory.buffer.byteLength) / 65_536;
      if (missing > 0) instance.memory.grow(missing);
      expect(new Cache(instance, format, input, [1, 0, 9, 2], base).attention()[0]).toEqual(
        expected,
      );
    });

    it('never sees what the pages hold after the last position, nor writes other heads', () => {
      const input = randomCase(22, 3, 3, 70);
      const cache = new Cache(instance, format, input);
      const [expected] = cache.attention();
      for (const count of [1, 2, 3, 4, 5, 33, 64, 66, 69]) {
        expect(cache.attention(input.query, count)[0]).toEqual(
          stepByStep(format, { ...input, count }),
        );
      }
      const [middle] = cache.attention(input.query, input.count, [1, 2]);
      expect(middle.subarray(66, 132)).toEqual(expected.subarray(66, 132));
      expect([...middle.subarray(0, 66), ...middle.subarray(132)].every(Number.isNaN)).toBe(true);
    });

    it('takes scores of any size: all −200, all 1000, one far above, falling, rising', () => {
      const headDim = 4;
      const scoresOf = [
        (_: number) => -200,
        (_: number) => 1000,
        (t: number) => (t === 77 ? 1000 : 0),
        (t: number) => -t,
        (t: number) => 3 * t,
        (t: number) => -400 * t,
      ];
      for (const score of scoresOf) {
        const base = randomCase(headDim, 1, 1, 150);
        const keys = new Float32Array(base.keys.length);
        for (let t = 0; t < base.count; t++) keys[t * headDim] = score(t);
        const input = { ...base, keys, query: Float32Array.of(2, 0, 0, 0) }; // 2 · score · 1/√4
        const got = run(instance, format, input);
        expect(got).toEqual(stepByStep(format, input));
        expect(largestDifference(got, exactly(rounded(format, input)))).toBeLessThan(
          KERNEL_ERROR[format],
        );
      }
    });

    it('is 0 where every score is −Infinity, and NaN where a score is NaN', () => {
      const base = randomCase(4, 1, 1, 70);
      const minus = {
        ...base,
        query: Float32Array.of(3e38, 0, 0, 0),
        keys: base.keys.map(() => -6e4),
      };
      expect([...run(instance, format, minus)]).toEqual([0, 0, 0, 0]);
      const query = Float32Array.of(1, NaN, 1, 1);
      expect([...run(instance, format, { ...base, query })]).toEqual([NaN, NaN, NaN, NaN]);
    });
  });

  it.each(['f32', 'q8'] as const)('shows a NaN among keys or values held as %s', format => {
    const base = randomCase(40, 1, 1, 70);
    const keys = base.keys.with(40 * 5 + 1, NaN);
    expect(run(instance, format, { ...base, keys }).every(Number.isNaN)).toBe(true);
    const values = base.values.with(40 * 69 + 1, NaN);
    expect(run(instance, format, { ...base, values })[1]).toBeNaN();
  });

  it('makes an Infinity among keys or values NaN in q8', () => {
    const base = randomCase(40, 1, 1, 70);
    const keys = base.keys.with(40 * 5 + 1, -Infinity);
    expect(run(instance, 'q8', { ...base, keys }).every(Number.isNaN)).toBe(true);
    const values = base.values.with(40 * 69 + 1, Infinity);
    expect(run(instance, 'q8', { ...base, values }).every(Number.isNaN)).toBe(true);
  });

  it('multiplies f16 keys with queries of 65,536 and more, alone as among many', () => {
    const input = randomCase(6, 1, 1, 70);
    const queries = Float32Array.from({ length: 4 * 6 }, (_, i) => (i % 6 === 0 ? 1e6 : 1e-3));
    const many = new Cache(instance, 'f16', input).attention(queries, 67);
    for (const [r, row] of many.entries()) {
      const query = queries.subarray(r * 6, r * 6 + 6);
      const alone = new Cache(instance, 'f16', input).attention(query, 67 + r)[0];
      expect(row).toEqual(alone);
      expect(row).toEqual(stepByStep('f16', { ...input, query, count: 67 + r }));
    }
  });
});

describeBuilds('storeKeyValue', instance => {
  const [headDim, heads, slot, stride] = [39, 3, 37, 128];

  /** The page after a row was stored, and the row: keys and values [K·d]. */
  function page(format: CacheFormat) {
    instance.reset();
    const rows = [1, 2].map(seed => Float32Array.from(noise(2 * heads * headDim, seed)));
    const [keys, values] = rows.map(row => instance.place(row, heads * headDim, stride));
    const bytes = heads * headPageBytes(format, headDim);
    const pointer = instance.reserve(bytes);
    kernelsFor(instance, format).store(
      keys,
      stride,
      values,
      stride,
      1,
      pointer,
      slot,
      heads,
      headDim,
    );
    const [key, value] = rows.map(row => row.subarray(heads * headDim));
    return { content: new DataView(instance.bytes(pointer, bytes).slice().buffer), key, value };
  }

  /** A page that nobody has touched. */
  const untouched = (format: CacheFormat) =>
    new DataView(new Uint8Array(heads * headPageBytes(format, headDim)).fill(0xff).buffer);

  /** Of lane 0 … 15 in a step of f16: 0 8 1 9 2 10 … */
  const interleaved = (lane: number) => 2 * (lane & 7) + (lane >> 3);

  it.each(['f32', 'f16'] as const)(
    'puts a position of %s where asm/key-value.ts says, and touches nothing else',
    format => {
      const { content, key, value } = page(format);
      const expected = untouched(format);
      const size = format === 'f32' ? 4 : 2;
      for (let h = 0; h < heads; h++) {
        for (let i = 0; i < headDim; i++) {
          const put = (step: number, lane: number, x: number) => {
            const head = h * PAGE * (39 + 48);
            if (format === 'f32') expected.setFloat32((head + step * 16 + lane) * 4, x, true);
            else expected.setUint16((head + step * 16 + interleaved(lane)) * 2, toF16Bits(x), true);
          };
          put(2 * 39 + i, 5, key[h * headDim + i]); // slot 37 = 2 · 16 + 5
          put(4 * 39 + 64 * Math.floor(i / 16) + 37, i % 16, value[h * headDim + i]);
        }
      }
      expect(content.byteLength).toBe(heads * PAGE * (39 + 48) * size);
      expect(content).toEqual(expected);
    },
  );

  it('puts a position of q8 where asm/key-value.ts says, and touches nothing else', () => {
    const { content, key, value } = page('q8');
    const expected = untouched('q8');
    const [keyBytes, valueBytes] = [4 * (2 * 64 + 16 * 40), 256 + 64 * 48];
    const put = (scaleAt: number, integers: (i: number) => number, x: Float32Array) => {
      const largest = Math.max(...x.map(Math.abs));
      expected.setFloat32(scaleAt, fround(largest / 127), true);
      x.forEach((v, i) => {
        expected.setInt8(integers(i), Math.round(fround(v * fround(127 / largest))));
      });
    };
    for (let h = 0; h < heads; h++) {
      const numbers = (x: Float32Array, from: number, to: number) =>
        x.subarray(h * headDim + from, h * headDim + to);
      const keys = h * (keyBytes + valueBytes) + 2 * (2 * 64 + 16 * 40); // of slots 32 … 47
      const at = (i: number) => keys + 2 * 64 + (Math.floor(i / 4) * 16 + 5) * 4 + (i % 4);
      put(keys + 5 * 4, at, numbers(key, 0, 32));
      put(keys + 64 + 5 * 4, i => at(32 + i), numbers(key, 32, headDim));
      const values = h * (keyBytes + valueBytes) + keyBytes;
      const column = (i: number) => values + 256 + 64 * 16 * Math.floor(i / 16);
      put(
        values + 37 * 4,
        i => column(i) + (9 * 16 + (i % 16)) * 4 + 1,
        numbers(value, 0, headDim),
      ); // slot 37 = 4 · 9 + 1
    }
    expect(content.byteLength).toBe(heads * (keyBytes + valueBytes));
    expect(content).toEqual(expected);
  });

  it('rounds to every f16, from just below and above each middle, and ties to even', () => {
    const [float, bits] = [new Float32Array(1), new Uint32Array(1)];
    const beside = (x: number, steps: number) => {
      float[0] = x;
      bits[0] = new Uint32Array(float.buffer)[0] + steps;
      return new Float32Array(bits.buffer)[0];
    };
    const numbers: number[] = [];
    for (let half = 0; half < 0x7bff; half++) {
      const [x, next] = [f16ToF32(half), f16ToF32(half + 1)];
      const middle = (x + next) / 2;
      numbers.push(x, beside(middle, -1), middle, beside(middle, 1));
    }
    numbers.push(65504, beside(65520, -1));
    const signed = numbers.concat(numbers.map(x => -x));
    const [width, head] = [1024, 64]; // of heads, and numbers in each
    for (let start = 0; start < signed.length; start += width * head) {
      instance.reset();
      const row = Float32Array.from({ length: width * head }, (_, i) => signed[start + i] ?? 0);
      const pointer = instance.place(row, width * head, width * head);
      const to = instance.reserve(width * headPageBytes('f16', head));
      const stride = width * head;
      const count = instance.kernels.storeKeyValueF16(
        pointer,
        stride,
        pointer,
        stride,
        0,
        to,
        0,
        width,
        head,
      );
      expect(count).toBe(0);
      const got = new Uint16Array(
        instance.memory.buffer,
        to,
        (width * headPageBytes('f16', head)) / 2,
      );
      const stored = row.map(
        (_, i) => got[Math.floor(i / head) * PAGE * 2 * head + (i % head) * 16],
      );
      expect(Array.from(stored)).toEqual(Array.from(row, toF16Bits));
    }
  });

  it('counts what no f16 is near: 65,520 and more, Infinity, NaN', () => {
    instance.reset();
    const row = Float32Array.of(
      65519.996,
      65520,
      -65519.996,
      -65520,
      Infinity,
      -Infinity,
      NaN,
      1e30,
    );
    const pointer = instance.place(row, 8, 16);
    const to = instance.reserve(2 * headPageBytes('f16', 4));
    expect(instance.kernels.storeKeyValueF16(pointer, 16, pointer, 16, 0, to, 0, 2, 4)).toBe(12);
  });
});

describe('attentionScratchBytes', () => {
  it('is four queries’ scores, a page, and of each query sum, maximum, total and copy', () => {
    const shape = { headDim: 128, groupSize: 4, heads: 2, rows: 3 };
    const page = 4 * 256 + 128 + 256;
    expect(attentionScratchBytes('f32', shape)).toBe(page + 24 * (512 + 8));
    expect(attentionScratchBytes('f16', shape)).toBe(page + 64 * 2 * 512 + 24 * (512 + 8 + 512));
    expect(attentionScratchBytes('q8', shape)).toBe(page + 24 * (512 + 8 + 256 + 16));
    const odd = { headDim: 23, groupSize: 1, heads: 1, rows: 1 };
    expect(attentionScratchBytes('q8', odd)).toBe(page + 128 + 8 + 48 + 4);
  });
});
