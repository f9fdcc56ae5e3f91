import { describe, expect, it } from 'vitest';
import { q6_k } from '../../../src/files/blocks/q6-k.js';
import { bytesOf } from '../../../src/files/dtypes.js';
import { openGguf } from '../../../src/files/gguf/gguf.js';
import { type ByteSource, memorySource } from '../../../src/files/source.js';
import { expectRefused, watched } from '../helpers.js';
import {
  array,
  entry,
  f32,
  float,
  ggufOf,
  info,
  integer,
  type Parts,
  string,
  TYPE,
  text,
  u32,
  u64,
} from './build.js';

const F32 = 0;
const Q8_0 = 8;
const open = (parts: Parts) => openGguf(memorySource(ggufOf(parts), 'model.gguf'));
const refused = (parts: Parts, ...words: string[]) =>
  expectRefused(open(parts), 'BAD_CHECKPOINT', 'model.gguf', ...words);

const floats = (...numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer);

describe('reads', () => {
  it.each([2, 3])('version %i', async version => {
    const file = await open({
      version,
      entries: [text('general.name', 'x')],
      infos: [info('a', [2], F32, 0)],
      data: floats(1, 2),
    });
    expect(file.name).toBe('model.gguf');
    expect(file.metadata.get('general.name')).toEqual({ type: 'string', value: 'x' });
    expect(await file.tensors.get('a')!.read()).toEqual(Float32Array.of(1, 2));
  });

  it('values of all types', async () => {
    const { metadata } = await open({
      entries: [
        entry('u8', TYPE.u8, Buffer.of(255)),
        entry('i8', TYPE.i8, Buffer.of(255)),
        entry('u16', TYPE.u16, Buffer.of(255, 255)),
        entry('i16', TYPE.i16, Buffer.of(254, 255)),
        entry('u32', TYPE.u32, u32(2 ** 32 - 1)),
        entry('i32', TYPE.i32, u32(2 ** 32 - 3)),
        entry('f32', TYPE.f32, f32(1e-5)),
        entry('yes', TYPE.bool, Buffer.of(1)),
        entry('no', TYPE.bool, Buffer.of(0)),
        text('text', 'ä'),
        entry('u64', TYPE.u64, u64(2n ** 64n - 1n)),
        entry('i64', TYPE.i64, u64(2n ** 64n - 1n)),
        entry('f64', TYPE.f64, Buffer.from(Float64Array.of(0.1).buffer)),
        array('empty', TYPE.string, 0),
        array('texts', TYPE.string, 3, string('a'), string(''), string('\ufeff')),
        array('floats', TYPE.f32, 2, f32(1.5), f32(-2)),
        array('flags', TYPE.bool, 2, Buffer.of(1, 0)),
        array('longs', TYPE.i64, 1, u64(7)),
      ],
    });
    expect(Object.fromEntries([...metadata].map(([key, { value }]) => [key, value]))).toEqual({
      ...{
        u8: 255,
        i8: -1,
        u16: 65535,
        i16: -2,
        u32: 2 ** 32 - 1,
        i32: -3,
        f32: Math.fround(1e-5),
        yes: true,
        no: false,
      },
      ...{
        text: 'ä',
        u64: 2n ** 64n - 1n,
        i64: -1n,
        f64: 0.1,
        empty: [],
        texts: ['a', '', '\ufeff'],
      },
      floats: Float32Array.of(1.5, -2),
      flags: Uint8Array.of(1, 0),
      longs: BigInt64Array.of(7n),
    });
  });

  it('shapes outermost first, rows of blocks as numbers, and bytes as they are', async () => {
    const block = (d: number, q: number) => Buffer.from([0, d, ...new Array(32).fill(q)]);
    const data = Buffer.concat([
      block(0x3c, 1),
      block(0x40, 2),
      block(0x3c, 255),
      block(0x40, 254),
    ]); // scales 1 and 2
    const file = await open({ infos: [info('q', [64, 2], Q8_0, 0)], data });
    const tensor = file.tensors.get('q')!;
    expect(tensor).toMatchObject({ dtype: 'Q8_0', shape: [2, 64], byteLength: 136 });
    const row = (a: number, b: number) => [...new Array(32).fill(a), ...new Array(32).fill(b)];
    expect(await tensor.read()).toEqual(Float32Array.from([...row(1, 4), ...row(-1, -4)]));
    expect(await tensor.read(1, 1)).toEqual(Float32Array.from(row(-1, -4)));
    expect(await tensor.readBytes(1, 1)).toEqual(new Uint8Array(data.subarray(68)));
    await expect(tensor.read(1, 2)).rejects.toThrow(RangeError);
    await expect(tensor.readBytes(-1, 1)).rejects.toThrow(RangeError);
  });

  it('blocks that do not divide the pieces in which a file is read', async () => {
    const rows = 20_001; // of 210 bytes: more than the 4 MiB of a piece
    const data = Buffer.from(Uint8Array.from({ length: rows * 210 }, (_, i) => (i * 7919) >> 5));
    for (let row = 0; row < rows; row++) data.writeUInt16LE(0x3c00, row * 210 + 208);
    const file = await open({ infos: [info('q', [256, rows], 14, 0)], data });
    const expected = new Float32Array(rows * 256);
    q6_k.decode(data, expected);
    const read = await file.tensors.get('q')!.read();
    expect(Buffer.compare(bytesOf(read), bytesOf(expected))).toBe(0);
  });

  it('tensors in the order of their offsets, at the alignment that the file gives', async () => {
    const infos = [info('second', [1], F32, 64), info('first', [3], F32, 0)];
    const data = Buffer.concat([floats(1, 2, 3), Buffer.alloc(52), floats(4)]);
    const file = await open({
      entries: [integer('general.alignment', 64)],
      infos,
      data,
      alignment: 64,
    });
    expect([...file.tensors.keys()]).toEqual(['first', 'second']);
    expect(await file.tensors.get('second')!.read()).toEqual(Float32Array.of(4));
  });

  it('only as much of the file as its header takes, rounded up to a megabyte', async () => {
    const source = watched(ggufOf({ infos: [info('a', [2 ** 20], F32, 0)], data: 2 ** 22 }));
    await openGguf(source);
    expect(source.bytesRead).toBe(2 ** 20);
  });

  it('a header of three megabytes', async () => {
    const words = Array.from({ length: 200_000 }, (_, i) => string(`word${i}`));
    const entries = [array('words', TYPE.string, words.length, Buffer.concat(words))];
    const file = await open({ entries, infos: [info('a', [1], F32, 0)], data: floats(7) });
    expect(file.metadata.get('words')!.value).toHaveLength(200_000);
    expect(await file.tensors.get('a')!.read()).toEqual(Float32Array.of(7));
  });

  it('beyond 4 GiB', async () => {
    const rows = 2 ** 20;
    const bytes = rows * 2048 * 4; // 8 GiB
    const header = ggufOf({
      infos: [info('big', [2048, rows], F32, 0), info('after', [1], F32, bytes)],
    });
    const read: number[] = [];
    const source: ByteSource = {
      name: 'sparse',
      size: header.length + bytes + 4,
      async readInto(offset, target) {
        read.push(offset);
        if (offset === 0) target.set(header);
        else target.fill(0);
      },
      async close() {},
    };
    const { tensors } = await openGguf(source);
    await tensors.get('after')!.read();
    await tensors.get('big')!.read(rows - 1, 1);
    expect(read).toEqual([0, header.length + bytes, header.length + bytes - 8192]);
  });
});

describe('refuses by name', () => {
  it.each<[Parts, string]>([
    [{ version: 1 }, 'GGUF version 1'],
    [{ version: 4 }, 'GGUF version 4'],
    [{ version: 0 }, 'GGUF version 0'],
    [{ version: 3 * 2 ** 24 }, 'big-endian, version 3'],
    [{ magic: 'tjgg' }, 'GGML file'],
    [{ infos: [info('a', [256], 23, 0)], data: 136 }, '"a" is in the format IQ4_XS'],
    [{ infos: [info('a', [32], 20, 0)], data: 18 }, 'Q5_0 and better in those of Q4_K_M'],
    [{ infos: [info('a', [4], 26, 0)], data: 16 }, '"a" is in the format I32'],
    [{ infos: [info('a', [32], 4, 0)], data: 20 }, '"a" is in the format Q4_2'],
  ])('%#', async (parts, words) => {
    await expectRefused(open(parts), 'UNSUPPORTED', 'model.gguf', words);
  });
});

describe('refuses damage:', () => {
  it('a file that is none', async () => {
    await refused({ magic: '{"__' }, 'begins with "{\\"__", not with GGUF');
    await expectRefused(
      openGguf(memorySource(new Uint8Array(0))),
      'BAD_CHECKPOINT',
      'ends at byte 0',
    );
  });

  it.each([2n ** 63n, 2n ** 64n - 1n, 2n ** 53n, 2n ** 40n, 100n])(
    '%i tensors, keys',
    async count => {
      await refused({ tensorCount: count }, 'the number of tensors is');
      await refused({ entryCount: count }, 'the number of metadata keys is');
    },
  );

  it.each([2n ** 62n, 2n ** 64n - 1n, 2n ** 40n, 1000n])('a string of %i bytes', async length => {
    await refused(
      { entries: [entry('a', TYPE.string, string('x', length))] },
      'length of the value of a',
    );
    await refused(
      { entries: [Buffer.concat([string('a', length), u32(TYPE.u8), Buffer.of(1)])] },
      'length of metadata key 0',
    );
    const name = Buffer.concat([string('a', length), u32(1), u64(1), u32(F32), u64(0)]);
    await refused({ infos: [name], data: 4 }, 'length of the name of tensor 0');
  });

  it.each([2n ** 63n, 2n ** 61n, 2n ** 40n, 1000n])('an array of %i values', async count => {
    for (const of of [TYPE.u8, TYPE.f32, TYPE.u64, TYPE.bool, TYPE.string]) {
      await refused(
        { entries: [array('many', of, count, Buffer.alloc(64))] },
        'the number of values of many',
      );
    }
  });

  it('an array of as many values as there are bytes, for values of four', async () => {
    await refused(
      { entries: [array('many', TYPE.f32, 64, Buffer.alloc(64))] },
      'number of values of many is 64, but only',
    );
    await refused({ tensorCount: 64, data: 64 }, 'number of tensors is 64, but only');
  });

  it('arrays of arrays, as deep as can be', async () => {
    const deep = Array.from({ length: 1000 }, () => Buffer.concat([u32(TYPE.array), u64(1)]));
    await refused({ entries: [entry('deep', TYPE.array, ...deep)] }, 'deep is an array of arrays');
  });

  it.each<[string, Parts, string[]]>([
    ['a key twice', { entries: [integer('a', 1), float('a', 1)] }, ['key "a" comes twice']],
    ['an unknown type', { entries: [entry('a', 13, u32(1))] }, ['a has a value of type 13']],
    ['an unknown type in an array', { entries: [array('a', 99, 0)] }, ['a has a value of type 99']],
    ['a truth value of 2', { entries: [entry('a', TYPE.bool, Buffer.of(2))] }, ['truth value 2']],
    [
      'a truth value of 2 in an array',
      { entries: [array('a', TYPE.bool, 2, Buffer.of(1, 2))] },
      ['truth value 2'],
    ],
    ['a key that is not ASCII', { entries: [integer('ä', 1)] }, ['key 0 is "ä"']],
    ['an empty key', { entries: [integer('', 1)] }, ['key 0 is ""']],
    ['a long key', { entries: [integer('a'.repeat(65_536), 1)] }, ['65536 bytes long', '65535']],
    [
      'text that is not UTF-8',
      { entries: [entry('a', TYPE.string, string(Buffer.of(0xc3, 0x28)))] },
      ['value of a', 'UTF-8'],
    ],
    [
      'a name that is not UTF-8',
      { infos: [Buffer.concat([string(Buffer.of(255)), u32(1), u64(1), u32(0), u64(0)])] },
      ['UTF-8'],
    ],
    [
      'an alignment of 0',
      { entries: [integer('general.alignment', 0)] },
      ['general.alignment is 0'],
    ],
    [
      'an alignment of 3',
      { entries: [integer('general.alignment', 3)] },
      ['general.alignment is 3'],
    ],
    [
      'an alignment of 2^32 − 1',
      { entries: [integer('general.alignment', 2 ** 32 - 1)] },
      ['alignment is 4294967295'],
    ],
    [
      'data that an alignment of 2^31 puts behind the end',
      {
        entries: [integer('general.alignment', 2 ** 31)],
        infos: [info('a', [1], F32, 0)],
        data: 4,
      },
      ['"a" ends at byte 2147483652'],
    ],
    [
      'an alignment of 48',
      { entries: [integer('general.alignment', 48)] },
      ['general.alignment is 48'],
    ],
    [
      'an alignment as text',
      { entries: [text('general.alignment', '32')] },
      ['general.alignment is "32" (string)'],
    ],
    ['no dimensions', { infos: [info('a', [], F32, 0)] }, ['"a" has 0 dimensions']],
    [
      'five dimensions',
      { infos: [info('a', [1, 1, 1, 1, 1], F32, 0)], data: 4 },
      ['"a" has 5 dimensions'],
    ],
    ['a size of 0', { infos: [info('a', [0], F32, 0)] }, ['"a": the shape [0] is empty']],
    [
      '2^62 numbers',
      { infos: [info('a', [2 ** 31, 2 ** 31], F32, 0)] },
      ['[2147483648,2147483648]', '2^53'],
    ],
    [
      'a size of 2^63',
      { infos: [info('a', [2n ** 63n], F32, 0)] },
      ['a size of tensor "a" is 9223372036854775808'],
    ],
    [
      'an offset of 2^64 − 1',
      { infos: [info('a', [1], F32, 2n ** 64n - 1n)], data: 4 },
      ['offset of tensor "a"'],
    ],
    [
      'half a block',
      { infos: [info('a', [48, 2], Q8_0, 0)], data: 102 },
      ['rows of 48 numbers', 'the 32 of a block of Q8_0'],
    ],
    [
      'a vector of blocks',
      { infos: [info('a', [32], Q8_0, 0)], data: 34 },
      ['"a" is a vector in the format Q8_0'],
    ],
    [
      'an id that is no type',
      { infos: [info('a', [1], 1000, 0)], data: 4 },
      ['"a" has the type 1000'],
    ],
    ['no name', { infos: [info('', [1], F32, 0)], data: 4 }, ['tensor 0 has no name']],
    [
      'a long name',
      { infos: [info('a'.repeat(65), [1], F32, 0)], data: 4 },
      ['name of tensor 0 is 65 bytes long', '64'],
    ],
    [
      'a name twice',
      { infos: [info('a', [1], F32, 0), info('a', [1], F32, 32)], data: 36 },
      ['two tensors', '"a"'],
    ],
    [
      'an overlap',
      { infos: [info('a', [9], F32, 0), info('b', [1], F32, 32)], data: 68 },
      ['"b"', 'begins at byte 128, within', 'ends at 132', 'is 160'],
    ],
    [
      'the same place',
      { infos: [info('a', [1], F32, 0), info('b', [1], F32, 0)], data: 64 },
      ['"b"', 'within'],
    ],
    [
      'a gap',
      { infos: [info('a', [1], F32, 0), info('b', [1], F32, 64)], data: 68 },
      ['"b"', 'not right after'],
    ],
    [
      'an offset that is not aligned',
      { infos: [info('a', [1], F32, 4)], data: 8 },
      ['"a" begins at byte', 'not right after'],
    ],
    [
      'an end after that of the file',
      { infos: [info('a', [9], F32, 0)], data: 35 },
      ['"a" ends at byte', 'fetch it again'],
    ],
  ])('%s', async (_, parts, words) => {
    await refused(parts, ...words);
  });

  it('every beginning of a file', async () => {
    const whole = ggufOf({
      entries: [
        text('a', 'bc'),
        array('d', TYPE.string, 2, string('e'), string('f')),
        array('g', TYPE.f32, 1, f32(1)),
      ],
      infos: [info('h', [2, 3], F32, 0)],
      data: 24,
    });
    await openGguf(memorySource(whole));
    for (let length = 0; length < whole.length; length++) {
      await expectRefused(openGguf(memorySource(whole.slice(0, length))), 'BAD_CHECKPOINT');
    }
  });

  it('too many keys and tensors, though they are there', async () => {
    const entries = Array.from({ length: 65_537 }, (_, i) => integer(`k${i}`, i));
    await refused({ entries }, '65537 metadata keys, the limit is 65536');
    const infos = Array.from({ length: 100_001 }, (_, i) => info(`t${i}`, [8], F32, 32 * i));
    await refused({ infos, data: 32 * infos.length }, '100001 tensors, the limit is 100000');
  });

  it('a header that goes on for more than 100 MB', async () => {
    const header = ggufOf({ entries: [entry('a', TYPE.string, u64(200_000_000))], alignment: 1 });
    let largest = 0;
    const source: ByteSource = {
      name: 'endless',
      size: 300_000_000,
      async readInto(_, target) {
        largest = Math.max(largest, target.length);
        target.set(header);
      },
      async close() {},
    };
    await expectRefused(openGguf(source), 'BAD_CHECKPOINT', 'endless', '100000000');
    expect(largest).toBe(100_000_000);
  });

  it('and closes the file', async () => {
    const source = watched(ggufOf({ version: 1 }));
    await expect(openGguf(source)).rejects.toThrow();
    expect(source.closed).toBe(1);
  });
});
