/**
 * Packing, number for number: the layouts of asm/README.md, the roundings of `half.ts`, the plain
 * quantizers of `block-formats.ts`.
 */
import { expect, it } from 'vitest';
import {
  bf16ToF32,
  f16ToF32,
  roundToBF16,
  roundToF16,
  toBF16Bits,
  toF16Bits,
} from '../../src/base/half.js';
import { blocksOf, tileBytes } from '../../src/engines/wasm/memory/weight-formats.js';
import { float32, noise } from '../support/tensors.js';
import { dequantizeRow, quantizeRow } from './block-formats.js';
import { describeBuilds } from './instance.js';
import { blockAt, FORMATS, numbersOfRow, pack, storedHalf, unpack } from './packed.js';

const SIZES = [1, 2, 3, 24, 31, 32, 33, 96, 127, 257, 512];
const COUNTS = [1, 3, 4, 5, 15, 16, 17];
const ROUND = { f32: Math.fround, bf16: roundToBF16, f16: roundToF16 } as const;

/** Every size with every count of rows. */
const shapes = SIZES.flatMap(m => COUNTS.map(n => ({ m, n })));

describeBuilds('packing', instance => {
  it.each(['f32', 'bf16', 'f16'] as const)(
    '%s: every number at its place, rounded to nearest even; 0 beyond',
    format => {
      for (const { m, n } of shapes) {
        instance.reset();
        const w = float32(n * m, m + n);
        const packed = pack(instance, format, w, m);
        const rows = Math.ceil(n / 16) * 16;
        const width = m + (m & 1);
        for (let r = 0; r < rows; r++) {
          const row = r < n ? [...w.subarray(r * m, (r + 1) * m)] : [];
          const wanted = Array.from({ length: width }, (_, k) => ROUND[format](row[k] ?? 0));
          expect(numbersOfRow(packed, r, width)).toEqual(wanted);
        }
        expect(packed.bytes.byteLength).toBe((rows / 16) * tileBytes(format, m));
      }
    },
  );

  it.each(['q8_0', 'q4_0'] as const)(
    '%s: scales and quants are those of the reference quantizer',
    format => {
      for (const { m, n } of shapes) {
        instance.reset();
        const w = float32(n * m, m + n);
        const packed = pack(instance, format, w, m);
        for (let r = 0; r < Math.ceil(n / 16) * 16; r++) {
          const wanted = quantizeRow(
            format,
            r < n ? w.subarray(r * m, (r + 1) * m) : new Float32Array(m),
          );
          wanted.forEach((block, b) => {
            const got = blockAt(packed, r, b);
            expect(got.scale).toBe(block.scale);
            // −0 is no quant
            expect(got.quants.map(q => q + 0)).toEqual(block.quants.map(q => q + 0));
          });
        }
      }
    },
  );

  it.each(['q8_0', 'q4_0'] as const)(
    '%s: ties, tiny blocks, equal maxima of both signs, zeros',
    format => {
      const ramp = (scale: number) => Array.from({ length: 32 }, (_, i) => (i - 16) * scale);
      const blocks = [
        [127, 0.5, -0.5, 1.5, -1.5, 0.49999997, -0.49999997, 126.5, -126.5, ...ramp(0.25).slice(9)],
        [-8, 8, 0.5, -0.5, 1.5, -1.5, 7.5, -7.5, 7.4999995, ...ramp(0.5).slice(9)],
        [8, -8, ...ramp(0.5).slice(2)],
        ramp(1e-3),
        ramp(1e-6), // scales are subnormal f16
        ramp(3e-8), // q4_0: to the least of them
        ramp(1e-12), // the scale is 0
        ramp(0),
        ramp(-0),
        ramp(-50),
      ];
      const w = Float32Array.from(blocks.flat());
      instance.reset();
      const packed = pack(instance, format, w, w.length);
      quantizeRow(format, w).forEach((block, b) => {
        const got = blockAt(packed, 0, b);
        expect([b, got.scale, got.quants]).toEqual([b, block.scale, block.quants.map(q => q + 0)]);
      });
    },
  );

  it.each(['q8_0', 'q4_0'] as const)(
    '%s: numbers that came from such blocks give the same blocks',
    format => {
      const m = 512;
      const w = noise(16 * m, 9).map((v, i) => v * 2 ** -(i % 7));
      const decoded = new Float32Array(16 * m);
      for (let r = 0; r < 16; r++) {
        decoded.set(dequantizeRow(quantizeRow(format, w.subarray(r * m, (r + 1) * m)), m), r * m);
      }
      instance.reset();
      const packed = pack(instance, format, decoded, m);
      expect(unpack(packed, 16).map(v => v + 0)).toEqual(Float64Array.from(decoded, v => v + 0));
    },
  );

  it('f16: every f16 below 128 is kept, and every one of the others counted', () => {
    const all = Float32Array.from({ length: 65_536 }, (_, bits) => f16ToF32(bits));
    instance.reset();
    const packed = pack(instance, 'f16', all, 4096);
    const got = unpack(packed, 16);
    const storable = [...all.keys()].filter(i => Math.abs(all[i]) < 128);
    expect(packed.unstorable).toBe(all.length - storable.length);
    expect(storable.filter(i => !Object.is(got[i], all[i]))).toEqual([]);
  });

  it('f16: what rounds to 128 counts as too large, what rounds to 127.9375 does not', () => {
    const { unstorable } = pack(instance, 'f16', [127.96875, -127.96875, 127.96874, 128], 4);
    expect(unstorable).toBe(3);
  });

  it('q8_0, q4_0: scales of 128 and more are counted', () => {
    const row = [127 * 128, ...Array(31).fill(1), 127 * 127.9, ...Array(31).fill(1)];
    expect(pack(instance, 'q8_0', row, 64).unstorable).toBe(1);
    expect(
      pack(
        instance,
        'q4_0',
        row.map(x => (x * 8) / 127),
        64,
      ).unstorable,
    ).toBe(1);
  });

  it('f16, bf16: ties, subnormals, and the borders between binades', () => {
    const edges = [];
    for (let e = -26; e < 7; e++) {
      for (const x of [
        1,
        1 + 2 ** -11,
        1 + 3 * 2 ** -11,
        2 - 2 ** -11,
        2 - 2 ** -12,
        1 + 2 ** -8,
        2 - 2 ** -9,
        1.5,
      ]) {
        if (x * 2 ** e < 127.96)
          edges.push(x * 2 ** e, -x * 2 ** e, Math.fround(x * 2 ** e * (1 + 2 ** -23)));
      }
    }
    for (const format of ['f16', 'bf16'] as const) {
      instance.reset();
      const packed = pack(instance, format, edges, edges.length);
      expect(packed.unstorable).toBe(0);
      expect(numbersOfRow(packed, 0, edges.length)).toEqual(edges.map(x => ROUND[format](x)));
    }
  });

  it('bf16: NaN and Infinity stay what they are', () => {
    const x = [NaN, Infinity, -Infinity, 3.4e38];
    instance.reset();
    const packed = pack(instance, 'bf16', x, 4);
    expect(numbersOfRow(packed, 0, 4)).toEqual(x.map(roundToBF16));
  });

  it.each(['q8_0', 'q4_0'] as const)(
    '%s: a block with NaN or Infinity is counted, wherever in it that is',
    format => {
      for (const bad of [NaN, Infinity, -Infinity]) {
        for (const at of [0, 5, 31]) {
          const row = [...float32(64, at)];
          row[at] = bad;
          instance.reset();
          expect(pack(instance, format, [...row, ...float32(64, 9)], 64).unstorable).toBe(1);
        }
      }
    },
  );

  it.each([
    ['bf16', toBF16Bits],
    ['f16', toF16Bits],
  ] as const)(
    '%s: rows that are 16-bit already give the same tile as float32',
    (format, toBits) => {
      for (const { m, n } of shapes.filter(({ n }) => n <= 16)) {
        const w = float32(n * m, m + n);
        instance.reset();
        const { pointer } = pack(instance, format, w, m);
        const wanted = [...instance.bytes(pointer, tileBytes(format, m))];
        const { kernels } = instance;
        const rows = instance.reserve(w.length * 2);
        new Uint16Array(instance.memory.buffer, rows, w.length).set(Uint16Array.from(w, toBits));
        if (format === 'f16') expect(kernels.rebiasF16(rows, rows, w.length)).toBe(0);
        const tile = instance.reserve(tileBytes(format, m));
        kernels.packPairs(tile, rows, m, m, n);
        expect([...instance.bytes(tile, tileBytes(format, m))]).toEqual(wanted);
      }
    },
  );

  it('leaves the bytes around a tile alone', () => {
    for (const format of FORMATS) {
      instance.reset();
      const { pointer, bytes } = pack(instance, format, float32(16 * 33, 1), 33);
      const around = [
        ...instance.bytes(pointer - 64, 64),
        ...instance.bytes(pointer + bytes.byteLength, 64),
      ];
      expect(new Set(around)).toEqual(new Set([0xff]));
    }
  });
});

describeBuilds('widening', instance => {
  it.each([
    ['widenF16', f16ToF32],
    ['widenBF16', bf16ToF32],
  ] as const)('%s is exact for all 65,536 bit patterns', (name, widen) => {
    instance.reset();
    const from = instance.reserve(65_536 * 2);
    new Uint16Array(instance.memory.buffer, from, 65_536).set(
      Uint16Array.from({ length: 65_536 }, (_, bits) => bits),
    );
    const to = instance.reserve(65_536 * 4);
    instance.kernels[name](to, from, 65_536);
    const got = instance.floats(to, 65_536);
    for (let bits = 0; bits < 65_536; bits++) {
      if (!Object.is(got[bits], widen(bits))) throw new Error(`${bits.toString(16)}: ${got[bits]}`);
    }
  });

  it('rebiasF16 keeps every f16 below 128, and counts all others', () => {
    instance.reset();
    const from = instance.reserve(65_536 * 2);
    new Uint16Array(instance.memory.buffer, from, 65_536).set(
      Uint16Array.from({ length: 65_536 }, (_, bits) => bits),
    );
    const to = instance.reserve(65_536 * 2);
    const unstorable = instance.kernels.rebiasF16(to, from, 65_536);
    const got = new Uint16Array(instance.memory.buffer, to, 65_536);
    let counted = 0;
    for (let bits = 0; bits < 65_536; bits++) {
      if (!(Math.abs(f16ToF32(bits)) < 128)) counted++;
      else if (!Object.is(storedHalf(got[bits]), f16ToF32(bits)))
        throw new Error(`${bits.toString(16)}: ${got[bits]}`);
    }
    expect(unstorable).toBe(counted);
  });

  it.each(['rebiasF16', 'widenF16', 'widenBF16'] as const)(
    '%s does not look at what lies beyond the end',
    name => {
      for (let count = 1; count < 18; count++) {
        instance.reset();
        const from = instance.reserve(count * 2);
        new Uint16Array(instance.memory.buffer, from, count).fill(0x3c00);
        const to = instance.reserve(32 * 4);
        expect(instance.kernels[name](to, from, count) ?? 0).toBe(0);
        const end = to + Math.ceil(count / 8) * (name === 'rebiasF16' ? 16 : 32);
        const written = to + count * (name === 'rebiasF16' ? 2 : 4);
        expect(new Set(instance.bytes(written, end - written))).toEqual(
          new Set(end === written ? [] : [0]),
        );
        expect(new Set(instance.bytes(end, 16))).toEqual(new Set([0xff]));
      }
    },
  );

  it('widens any number of them', () => {
    for (let count = 1; count < 10; count++) {
      instance.reset();
      const from = instance.reserve(count * 2);
      new Uint16Array(instance.memory.buffer, from, count).fill(0x3c00);
      const to = instance.reserve(count * 4 + 12);
      instance.kernels.widenF16(to, from, count);
      expect([...instance.floats(to, count)]).toEqual(Array(count).fill(1));
    }
  });
});

it('sizes: a block of q8_0 takes 34 bytes a row, one of q4_0 18, as in llama.cpp', () => {
  expect(blocksOf(4096)).toBe(128);
  expect(tileBytes('q8_0', 4096)).toBe(16 * 128 * 34);
  expect(tileBytes('q4_0', 4096)).toBe(16 * 128 * 18);
  expect(tileBytes('q8_0', 33)).toBe(4 * 272);
  expect(tileBytes('f16', 33)).toBe(16 * 34 * 2);
});
