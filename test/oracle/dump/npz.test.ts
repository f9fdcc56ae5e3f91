import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/files/source.js';
import { openNpz } from '../../../src/oracle/dump/npz.js';
import { expectRefused } from '../../files/helpers.js';
import { type ZipSpec, zipOf } from '../../files/zip/zip-support.js';
import { headerOf, npyOf } from './support.js';

const ARRAY = npyOf(headerOf('<f4', '(1000,)'), 4000);
const CHECKSUM = crc32(ARRAY);

/** The array, deflated, said to be `size` bytes of checksum `sum`. */
function deflated(size = ARRAY.length, sum = CHECKSUM, data = deflateRawSync(ARRAY)): ZipSpec {
  return {
    name: 'a.npy',
    data,
    local: { 8: [2, 8] },
    central: { 10: [2, 8], 16: [4, sum], 20: [4, data.length], 24: [4, size] },
  };
}
const stored: ZipSpec = { name: 'b.npy', data: ARRAY, central: { 16: [4, CHECKSUM] } };

const open = (...entries: ZipSpec[]) => openNpz(memorySource(zipOf(entries), 'x.npz'));
const load = async (...entries: ZipSpec[]) => (await open(...entries)).tensors[0].load();

describe('an npz', () => {
  it('has its arrays by their names without .npy, and tells of what is none', async () => {
    const { tensors, notes } = await open(deflated(), stored, { name: 'readme.txt' });
    expect(tensors.map(({ name }) => name)).toEqual(['a', 'b']);
    for (const tensor of tensors) expect((await tensor.load()).shape).toEqual([1000]);
    expect(notes).toEqual(['left out, as they are no .npy files: readme.txt']);
  });

  it.each<[string, ZipSpec, ...string[]]>([
    ['another checksum', deflated(ARRAY.length, 1), 'checksum'],
    ['another checksum of a stored one', { ...stored, central: { 16: [4, 1] } }, 'checksum'],
    ['fewer bytes than announced', deflated(ARRAY.length + 1), 'not 4072 as announced'],
    ['more bytes than announced', deflated(ARRAY.length - 1), 'cannot be inflated to 4070'],
    ['none announced', deflated(0), 'cannot be inflated to 0'],
    ['2 GB announced, from a few', deflated(2 ** 31), 'cannot hold them'],
    ['what is not deflated', deflated(9, 1, Buffer.from([7, 7, 7])), 'cannot be inflated'],
    [
      'a deflated stream that is cut off',
      deflated(9, 1, deflateRawSync(ARRAY).subarray(0, 9)),
      'inflat',
    ],
  ])('is refused with %s', async (_, entry, ...words) => {
    await expectRefused(load(entry), 'BAD_CHECKPOINT', 'x.npz', '.npy"', ...words);
  });

  it('is refused with an entry that is compressed in another way', async () => {
    const entry = { ...deflated(), central: { 10: [2, 93] } } as const;
    await expectRefused(load(entry), 'UNSUPPORTED', 'method 93', 'numpy.savez');
  });
});
