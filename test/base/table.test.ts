import { expect, it } from 'vitest';
import { alignColumns, wrap } from '../../src/base/table.js';

it('columns are as wide as their widest cell, and end together where asked to', () => {
  const rows = [
    ['a', '1', 'x'],
    ['bcd', '234', ''],
  ];
  expect(alignColumns(rows, [1])).toEqual(['a      1  x', 'bcd  234']);
});

it('lines are as long as they may be, and longer only for a word that is', () => {
  expect(wrap('a bc def gh', 6)).toEqual(['a bc', 'def gh']);
  expect(wrap('a https://example.org b', 6)).toEqual(['a', 'https://example.org', 'b']);
});
