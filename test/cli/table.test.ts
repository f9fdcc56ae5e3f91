import { expect, it } from 'vitest';
import { aligned, readableBytes } from '../../src/cli/table.js';

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.00 kB'],
  [12_345, '12.3 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [13_476_839_424, '13.5 GB'],
  [2e12, '2.00 TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(readableBytes(bytes)).toBe(text);
});

it('columns are as wide as their widest cell, and end together where asked to', () => {
  const rows = [
    ['a', '1', 'x'],
    ['bcd', '234', ''],
  ];
  expect(aligned(rows, [1])).toEqual(['a      1  x', 'bcd  234']);
});
