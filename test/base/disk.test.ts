import { expect, it } from 'vitest';
import { freeBytes, isDiskFull, showBytes } from '../../src/base/disk.js';

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.00 kB'],
  [12_345, '12.3 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [13_476_839_424, '13.5 GB'],
  [2e12, '2.00 TB'],
  [2 ** 60, '1152922 TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(showBytes(bytes)).toBe(text);
});

it('knows the room of a directory, and none of what is not there', async () => {
  expect(await freeBytes('.')).toBeGreaterThan(0);
  expect(await freeBytes('.')).toBeLessThan(2 ** 60);
  expect(await freeBytes('not/there')).toBe(Infinity);
});

it('tells a full disk from other mishaps', () => {
  const codes = ['ENOSPC', 'EDQUOT', 'EACCES', undefined];
  expect(codes.map(code => isDiskFull(Object.assign(new Error(), { code })))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
