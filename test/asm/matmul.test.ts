/**
 * The linear layers against `src/ops/matmul.ts` in float64, on the weights as they are packed.
 *
 * Error bounds are relative to Σ|w·x|, the only measure that cancellation cannot spoil. Per format,
 * and why:
 *   f32, bf16, f16 2^−24 for each of at most 1 + 1 + 128 + m/256 roundings, if all went the same
 *   way q8_0 2^−14 of the largest x of a block for each x, and 3 roundings a block q4_0 2^−8 of the
 *   largest x of a block for each x, and 3 roundings a block
 */
import { describe, expect, it } from 'vitest';
import { roundToBF16, roundToF16 } from '../../src/base/half.js';
import { canRun } from '../../src/engines/wasm/kernels/builds.js';
import { blocksOf, type WeightFormat } from '../../src/engines/wasm/memory/weight-formats.js';
import { matmul } from '../../src/ops/matmul.js';
import { ROUNDINGS } from '../../src/ops/rounding.js';
import { bits, float32, noise, tensor, zeros } from '../support/tensors.js';
import { BUILDS, describeBuilds, Instance } from './instance.js';
import { linear, type Options } from './linear.js';
import { FORMATS, type Packed, pack, setQuants, unpack } from './packed.js';

const SIZES = [1, 3, 24, 33, 96, 127, 257, 344, 512];
const ROWS = [1, 2, 3, 4, 5, 7, 13, 14, 33];

/**
 * A checkerboard through all sizes and numbers of rows, not the whole product: every pair of sizes,
 * every number of rows with every size.
 */
const shapes = SIZES.flatMap((m, i) =>
  SIZES.map((n, j) => ({ m, n, rows: ROWS[(i + 2 * j) % ROWS.length] })),
);

function exactly(x: ArrayLike<number>, w: ArrayLike<number>, m: number): Float64Array {
  const out = zeros(x.length / m, w.length / m);
  matmul(out, tensor([x.length / m, m], x), tensor([w.length / m, m], w), ROUNDINGS.f64);
  return out.data;
}

/** The most that an output can be off. */
function bounds(format: WeightFormat, x: Float32Array, w: Float64Array, m: number): Float64Array {
  const sizes = exactly(x.map(Math.abs), w.map(Math.abs), m);
  if (format !== 'q8_0' && format !== 'q4_0')
    return sizes.map(size => size * (130 + m / 256) * 2 ** -24);
  const step = format === 'q8_0' ? 2 ** -14 : 2 ** -8;
  const largest = new Float32Array(x.length); // of each number's block
  for (let row = 0; row < x.length; row += m) {
    for (let start = row; start < row + m; start += 32) {
      const end = Math.min(start + 32, row + m);
      largest.fill(Math.max(...x.subarray(start, end).map(Math.abs)), start, end);
    }
  }
  const steps = exactly(largest, w.map(Math.abs), m);
  return sizes.map((size, i) => steps[i] * step * 1.01 + size * (blocksOf(m) + 4) * 2 ** -23);
}

describeBuilds('matmul', instance => {
  /** The outputs without the padding. */
  function run(x: ArrayLike<number>, weights: Packed, n: number, options: Options = {}) {
    const { numbers } = linear(instance, x, weights, n, options);
    const padded = Math.ceil(n / 16) * 16;
    return numbers.filter((_, i) => i % padded < n);
  }

  describe.each(FORMATS)('%s', format => {
    it('is within its bound (see above) of float64, its RMS six times closer, in any size', () => {
      let squares = 0;
      let count = 0;
      for (const { m, n, rows } of shapes) {
        instance.reset();
        const x = float32(rows * m, m + n);
        const packed = pack(instance, format, float32(n * m, m * n), m);
        const got = run(x, packed, n);
        const w = unpack(packed, n);
        const wanted = exactly(x, w, m);
        const bound = bounds(format, x, w, m);
        got.forEach((y, i) => {
          const error = Math.abs(y - wanted[i]);
          if (!(error <= bound[i]))
            throw new Error(`m ${m}, n ${n}, rows ${rows}, output ${i}: ${y}, not ${wanted[i]}`);
          squares += bound[i] === 0 ? 0 : (error / bound[i]) ** 2;
          count++;
        });
      }
      expect(Math.sqrt(squares / count)).toBeLessThan(1 / 6);
    });

    it('is exact on integers', () => {
      for (const { m, n, rows } of shapes) {
        instance.reset();
        // The first number of a block makes the scales 1, with signs that keep the sums below 2^24.
        const first = { q8_0: [127, 8191], q4_0: [-8, 127] }[format as string] ?? [4, 4];
        const integers = (count: number, largest: number, seed: number) =>
          noise(count * m, seed).map((v, i) => {
            const block = (i % m) >> 5;
            return (i % m) % 32 === 0
              ? largest * (block % 2 && format === 'q8_0' ? -1 : 1)
              : Math.round(v * 7);
          });
        const x = integers(rows, first[1], 1).map((v, i) => (((i % m) >> 5) % 4 > 1 ? -v : v));
        const w = integers(n, first[0], 2);
        expect([...run(x, pack(instance, format, w, m), n)]).toEqual(
          [...exactly(x, w, m)].map(v => v + 0),
        );
      }
    });

    it('gives a row the same bits alone and among others', () => {
      for (const { m, n, rows } of shapes) {
        instance.reset();
        const x = float32(rows * m, m);
        const packed = pack(instance, format, float32(n * m, n), m);
        const together = run(x, packed, n);
        const alone = Array.from({ length: rows }, (_, r) => [
          ...bits(run(x.subarray(r * m, (r + 1) * m), packed, n)),
        ]);
        expect(bits(together)).toEqual(alone.flat());
      }
    });

    it('gives the same bits for any ranges of tiles', () => {
      for (const rows of [1, 5]) {
        instance.reset();
        const [m, n] = [257, 16 * 7 - 3];
        const x = float32(rows * m, 1);
        const packed = pack(instance, format, float32(n * m, 2), m);
        const whole = bits(run(x, packed, n));
        for (const tiles of [
          [
            [0, 1],
            [1, 7],
          ],
          [
            [5, 7],
            [3, 3],
            [0, 2],
            [4, 5],
            [2, 4],
          ],
        ] as const) {
          expect(bits(run(x, packed, n, { tiles }))).toEqual(whole);
        }
      }
    });

    it('reads no stale numbers, writes its outputs alone: all else is NaN, and stays it', () => {
      for (const rows of [1, 6]) {
        instance.reset();
        const [m, n] = [33, 48];
        const packed = pack(instance, format, float32(n * m, 2), m);
        const ran = linear(instance, float32(rows * m, 1), packed, n, {
          tiles: [[1, 2]],
        });
        const untouched = [...ran.numbers].map(Number.isNaN);
        expect(untouched).toEqual(untouched.map((_, i) => i % 48 < 16 || i % 48 >= 32));
        const around = [ran.pointer - 64, ran.pointer + rows * 48 * 4].flatMap(p => [
          ...instance.bytes(p, 64),
        ]);
        expect(new Set(around)).toEqual(new Set([0xff]));
      }
    });

    it('keeps a row of NaN or Infinity to itself', () => {
      instance.reset();
      const [m, n, rows] = [96, 16, 5];
      const x = float32(rows * m, 1);
      x[m + 40] = NaN;
      x[3 * m + 1] = Infinity;
      const out = run(x, pack(instance, format, float32(n * m, 2), m), n);
      const finite = [0, 1, 2, 3, 4].map(r =>
        [...out.subarray(r * n, (r + 1) * n)].map(Number.isFinite),
      );
      expect(finite.map(row => [...new Set(row)])).toEqual([
        [true],
        [false],
        [true],
        [false],
        [true],
      ]);
    });

    it('gives zeros for zeros, and for the outputs that fill up the last tile', () => {
      instance.reset();
      const packed = pack(instance, format, float32(3 * 40, 2), 40);
      expect([...run(new Float32Array(80), packed, 3)]).toEqual(Array(6).fill(0));
      expect([
        ...linear(instance, float32(80, 1), packed, 3).numbers.filter((_, i) => i % 16 > 2),
      ]).toEqual(Array(26).fill(0));
    });
  });

  describe.each(FORMATS.filter(format => format === 'q8_0' || format === 'q4_0'))('%s', format => {
    it('neither saturates nor wraps: quants −128 and ±127, or −8 and 7, against ±max|x|', () => {
      const quants = format === 'q8_0' ? [-128, -127, 127, 0] : [-8, 7, 0, -1];
      const m = 64;
      for (const rows of [1, 4]) {
        instance.reset();
        // Scales of 1: see 'is exact on integers'.
        const packed = pack(
          instance,
          format,
          Float32Array.from({ length: 16 * m }, (_, i) =>
            i % 32 ? 0 : format === 'q8_0' ? 127 : -8,
          ),
          m,
        );
        for (let r = 0; r < 16; r++) {
          for (const b of [0, 1]) {
            // Rows 0 … 3 all the same, the others alternate in pairs, as the products are added
            // in pairs.
            setQuants(
              packed,
              r,
              b,
              Array.from(
                { length: 32 },
                (_, i) => quants[(r + (r < 4 ? 0 : (i * (r >> 2)) >> 1)) % 4],
              ),
            );
          }
        }
        const largest = format === 'q8_0' ? 8191 : 127;
        const x = Float32Array.from({ length: rows * m }, (_, i) => {
          const row = Math.floor(i / m);
          return row === 0
            ? largest
            : row === 1
              ? -largest
              : row === 2 && (i & 3) < 2
                ? largest
                : -largest;
        });
        // a block's sum can have 25 bits
        const wanted = exactly(x, unpack(packed, 16), m).map(Math.fround);
        expect([...run(x, packed, 16)]).toEqual([...wanted].map(v => v + 0));
      }
    });
  });

  it.each(['bf16', 'f16'] as const)('%s: the same bits as with the same weights in f32', format => {
    const round = format === 'bf16' ? roundToBF16 : roundToF16;
    for (const rows of [1, 5]) {
      for (const size of [1, 2 ** -8, 2 ** -20]) {
        instance.reset();
        const [m, n] = [601, 32];
        // The smallest of these weights are subnormal f16s. Activations over 30 orders of
        // magnitude.
        const w = Float32Array.from(noise(n * m, 1), v => round(v * size));
        const x = Float32Array.from(noise(rows * m, 2), (v, i) => v * 10 ** ((i % 31) - 23));
        const half = run(x, pack(instance, format, w, m), n);
        expect(bits(half)).toEqual(bits(run(x, pack(instance, 'f32', w, m), n)));
      }
    }
  });

  it.each(['f32', 'bf16', 'f16'] as const)(
    '%s: adds up 256 numbers by themselves, so that small ones are not lost',
    format => {
      for (const rows of [1, 4]) {
        instance.reset();
        // 2^24 + 1 would be 2^24 again, 128 times.
        const x = Float32Array.from({ length: rows * 512 }, (_, i) =>
          i % 512 === 0 ? 2 ** 24 : i % 512 < 256 ? 0 : 0.5,
        );
        const ones = pack(instance, format, Array(512).fill(1), 512);
        expect([...run(x, ones, 1)]).toEqual(Array(rows).fill(2 ** 24 + 128));
      }
    },
  );

  it('works at the upper end of 4 GiB, where a pointer is negative as a signed number', () => {
    const high = new Instance(instance.build, 2 ** 32 - 2 ** 24);
    for (const format of FORMATS) {
      for (const rows of [1, 5]) {
        const [low, up] = [instance, high].map(place => {
          place.reset();
          const packed = pack(place, format, float32(20 * 65, 1), 65);
          return bits(linear(place, float32(rows * 65, 2), packed, 20).numbers);
        });
        expect(up).toEqual(low);
      }
    }
  });
});

const able = BUILDS.filter(canRun);

describe(`${able.map(build => `${build}.wasm`).join(', ')}`, () => {
  it.each(FORMATS)('%s: the same bits', format => {
    const instances = able.map(build => new Instance(build));
    for (const { m, n, rows } of shapes.filter((_, i) => i % 3 === 0)) {
      const [simd, ...others] = instances.map(instance => {
        instance.reset();
        const packed = pack(instance, format, float32(n * m, 2), m);
        return bits(linear(instance, float32(rows * m, 1), packed, n).numbers);
      });
      for (const other of others) expect(other).toEqual(simd);
    }
  });
});
