/** docs/structured-output.md says what the code does: its table of keywords is that of the code. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FORMATS } from '../../../src/text/grammar/json/formats.js';
import { KEYWORDS, TYPES } from '../../../src/text/grammar/schema/keywords.js';
import { MOST_LEVELS } from '../../../src/text/grammar/values/write-value.js';

const docs = readFileSync('docs/structured-output.md', 'utf8');
const rows = new Map(
  [...docs.matchAll(/^\| `([^`]+)` \| (.*)\|$/gm)].map(([, keyword, text]) => [
    keyword,
    text.trim(),
  ]),
);

test('every keyword is in the table, in the order of the code', () => {
  expect([...rows.keys()]).toEqual(Object.keys(KEYWORDS));
});

test('those that nothing is held to are told so, and no others', () => {
  const nothing = [...rows].filter(([, text]) => text.startsWith('nothing'));
  const annotations = Object.entries(KEYWORDS).filter(([, group]) => group === 'annotation');
  expect(nothing.map(([keyword]) => keyword)).toEqual(annotations.map(([keyword]) => keyword));
});

test('types, formats and the depth are those of the code', () => {
  const quoted = (keyword: string) =>
    [...rows.get(keyword)!.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  expect(quoted('type')).toEqual([...TYPES]);
  expect(quoted('format')).toEqual(Object.keys(FORMATS));
  expect(docs).toContain(`at most ${MOST_LEVELS} arrays and objects in each other`);
});
