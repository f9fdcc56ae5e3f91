import { expect, it } from 'vitest';
import { alignColumns } from '../../src/cli/terminal/table.js';

it('columns are as wide as their widest cell, and end together where asked to', () => {
  const rows = [
    ['a', '1', 'x'],
    ['bcd', '234', ''],
  ];
  expect(alignColumns(rows, [1])).toEqual(['a      1  x', 'bcd  234']);
});
