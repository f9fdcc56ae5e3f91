/** Regular expressions and what is cut by them, against Hugging Face's `tokenizers`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileOniguruma, literalPattern } from '../../../src/tokenizer/byte-level/oniguruma.js';
import { compileSplit, GPT2_PATTERN } from '../../../src/tokenizer/byte-level/splitter.js';
import type { Split } from '../../../src/tokenizer/model/byte-level-rule.js';
import { goldenPath } from '../../support/golden.js';
import { errorOf } from '../support.js';

const golden: {
  readonly texts: readonly string[];
  readonly patterns: Readonly<Record<string, readonly string[][]>>;
  readonly combined: readonly (Split & { readonly parts: readonly string[][] })[];
} = JSON.parse(readFileSync(goldenPath('byte-level/splits.json'), 'utf8'));

/** In the golden files, parts are written as Python shows them: as they are. */
const cut = (split: Split) => golden.texts.map(text => compileSplit(split)(text));

describe('a pattern of Oniguruma cuts as in tokenizers', () => {
  it.each(Object.entries(golden.patterns))('%j', (pattern, parts) => {
    expect(cut({ pattern, behavior: 'Isolated', invert: false })).toEqual(parts);
  });
});

describe('a behaviour cuts as in tokenizers', () => {
  it.each(golden.combined)('$behavior of $pattern, inverted: $invert', split => {
    expect(cut(split)).toEqual(split.parts);
  });
});

it('refuses a run that is too long for the runtime, and cuts others of that length', () => {
  const split = compileSplit({ pattern: GPT2_PATTERN, behavior: 'Isolated', invert: false });
  const { message } = errorOf('BAD_INPUT', () => split('\u0301'.repeat(4_000_000)));
  expect(message).toContain('a text of 4000000 characters has a run without an end');
  expect(split('a'.repeat(4_000_000))).toHaveLength(1);
  expect(split('\u0301\n'.repeat(100_000))).toHaveLength(200_000);
});

it('matches a text to the letter, whatever it has', () => {
  const text = 'a.b*c+(d)[e]{2}|^$\\ -&&[:x:]\n🦙';
  expect(`<${text}>`.match(compileOniguruma(literalPattern(text)))).toEqual([text]);
});

it.each([
  [String.raw`\bx`, String.raw`\b`],
  ['^x', '^'],
  ['x|*', '*'],
  ['(x', '( without )'],
  ['x)', ')'],
  ['[x', '[ without ]'],
  ['[]x]', '[ without ]'],
  ['[[:alpha:]]', '[:'],
  ['[a&&b]', '&&'],
  ['(?<name>x)', '(?<n'],
  ['(?x:a b)', '(?x:'],
  [String.raw`(x)\1`, String.raw`\1`],
  [String.raw`\w`, String.raw`\w`],
  [String.raw`\h`, String.raw`\h`],
  [String.raw`\pL`, String.raw`\pL`],
  [String.raw`\p{Klingon}`, String.raw`\p{Klingon}`],
  [String.raw`\p{Alphabetic}`, String.raw`\p{Alphabetic}`],
  ['x{2}?', '{2}?'],
  ['x**', '*'],
  ['(?i:[a-z])', 'a-z'],
  ['(?i:é)', '(?i:é)'],
  ['x\\', '\\'],
])('refuses %s by name', (pattern, name) => {
  const { message } = errorOf('UNSUPPORTED', () => compileOniguruma(pattern));
  expect(message).toContain(`has ${name}, which is not implemented`);
  expect(message).toContain(JSON.stringify(pattern));
});

it('refuses what JavaScript does not understand', () => {
  const { message } = errorOf('UNSUPPORTED', () => compileOniguruma('[z-a]'));
  expect(message).toContain('is not understood');
});
