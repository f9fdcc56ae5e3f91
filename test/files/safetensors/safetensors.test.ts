import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Floats } from '../../../src/base/tensor.js';
import {
  DTYPE_BYTES,
  type DType,
  decode,
  encode,
  openSafetensors,
  type SafetensorsInput,
  writeSafetensors,
} from '../../../src/files/safetensors/safetensors.js';
import { memorySource } from '../../../src/files/source.js';
import { collect, expectRefused, fileOf, watched } from '../helpers.js';

const open = (bytes: Uint8Array) => openSafetensors(memorySource(bytes, 'the file'));
const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const F32 = (shape: number[], ...data_offsets: number[]) => ({ dtype: 'F32', shape, data_offsets });

/**
 * Written by the reference implementation: Python's safetensors 0.6.2, `serialize(…, {"format":
 * "pt"})`.
 */
const REFERENCE_HEADER =
  '{"__metadata__":{"format":"pt"},"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
  '"10":{"dtype":"F64","shape":[],"data_offsets":[8,16]},' +
  '"a.weight":{"dtype":"F32","shape":[3],"data_offsets":[16,28]},' +
  '"9":{"dtype":"BF16","shape":[1,1],"data_offsets":[28,30]},' +
  '"b.weight":{"dtype":"F16","shape":[2,2],"data_offsets":[30,38]},' +
  '"größe\\"\\n":{"dtype":"I8","shape":[1],"data_offsets":[38,39]},' +
  '"empty":{"dtype":"U8","shape":[0,5],"data_offsets":[39,39]},' +
  '"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[39,42]}}    ';
const REFERENCE_DATA = hex(
  `f9ffffffffffffff 182d4454fb210940 0000803f0000004000004040 803f 003c00c00038ff7b ff 010001`,
);
const REFERENCE_FILE = fileOf(REFERENCE_HEADER, REFERENCE_DATA);

describe("the reference implementation's file", () => {
  it('begins with its length', () => {
    expect(REFERENCE_FILE.subarray(0, 8)).toEqual(hex('0002000000000000'));
  });

  it('is read', async () => {
    const file = await open(REFERENCE_FILE);
    expect(Object.fromEntries(file.metadata)).toEqual({ format: 'pt' });
    expect([...file.tensors.keys()]).toEqual([
      'ids',
      '10',
      'a.weight',
      '9',
      'b.weight',
      'größe"\n',
      'empty',
      'mask',
    ]);
    expect(file.tensors.get('b.weight')).toMatchObject({
      name: 'b.weight',
      dtype: 'F16',
      shape: [2, 2],
      offset: 550,
      byteLength: 8,
    });
    expect(await file.tensors.get('b.weight')!.read()).toEqual(Float32Array.of(1, -2, 0.5, 65504));
    expect(await file.tensors.get('a.weight')!.read()).toEqual(Float32Array.of(1, 2, 3));
    expect(await file.tensors.get('10')!.read()).toEqual(Float64Array.of(Math.PI));
    expect(await file.tensors.get('9')!.read()).toEqual(Float32Array.of(1));
    expect(await file.tensors.get('empty')!.readBytes()).toEqual(new Uint8Array(0));
    expect(await file.tensors.get('mask')!.readBytes()).toEqual(Uint8Array.of(1, 0, 1));
    expect(await file.tensors.get('ids')!.readBytes()).toEqual(hex('f9ffffffffffffff'));
  });

  it('is what we write, byte for byte', async () => {
    const file = await open(REFERENCE_FILE);
    const inputs: SafetensorsInput[] = [];
    for (const tensor of file.tensors.values()) {
      const { name, dtype, shape } = tensor;
      inputs.unshift({ name, dtype, shape, chunks: [await tensor.readBytes()] });
    }
    expect(await collect(writeSafetensors(inputs, file.metadata))).toEqual(REFERENCE_FILE);
  });
});

it('reads ranges of rows, and no more bytes than they need', async () => {
  const bytes = encode(
    'BF16',
    Float32Array.from({ length: 24 }, (_, i) => i),
  );
  const filled = fileOf({ t: { dtype: 'BF16', shape: [4, 3, 2], data_offsets: [0, 48] } }, bytes);
  const counted = watched(filled);
  const tensor = (await openSafetensors(counted)).tensors.get('t')!;
  expect(counted.bytesRead).toBe(filled.length - 48);
  expect(await tensor.read(1, 2)).toEqual(Float32Array.from({ length: 12 }, (_, i) => i + 6));
  expect(counted.bytesRead).toBe(filled.length - 48 + 24);
  expect(await tensor.read(3)).toEqual(Float32Array.of(18, 19, 20, 21, 22, 23));
  expect(await tensor.read(4)).toEqual(new Float32Array(0));
  expect(await tensor.readBytes(0, 1)).toEqual(bytes.slice(0, 12));
  const target = new Uint8Array(new SharedArrayBuffer(30), 3, 24).fill(9);
  await tensor.readInto(target, 2, 2);
  expect([...target]).toEqual([...bytes.slice(24)]);
  await expect(tensor.readInto(target, 2, 1)).rejects.toThrow(
    '1 rows of tensor "t" are 12 bytes, not 24',
  );
  for (const [first, count] of [
    [-1, 1],
    [0, 5],
    [4, 1],
    [0.5, 1],
    [0, NaN],
    [0, -1],
    [5, undefined],
  ] as const) {
    await expect(tensor.read(first, count)).rejects.toThrow(RangeError);
    await expect(tensor.readBytes(first, count)).rejects.toThrow('"t" has 4 rows');
    await expect(tensor.readInto(target, first, count)).rejects.toThrow('"t" has 4 rows');
  }
});

it('reads a tensor of several pieces whole', async () => {
  const values = Float32Array.from({ length: 5_000_001 }, (_, i) => i % 2048);
  const bytes = await collect(
    writeSafetensors([
      { name: 't', dtype: 'F16', shape: [5_000_001], chunks: [encode('F16', values)] },
    ]),
  );
  const tensor = (await open(bytes)).tensors.get('t')!;
  expect(
    Buffer.compare(Buffer.from((await tensor.read()).buffer), Buffer.from(values.buffer)),
  ).toBe(0);
});

it('does not decode integers, and says what to do', async () => {
  const file = await open(fileOf({ t: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, 8));
  await expectRefused(file.tensors.get('t')!.read(), 'UNSUPPORTED', '"t"', 'I64', 'readBytes()');
});

describe('accepts', () => {
  it.each<[string, unknown, number, string[]]>([
    ['no tensors', '{}', 0, []],
    ['spaces after the header', '{}      ', 0, []],
    ['white space before the header', ' \t\r\n{}', 0, []],
    ['metadata null', { __metadata__: null, t: F32([1], 0, 4) }, 4, ['t']],
    ['no metadata', { t: F32([1], 0, 4) }, 4, ['t']],
    ['keys in another order', '{"t":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}', 4, ['t']],
    ['tensors in another order', { b: F32([1], 4, 8), a: F32([1], 0, 4) }, 8, ['a', 'b']],
    ['a scalar', { t: F32([], 0, 4) }, 4, ['t']],
    ['an empty tensor', { t: F32([0], 0, 0) }, 0, ['t']],
    [
      'empty tensors between others',
      { b: F32([1], 4, 8), z: F32([3, 0], 4, 4), a: F32([1], 0, 4) },
      8,
      ['a', 'z', 'b'],
    ],
    ['an empty one with a huge other side', { t: F32([0, 2 ** 52], 0, 0) }, 0, ['t']],
    ['the empty name', { '': F32([1], 0, 4) }, 4, ['']],
    [
      'prototype names',
      '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      ['__proto__'],
    ],
    ['toString', { toString: F32([1], 0, 4) }, 4, ['toString']],
  ])('%s', async (_, header, data, names) => {
    expect([...(await open(fileOf(header, data))).tensors.keys()]).toEqual(names);
  });

  it.each(Object.entries(DTYPE_BYTES))('dtype %s of %i bytes', async (dtype, size) => {
    const file = await open(
      fileOf({ t: { dtype, shape: [3], data_offsets: [0, 3 * size] } }, 3 * size),
    );
    expect(file.tensors.get('t')).toMatchObject({ dtype, byteLength: 3 * size });
  });
});

describe('refuses', () => {
  const t = F32([1], 0, 4);
  it.each<[string, Uint8Array, string[]]>([
    ['an empty file', new Uint8Array(0), ['0 bytes']],
    ['seven bytes', new Uint8Array(7), ['7 bytes']],
    ['an empty header', fileOf(''), ['{']],
    ['a header beyond the limit', fileOf('{}', 0, 100_000_001n), ['100000001', '100000000']],
    ['the largest length', fileOf('{}', 0, 2n ** 64n - 1n), ['18446744073709551615']],
    ['a header longer than the file', fileOf('{}', 0, 3n), ['header of 3 bytes', '10']],
    ['a header cut short', fileOf('{}', 0, 1n), ['not JSON']],
    [
      'another file',
      new Uint8Array(Buffer.from('GGUF\0\0\0\0 and so on')),
      ['is it a safetensors file?'],
    ],
    ['a header that does not begin with {', fileOf(' x{}'), ['{']],
    ['a byte order mark', fileOf('\ufeff{}'), ['{']],
    ['an array', fileOf('[]'), ['{']],
    [
      'bytes that are not UTF-8',
      fileOf('{"a":1}').map(byte => (byte === 97 ? 0xff : byte)),
      ['UTF-8'],
    ],
    ['text after the header', fileOf('{}x'), ['not JSON']],
    ['a header of zeros after {', fileOf('{}\0\0'), ['not JSON']],
    [
      'two tensors of one name',
      fileOf(`{"t":${JSON.stringify(t)},"t":${JSON.stringify(t)}}`, 4),
      ['"t"', 'twice'],
    ],
    [
      'two dtypes',
      fileOf('{"t":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', 4),
      ['"dtype"', 'twice'],
    ],
    ['deep nesting', fileOf(`{"t":${'['.repeat(1e6)}`), ['deeper than 32']],
    ['a tensor that is no object', fileOf({ t: [1] }), ['"t"', '[1]']],
    ['a tensor that is null', fileOf({ t: null }), ['"t"', 'null']],
    ['an unknown field', fileOf({ t: { ...t, scale: 2 } }, 4), ['"t"', '"scale"']],
    [
      'a __proto__ field',
      fileOf(`{"t":{"__proto__":${JSON.stringify(t)}}}`, 4),
      ['"t"', '"__proto__"'],
    ],
    [
      'no dtype',
      fileOf({ t: { shape: [1], data_offsets: [0, 4] } }, 4),
      ['"t"', 'dtype', 'undefined'],
    ],
    ['an unknown dtype', fileOf({ t: { ...t, dtype: 'F4' } }, 4), ['"t"', '"F4"', 'BF16']],
    ['a dtype of the prototype', fileOf({ t: { ...t, dtype: 'toString' } }, 4), ['"toString"']],
    ['a dtype that is a number', fileOf({ t: { ...t, dtype: 32 } }, 4), ['32']],
    ['no shape', fileOf({ t: { dtype: 'F32', data_offsets: [0, 4] } }, 4), ['"t"', 'shape']],
    ['a shape that is a number', fileOf({ t: { ...t, shape: 1 } }, 4), ['shape 1']],
    ['a negative size', fileOf({ t: { ...t, shape: [-1, -1] } }, 4), ['[-1,-1]']],
    ['negative zero', fileOf('{"t":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}'), ['shape']],
    ['a fraction', fileOf({ t: { ...t, shape: [0.5, 2] } }, 4), ['not written as an integer']],
    ['a size as text', fileOf({ t: { ...t, shape: ['1'] } }, 4), ['["1"]']],
    ['a size of 2^53', fileOf({ t: { ...t, shape: [2 ** 53] } }, 4), ['9007199254740992']],
    [
      'a size of 1e400',
      fileOf('{"t":{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}}', 4),
      ['not written as an integer'],
    ],
    [
      'a product beyond 2^53',
      fileOf({ t: { ...t, shape: [2 ** 30, 2 ** 30] } }, 4),
      ['2^53', '1073741824'],
    ],
    [
      'a product that would wrap to 4 in int64',
      fileOf({ t: { ...t, shape: [2 ** 32, 2 ** 32, 1] } }, 4),
      ['2^53'],
    ],
    ['a product beyond 2^53 times 0', fileOf({ t: F32([2 ** 52, 2 ** 52, 0], 0, 0) }), ['2^53']],
    ['no offsets', fileOf({ t: { dtype: 'F32', shape: [1] } }, 4), ['data_offsets']],
    ['one offset', fileOf({ t: F32([1], 0) }, 4), ['[0]']],
    ['three offsets', fileOf({ t: F32([1], 0, 4, 8) }, 8), ['[0,4,8]']],
    ['offsets backwards', fileOf({ t: F32([1], 4, 0) }, 4), ['[4,0]']],
    ['a negative offset', fileOf({ t: F32([1], -4, 0) }, 4), ['[-4,0]']],
    [
      'an offset that is a fraction',
      fileOf({ t: F32([1], 0.5, 4.5) }, 5),
      ['not written as an integer'],
    ],
    ['offsets of 2^63', fileOf({ t: F32([0], 2 ** 63, 2 ** 63) }), ['data_offsets']],
    ['fewer bytes than the shape', fileOf({ t: F32([2], 0, 4) }, 4), ['"t"', '8 bytes', '4']],
    ['more bytes than the shape', fileOf({ t: F32([1], 0, 8) }, 8), ['"t"', '4 bytes', '8']],
    ['a gap at the beginning', fileOf({ t: F32([1], 4, 8) }, 8), ['a gap', '"t"']],
    ['a gap in the middle', fileOf({ a: t, b: F32([1], 8, 12) }, 12), ['a gap', '"b"']],
    ['an overlap', fileOf({ a: F32([2], 0, 8), b: F32([1], 4, 8) }, 8), ['an overlap', '"b"']],
    ['the same bytes twice', fileOf({ a: t, b: t }, 4), ['an overlap']],
    [
      'an empty tensor inside another',
      fileOf({ a: t, b: F32([0], 2, 2) }, 4),
      ['an overlap', '"b"'],
    ],
    ['data cut short', fileOf({ t }, 3), ['the file has', 'fetch it again']],
    ['trailing bytes', fileOf({ t }, 5), ['1 bytes follow']],
    ['data without tensors', fileOf({}, 8), ['8 bytes follow']],
    ['metadata that is no object', fileOf({ __metadata__: 'pt' }), ['__metadata__', '"pt"']],
    ...['1.0', '1e0', '1E0', '10e-1'].map((size): [string, Uint8Array, string[]] => [
      `a size of ${size}, as the reference does`,
      fileOf(`{"t":{"dtype":"F32","shape":[${size}],"data_offsets":[0,4]}}`, 4),
      ['not written as an integer'],
    ]),
    [
      'more values than a million',
      fileOf(`{"__metadata__":{${Array.from({ length: 1_000_001 }, (_, i) => `"${i}":""`)}}}`),
      ['1000000 values'],
    ],
    ['metadata with a number', fileOf({ __metadata__: { step: 3 } }), ['"step"', '3']],
    ['a name that is not Unicode', fileOf(`{"\\ud800":${JSON.stringify(t)}}`, 4), ['Unicode']],
  ])('%s', async (_, bytes, words) => {
    const source = watched(bytes, 'the file');
    await expectRefused(openSafetensors(source), 'BAD_CHECKPOINT', 'the file', ...words);
    expect(source.closed).toBe(1);
  });
});

const dtypes = Object.keys(DTYPE_BYTES) as DType[];
const inputs = fc.uniqueArray(
  fc
    .record({
      name: fc.string({ unit: 'binary' }).filter(name => name !== '__metadata__'),
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.nat(4), { maxLength: 4 }),
    })
    .chain(tensor => {
      const size = tensor.shape.reduce(
        (product, side) => product * side,
        DTYPE_BYTES[tensor.dtype],
      );
      return fc
        .record({ data: fc.uint8Array({ minLength: size, maxLength: size }) })
        .map(({ data }) => ({ ...tensor, data }));
    }),
  { selector: tensor => tensor.name, maxLength: 12 },
);
const texts = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), {
  maxKeys: 4,
});

describe('what is written', () => {
  it('is read back the same, whatever the names, shapes, dtypes and chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        inputs,
        texts,
        fc.integer({ min: 1, max: 9 }),
        async (tensors, info, chunkSize) => {
          const bytes = await collect(
            writeSafetensors(
              tensors.map(tensor => ({ ...tensor, chunks: cut(tensor.data, chunkSize) })),
              new Map(Object.entries(info)),
            ),
          );
          const file = await open(bytes);
          expect(file.metadata).toEqual(new Map(Object.entries(info)));
          expect(file.tensors.size).toBe(tensors.length);
          for (const { name, dtype, shape, data } of tensors) {
            const tensor = file.tensors.get(name)!;
            expect(tensor).toMatchObject({ name, dtype, shape });
            expect(tensor.offset % DTYPE_BYTES[dtype]).toBe(0);
            expect(await tensor.readBytes()).toEqual(data);
          }
          const again = writeSafetensors(
            tensors.toReversed().map(tensor => ({ ...tensor, chunks: [tensor.data] })),
            new Map(Object.entries(info)),
          );
          expect(await collect(again)).toEqual(bytes);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('asks for the chunks of a tensor when it is its turn', async () => {
    const log: string[] = [];
    const lazily = (name: string) => ({
      name,
      dtype: 'U8' as const,
      shape: [2],
      chunks: (async function* () {
        log.push(name);
        yield Uint8Array.of(1, 2);
      })(),
    });
    for await (const chunk of writeSafetensors([lazily('b'), lazily('a')]))
      log.push(String(chunk.length));
    expect(log.slice(1)).toEqual(['a', '2', 'b', '2']);
  });

  it.each<[string, SafetensorsInput[], string[]]>([
    ['a name twice', [one('a'), one('b'), one('a')], ['"a"']],
    ['the name of the metadata', [one('__metadata__')], ['__metadata__']],
    ['a name that is not Unicode', [one('\udc00')], ['Unicode']],
    ['too few bytes', [{ ...one('a'), chunks: [new Uint8Array(3)] }], ['"a"', '4', '3']],
    [
      'too many bytes',
      [{ ...one('a'), chunks: [new Uint8Array(3), new Uint8Array(2), new Uint8Array(2)] }],
      ['"a"', '4', '5 or more'],
    ],
    ['a negative size', [{ ...one('a'), shape: [-1] }], ['[-1]']],
    ['an unknown dtype', [{ ...one('a'), dtype: 'F4' as DType }], ['F4']],
    ['more than 2^53 bytes', [{ ...one('a'), shape: [2 ** 52] }], ['2^53']],
    ['a header beyond the limit', [one('x'.repeat(100_000_000))], ['100000000']],
  ])('is refused: %s', async (_, tensors, words) => {
    await expectRefused(collect(writeSafetensors(tensors)), 'BAD_CHECKPOINT', ...words);
  });
});

it('encode and decode go together with it', async () => {
  const values: Floats = Float64Array.of(1, 1 / 3, 1e-7, -65504);
  const bytes = await collect(
    writeSafetensors([{ name: 'h', dtype: 'F16', shape: [4], chunks: [encode('F16', values)] }]),
  );
  const tensor = (await open(bytes)).tensors.get('h')!;
  expect(await tensor.read()).toEqual(decode('F16', await tensor.readBytes()));
});

function one(name: string): SafetensorsInput {
  return { name, dtype: 'F32', shape: [1], chunks: [new Uint8Array(4)] };
}

function cut(data: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(data.length / size) }, (_, i) =>
    data.subarray(i * size, (i + 1) * size),
  );
}
