import { describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../../src/base/errors.js';
import { memorySource } from '../../../src/files/source.js';
import { DEFLATED, readZipEntries, readZipEntry, STORED } from '../../../src/files/zip/zip.js';
import { expectRefused, watched } from '../helpers.js';
import { extraField, type ZipOptions, type ZipSpec, zipOf } from './zip-support.js';

const A: ZipSpec = { name: 'd/a', data: Buffer.from('first') };
const B: ZipSpec = { name: 'd/b', data: Buffer.from('second') };

const STORED_ONLY = { methods: [STORED], instead: 'write it again' };
const DEFLATED_TOO = { methods: [STORED, DEFLATED], instead: 'write it again' };

const read = (entries: readonly ZipSpec[], options?: ZipOptions, acceptable = STORED_ONLY) =>
  readZipEntries(memorySource(zipOf(entries, options), 'z.bin'), acceptable);

async function contents(file: Uint8Array): Promise<Record<string, string>> {
  const source = memorySource(file);
  const found: Record<string, string> = {};
  for (const [name, entry] of await readZipEntries(source, STORED_ONLY)) {
    found[name] = Buffer.from(await readZipEntry(source, entry, 100)).toString();
  }
  return found;
}

describe('reads', () => {
  it.each<[string, readonly ZipSpec[], ZipOptions?]>([
    ['as PyTorch writes it', [A, B]],
    ['without ZIP64', [A, B], { zip64: false }],
    ['with a comment', [A, B], { comment: Buffer.from('a comment') }],
    ['with the longest comment', [A, B], { comment: new Uint8Array(65535) }],
    [
      'with a comment that ends like an archive',
      [A, B],
      { comment: Buffer.from('PK\x05\x06'.padEnd(30, '\0')) },
    ],
    [
      'with padding before the data',
      [{ ...A, localExtra: extraField(0x4246, Buffer.alloc(40, 'Z')) }, B],
    ],
    [
      'with the sizes in the local headers',
      [{ ...A, local: { 6: [2, 0], 18: [4, 5], 22: [4, 5] } }, B],
    ],
    [
      'with the local sizes left to ZIP64',
      [{ ...A, local: { 18: [4, 0xffffffff], 22: [4, 0xffffffff] } }, B],
    ],
    [
      'with an end record that leaves all to ZIP64',
      [A, B],
      { end: { 8: [2, 0xffff], 10: [2, 0xffff], 12: [4, 0xffffffff], 16: [4, 0xffffffff] } },
    ],
    [
      'with sizes and offset in a ZIP64 field behind another one',
      [
        {
          ...A,
          central: {
            20: [4, 0xffffffff],
            24: [4, 0xffffffff],
            34: [2, 0xffff],
            42: [4, 0xffffffff],
          },
          centralExtra: Buffer.concat([
            extraField(7, Buffer.from('xyz')),
            extraField(
              1,
              Buffer.concat([
                new Uint8Array(new BigUint64Array([5n, 5n, 0n]).buffer),
                Buffer.alloc(4),
              ]),
            ),
          ]),
        },
        B,
      ],
    ],
  ])('an archive %s', async (_, entries, options) => {
    expect(await contents(zipOf(entries, options))).toEqual({ 'd/a': 'first', 'd/b': 'second' });
  });

  it('the entries in the order of their data, with their offsets in the file', async () => {
    const file = zipOf([A, { name: 'd/empty' }, B]);
    const entries = [...(await readZipEntries(memorySource(file), STORED_ONLY)).values()];
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ['d/a', 5],
      ['d/empty', 0],
      ['d/b', 6],
    ]);
    expect(Buffer.from(file.subarray(entries[2].offset, entries[2].offset + 6)).toString()).toBe(
      'second',
    );
  });

  it('no data: only the end, the directory, and the local headers', async () => {
    const source = watched(zipOf([{ name: 'd/big', data: new Uint8Array(1_000_000) }]));
    await readZipEntries(source, STORED_ONLY);
    expect(source.bytesRead).toBeLessThan(70_000); // a comment may be 65,535 long
  });

  it('1,000 entries', async () => {
    expect((await read(Array.from({ length: 1000 }, (_, i) => ({ name: `d/${i}` })))).size).toBe(
      1000,
    );
  });
});

describe('of a deflated entry, where one is acceptable', () => {
  const deflated: ZipSpec = {
    name: 'd/c',
    data: Buffer.from('small'),
    local: { 8: [2, 8] },
    central: { 10: [2, 8], 16: [4, 0xfedcba98], 24: [4, 1000] },
  };

  it('it tells both sizes, the checksum, and that the next entry follows the smaller', async () => {
    const entries = await read([deflated, B], {}, DEFLATED_TOO);
    const { method, size, storedSize, crc32 } = entries.get('d/c')!;
    expect([method, size, storedSize, crc32]).toEqual([DEFLATED, 1000, 5, 0xfedcba98]);
    expect([...entries.keys()]).toEqual(['d/c', 'd/b']);
  });

  it.each<[string, ZipSpec, ...string[]]>([
    ['is stored by its local header', { ...deflated, local: {} }, 'another way', 'method 0'],
    [
      'has its sizes exchanged in the local header',
      { ...deflated, local: { 8: [2, 8], 18: [4, 1000], 22: [4, 5] } },
      '5 bytes, but 1000',
    ],
  ])('it refuses one that %s', async (_, entry, ...words) => {
    await expectRefused(read([entry], {}, DEFLATED_TOO), 'BAD_CHECKPOINT', '"d/c"', ...words);
  });

  it('it refuses other methods', async () => {
    const entry = { ...deflated, central: { ...deflated.central, 10: [2, 14] } } as const;
    await expectRefused(read([entry], {}, DEFLATED_TOO), 'UNSUPPORTED', 'method 14');
  });
});

describe('refuses', () => {
  const stored = 'write it again';
  it.each<[string, readonly ZipSpec[], ZipOptions | undefined, LlamaErrorCode, ...string[]]>([
    [
      'a deflated entry',
      [A, { ...B, central: { 10: [2, 8] } }],
      undefined,
      'UNSUPPORTED',
      '"d/b"',
      'method 8',
      stored,
    ],
    [
      'a bomb: many bytes from few',
      [{ ...A, central: { 10: [2, 8], 24: [4, 2 ** 31] } }],
      undefined,
      'UNSUPPORTED',
      'compressed',
    ],
    [
      'a bomb that claims to be stored',
      [{ ...A, central: { 24: [4, 2 ** 31] } }],
      undefined,
      'BAD_CHECKPOINT',
      '2147483648',
      'take 5',
    ],
    [
      'an encrypted entry',
      [{ ...A, central: { 8: [2, 1] } }],
      undefined,
      'UNSUPPORTED',
      '"d/a"',
      'encrypted',
      stored,
    ],
    [
      'strong encryption',
      [{ ...A, central: { 8: [2, 0x40] } }],
      undefined,
      'UNSUPPORTED',
      'flags 64',
      stored,
    ],
    [
      'hidden headers',
      [{ ...A, central: { 8: [2, 0x2000] } }],
      undefined,
      'UNSUPPORTED',
      'flags 8192',
    ],
    [
      'an entry that only the local header says is deflated',
      [{ ...A, local: { 8: [2, 8] } }],
      undefined,
      'UNSUPPORTED',
      '"d/a"',
      'method 8',
    ],
    [
      'an entry that only the local header says is encrypted',
      [{ ...A, local: { 6: [2, 9] } }],
      undefined,
      'UNSUPPORTED',
      'encrypted',
    ],

    ['a name that comes twice', [A, { ...A }], undefined, 'BAD_CHECKPOINT', '"d/a"', 'twice'],
    [
      'the same data under two names',
      [A, { ...B, central: { 20: [4, 5], 24: [4, 5], 42: [4, 0] } }],
      undefined,
      'BAD_CHECKPOINT',
      '"d/b"',
      'inside the entry before',
    ],
    [
      'an entry that reaches into the next',
      [{ ...A, central: { 20: [4, 30], 24: [4, 30] } }, B],
      undefined,
      'BAD_CHECKPOINT',
      '"d/b"',
      'inside the entry before',
    ],
    [
      'the last entry reaching into the directory',
      [
        {
          ...A,
          local: { 6: [2, 0], 18: [4, 30], 22: [4, 30] },
          central: { 20: [4, 30], 24: [4, 30] },
        },
      ],
      undefined,
      'BAD_CHECKPOINT',
      'behind the central directory',
    ],
    [
      'an entry behind the end of the file',
      [{ ...A, central: { 42: [4, 99999] } }],
      undefined,
      'BAD_CHECKPOINT',
      '99999',
      'fetch the file again',
    ],
    [
      'an entry where there is none',
      [{ ...A, central: { 42: [4, 1] } }],
      undefined,
      'BAD_CHECKPOINT',
      '"d/a"',
      'does not begin at byte 1',
    ],
    [
      'another name in the local header',
      [{ ...A, local: { 0: [4, 0x04034b50], 26: [2, 2] } }],
      undefined,
      'BAD_CHECKPOINT',
      'another name',
    ],
    [
      'a local size that is another',
      [{ ...A, local: { 22: [4, 6] } }],
      undefined,
      'BAD_CHECKPOINT',
      '5 bytes, but 6',
    ],
    [
      'a local size of 0 that nothing follows',
      [{ ...A, local: { 6: [2, 0] } }],
      undefined,
      'BAD_CHECKPOINT',
      '5 bytes, but 0',
    ],
    [
      'padding beyond the end',
      [{ ...A, local: { 28: [2, 0xffff] } }],
      undefined,
      'BAD_CHECKPOINT',
      'behind the central directory',
    ],

    [
      'an entry on another disk',
      [{ ...A, central: { 34: [2, 1] } }],
      undefined,
      'BAD_CHECKPOINT',
      'several disks',
    ],
    ['a directory on another disk', [A], { end: { 6: [2, 1] } }, 'BAD_CHECKPOINT', 'several disks'],
    ['entries on other disks', [A, B], { end: { 8: [2, 1] } }, 'BAD_CHECKPOINT', 'several disks'],
    [
      'two disks by the locator',
      [A],
      { locator: { 16: [4, 2] } },
      'BAD_CHECKPOINT',
      'several disks',
    ],
    ['another disk by ZIP64', [A], { zip64End: { 20: [4, 1] } }, 'BAD_CHECKPOINT', 'several disks'],

    [
      'ZIP64 that contradicts the number of entries',
      [A, B],
      { zip64End: { 24: [8, 1], 32: [8, 1] } },
      'BAD_CHECKPOINT',
      'contradicts',
    ],
    [
      'ZIP64 that contradicts the offset',
      [A],
      { zip64End: { 48: [8, 1] } },
      'BAD_CHECKPOINT',
      'contradicts',
    ],
    [
      'a ZIP64 offset of 2^53',
      [A],
      { zip64End: { 48: [8, 2 ** 53] } },
      'BAD_CHECKPOINT',
      '9007199254740992',
      '2^53',
    ],
    [
      'a ZIP64 offset of 2^64 − 1',
      [A],
      { zip64End: { 48: [8, 2n ** 64n - 1n] } },
      'BAD_CHECKPOINT',
      '18446744073709551615',
    ],
    [
      'a ZIP64 record elsewhere',
      [A],
      { locator: { 8: [8, 0] } },
      'BAD_CHECKPOINT',
      'said to be at 0',
    ],
    [
      'a ZIP64 record that is none',
      [A],
      { zip64End: { 0: [4, 0] } },
      'BAD_CHECKPOINT',
      'no ZIP64 end record',
    ],
    [
      'a ZIP64 record of another size',
      [A],
      { zip64End: { 4: [8, 45] } },
      'BAD_CHECKPOINT',
      'no ZIP64 end record',
    ],
    [
      'a size left to a ZIP64 field that is not there',
      [{ ...A, central: { 24: [4, 0xffffffff] } }],
      undefined,
      'BAD_CHECKPOINT',
      'left to ZIP64',
    ],
    [
      'a ZIP64 field that nothing is left to',
      [{ ...A, centralExtra: extraField(1, new BigUint64Array([5n])) }],
      undefined,
      'BAD_CHECKPOINT',
      '8 bytes that belong to nothing',
    ],
    [
      'two ZIP64 fields',
      [
        {
          ...A,
          centralExtra: Buffer.concat([
            extraField(1, new Uint8Array()),
            extraField(1, new Uint8Array()),
          ]),
        },
      ],
      undefined,
      'BAD_CHECKPOINT',
      'comes twice',
    ],
    [
      'an extra field that is cut off',
      [{ ...A, centralExtra: Buffer.from([1, 0, 9, 0, 0]) }],
      undefined,
      'BAD_CHECKPOINT',
      'cut off',
    ],
    [
      'half an extra field',
      [{ ...A, centralExtra: Buffer.from([1, 0, 0]) }],
      undefined,
      'BAD_CHECKPOINT',
      'cut off',
    ],

    [
      'a directory elsewhere',
      [A],
      { zip64: false, end: { 16: [4, 3] } },
      'BAD_CHECKPOINT',
      'must end at byte',
    ],
    [
      'a directory larger than the file',
      [A],
      { zip64: false, end: { 12: [4, 2 ** 31] } },
      'BAD_CHECKPOINT',
      '2147483648',
      'must end at byte',
    ],
    ['a gap before the end', [A], { gap: new Uint8Array(3) }, 'BAD_CHECKPOINT', 'must end at byte'],
    [
      'more entries than there are',
      [A],
      { zip64: false, end: { 8: [2, 2], 10: [2, 2] } },
      'BAD_CHECKPOINT',
      'no header at byte',
    ],
    [
      'fewer entries than there are',
      [A, B],
      { zip64: false, end: { 8: [2, 1], 10: [2, 1] } },
      'BAD_CHECKPOINT',
      'follow the last header',
    ],
    [
      'a name longer than the directory',
      [{ ...A, central: { 28: [2, 999] } }],
      undefined,
      'BAD_CHECKPOINT',
      'cut off',
    ],
    [
      'a name that is not UTF-8',
      [{ name: Uint8Array.of(0x64, 0x2f, 0xff) }],
      undefined,
      'BAD_CHECKPOINT',
      'not UTF-8',
    ],
  ])('%s', async (_, entries, options, code, ...words) => {
    await expectRefused(read(entries, options), code, 'z.bin', ...words);
  });

  it.each([
    '../a',
    'd/../a',
    'd/..',
    '/d/a',
    'd//a',
    'd/',
    'd/./a',
    '.',
    '..',
    '',
    'd\\a',
    '..\\a',
    'C:/a',
    'd/a\0',
  ])('an entry with the name %j', async name => {
    await expectRefused(
      read([A, { name }]),
      'BAD_CHECKPOINT',
      'z.bin',
      JSON.stringify(name),
      'is not the name of a file',
    );
  });

  it('more than 65,536 entries, before it reads any', async () => {
    const counts = {
      end: { 8: [2, 0xffff], 10: [2, 0xffff] },
      zip64End: { 24: [8, 65_537], 32: [8, 65_537] },
    } as const;
    await expectRefused(read([A], counts), 'BAD_CHECKPOINT', '65537 entries', 'limit is 65536');
  });

  it('a directory of more than 16 MiB', async () => {
    const name = `d/${'x'.repeat(60_000)}`;
    const entries = Array.from({ length: 280 }, (_, i) => ({ name: name + i }));
    await expectRefused(read(entries), 'BAD_CHECKPOINT', 'limit is 16777216');
  });

  it('every prefix of an archive', async () => {
    const file = zipOf([A, B]);
    for (let length = 0; length < file.length; length++) {
      await expectRefused(
        readZipEntries(memorySource(file.slice(0, length)), STORED_ONLY),
        'BAD_CHECKPOINT',
      );
    }
  });
});

it('an entry is not read beyond a limit', async () => {
  const source = memorySource(zipOf([A]));
  const entry = (await readZipEntries(source, STORED_ONLY)).get('d/a')!;
  expect(await readZipEntry(source, entry, 5)).toHaveLength(5);
  await expectRefused(
    readZipEntry(source, entry, 4),
    'BAD_CHECKPOINT',
    '"d/a"',
    '5 bytes',
    'limit is 4',
  );
});
