import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openGguf } from '../../../src/files/gguf/gguf.js';
import { type GgufMetadata, type GgufValue, plainValues } from '../../../src/files/gguf/values.js';
import { type GgufInput, ggufDataBytes, writeGguf } from '../../../src/files/gguf/writer.js';
import { memorySource } from '../../../src/files/source.js';
import { goldenPath } from '../../support/golden.js';
import { collect, expectRefused } from '../helpers.js';

const write = (metadata: Readonly<Record<string, GgufValue>>, tensors: readonly GgufInput[] = []) =>
  collect(writeGguf(new Map(Object.entries(metadata)), tensors));
const tensor = (
  name: string,
  shape: number[],
  bytes: number,
  dtype: GgufInput['dtype'] = 'F32',
): GgufInput => {
  return { name, dtype, shape, chunks: [new Uint8Array(bytes)] };
};

it.each(['mha-f32', 'long-blocks', 'tied-bf16-00001-of-00002', 'tied-bf16-00002-of-00002'])(
  'writes what it read from %s to the same bytes as gguf-py',
  async name => {
    const bytes = new Uint8Array(readFileSync(goldenPath(`gguf/${name}.gguf`)));
    const file = await openGguf(memorySource(bytes));
    const tensors = [...file.tensors.values()].map(({ name, dtype, shape }): GgufInput => {
      const chunks = (async function* () {
        yield await file.tensors.get(name)!.readBytes();
      })();
      return { name, dtype, shape, chunks };
    });
    const written = await collect(writeGguf(file.metadata, tensors));
    expect(written.length).toBe(bytes.length);
    expect(Buffer.compare(written, bytes)).toBe(0);
    const headerBytes = file.tensors.values().next().value!.offset;
    expect(ggufDataBytes(file.metadata, tensors)).toBe(bytes.length - headerBytes);
  },
);

describe('values', () => {
  const bits = { u8: 8, u16: 16, u32: 32, i8: 8, i16: 16, i32: 32 };
  const value = fc.oneof(
    ...(Object.keys(bits) as (keyof typeof bits)[]).map(type => {
      const [min, max] = type.startsWith('u')
        ? [0, 2 ** bits[type] - 1]
        : [-(2 ** (bits[type] - 1)), 2 ** (bits[type] - 1) - 1];
      const number = fc.integer({ min, max });
      return fc.oneof(
        number.map((x): GgufValue => ({ type, value: x })),
        fc.array(number).map((x): GgufValue => ({ type: 'array', of: type, value: x })),
      );
    }),
    fc.float().map((x): GgufValue => ({ type: 'f32', value: x })),
    fc.double().map((x): GgufValue => ({ type: 'f64', value: x })),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((x): GgufValue => ({ type: 'u64', value: x })),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((x): GgufValue => ({ type: 'i64', value: x })),
    fc.boolean().map((x): GgufValue => ({ type: 'bool', value: x })),
    fc.string({ unit: 'binary' }).map((x): GgufValue => ({ type: 'string', value: x })),
    fc
      .array(fc.string({ unit: 'binary' }))
      .map((x): GgufValue => ({ type: 'array', of: 'string', value: x })),
    fc.array(fc.nat(1)).map((x): GgufValue => ({ type: 'array', of: 'bool', value: x })),
    fc
      .array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
      .map((x): GgufValue => ({ type: 'array', of: 'u64', value: x })),
  );
  const plain = (metadata: GgufMetadata) =>
    [...metadata].map(([key, { value, ...type }]) => [
      key,
      type,
      typeof value === 'object' ? Array.from(value as string[]) : value,
    ]);

  it('are read as they were written, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.stringMatching(/^[a-z_.]{1,9}$/), value, { maxKeys: 9 }),
        async entries => {
          const { metadata } = await openGguf(memorySource(await write(entries)));
          expect(plain(metadata)).toEqual(plain(new Map(Object.entries(entries))));
        },
      ),
    );
  });

  it('of 200,000 texts', async () => {
    const words = Array.from({ length: 200_000 }, (_, i) => `w${i}`);
    const { metadata } = await openGguf(
      memorySource(await write({ words: { type: 'array', of: 'string', value: words } })),
    );
    expect(metadata.get('words')!.value).toHaveLength(200_000);
  });

  it('float32 numbers are the decimals they were', async () => {
    const numbers = [1e-5, 1e-6, 8, 3.7, 10000, 0.1, 1 / 3, 2 ** -149, 65504.5, NaN, Infinity];
    const entries = Object.fromEntries(
      numbers.map((x, i) => [`k${i}`, { type: 'f32', value: x } as const]),
    );
    const { metadata } = await openGguf(memorySource(await write(entries)));
    expect(Object.values(plainValues(metadata))).toEqual([
      ...numbers.slice(0, 6),
      0.33333334,
      1e-45,
      ...numbers.slice(8),
    ]);
  });
});

describe('refuses, before the first byte,', () => {
  it.each<[string, Record<string, GgufValue>, GgufInput[], string[]]>([
    [
      'a number of another type',
      { a: { type: 'u8', value: 256 } },
      [],
      ['cannot write a: 256 is not of type u8'],
    ],
    ['a fraction', { a: { type: 'i32', value: 0.5 } }, [], ['0.5 is not of type i32']],
    ['a big one', { a: { type: 'u64', value: -1n } }, [], ['-1 is not of type u64']],
    [
      'one in an array',
      { a: { type: 'array', of: 'i8', value: [1, 200] } },
      [],
      ['200 is not of type i8'],
    ],
    ['a truth value of 2', { a: { type: 'array', of: 'bool', value: [2] } }, [], ['truth value 2']],
    ['half a surrogate', { a: { type: 'string', value: '\ud800' } }, [], ['not Unicode']],
    ['a key that is not ASCII', { ä: { type: 'u8', value: 1 } }, [], ['cannot write this', '"ä"']],
    ['an alignment of 3', { 'general.alignment': { type: 'u32', value: 3 } }, [], ['power of two']],
    [
      'two tensors of a name',
      {},
      [tensor('a', [1], 4), tensor('a', [1], 4)],
      ['two tensors', '"a"'],
    ],
    ['a long name', {}, [tensor('a'.repeat(65), [1], 4)], ['65 bytes']],
    ['an empty shape', {}, [tensor('a', [], 4)], ['the shape [] is empty']],
    ['half a block', {}, [tensor('a', [2, 48], 102, 'Q8_0')], ['48']],
  ])('%s', async (_, metadata, tensors, words) => {
    const first = writeGguf(new Map(Object.entries(metadata)), tensors).next();
    await expectRefused(first, 'BAD_CHECKPOINT', ...words);
  });
});

it.each([3, 5])('refuses chunks of %i bytes for a tensor of 4', async bytes => {
  await expectRefused(
    write({}, [tensor('a', [1], bytes)]),
    'BAD_CHECKPOINT',
    'tensor "a": F32 [1] takes 4 bytes',
  );
});
