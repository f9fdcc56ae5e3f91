/** Patterns and numbers against those who know them: RegExp, and JSON.stringify. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Automaton } from '../../../src/text/grammar/automaton/automaton.js';
import { Language } from '../../../src/text/grammar/automaton/expression.js';
import { integersBetween } from '../../../src/text/grammar/json/numbers.js';
import { readPattern } from '../../../src/text/grammar/json/pattern.js';
import { quoted } from '../../../src/text/grammar/json/strings.js';
import { accepts } from './support.js';

const LETTERS = [
  'a',
  'b',
  'Z',
  '0',
  '7',
  '_',
  ' ',
  '-',
  '"',
  '\\',
  '\n',
  '\u2028',
  'é',
  '漢',
  '🦙',
  '\ufeff',
];
const ATOMS = [
  'a',
  'b',
  '.',
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '[ab]',
  '[^a-z]',
  '[\\d-]',
  '[^\\w\\n]',
  '[-a]',
  '\\n',
  '\\\\',
  '"',
  '\\x41',
  '\\u00e9',
  '\\u{1F999}',
  '\\uD83E\\uDD99',
  '[é-\\u{20000}]',
  '\\.',
  '\\/',
  '[\\]^]',
  '[\\b]',
];
const QUANTIFIERS = ['', '', '', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '+?', '??'];

const { pattern } = fc.letrec<{ term: string; terms: string; pattern: string }>(tie => {
  const group = fc
    .tuple(fc.constantFrom('(', '(?:'), fc.array(tie('terms'), { minLength: 1, maxLength: 2 }))
    .map(([open, options]) => `${open}${options.join('|')})`);
  const atom = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...ATOMS) }, group);
  return {
    term: fc.tuple(atom, fc.constantFrom(...QUANTIFIERS)).map(parts => parts.join('')),
    terms: fc
      .array(tie('term'), { maxLength: 3, depthIdentifier: 'p' })
      .map(parts => parts.join('')),
    pattern: fc
      .array(
        fc
          .tuple(fc.constantFrom('', '^'), tie('terms'), fc.constantFrom('', '$'))
          .map(parts => parts.join('')),
        {
          minLength: 1,
          maxLength: 2,
        },
      )
      .map(options => options.join('|')),
  };
});

test('a pattern is in the strings in which RegExp finds it', () => {
  const text = fc.array(fc.constantFrom(...LETTERS), { maxLength: 5 }).map(parts => parts.join(''));
  let found = 0;
  let count = 0;
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 8, maxLength: 8 }), (source, texts) => {
      const regExp = new RegExp(source, 'u');
      const language = new Language();
      const automaton = new Automaton(language);
      const start = quoted(language, readPattern(language, source));
      for (const each of texts) {
        let state: ReturnType<typeof automaton.stateOf> | undefined = automaton.stateOf(start);
        for (const byte of new TextEncoder().encode(JSON.stringify(each)))
          state = state?.next(byte);
        const has = regExp.test(each);
        expect(state?.isComplete === true, `${source} in ${JSON.stringify(each)}`).toBe(has);
        count += 1;
        found += Number(has);
      }
    }),
    { numRuns: 300 },
  );
  expect(found / count, 'both happen').toBeGreaterThan(0.2);
  expect(found / count, 'both happen').toBeLessThan(0.9);
});

test('integers between bounds are those, and no others', () => {
  const bound = fc.oneof(fc.integer({ min: -1100, max: 1100 }), fc.maxSafeInteger()).map(BigInt);
  fc.assert(
    fc.property(bound, bound, fc.array(bound, { maxLength: 20 }), (a, b, others) => {
      const [least, most] = a < b ? [a, b] : [b, a];
      const language = new Language();
      const automaton = new Automaton(language);
      const start = automaton.stateOf(integersBetween(language, least, most));
      for (const value of [...others, least - 1n, least, most, most + 1n, 0n]) {
        let state: typeof start | undefined = start;
        for (const byte of new TextEncoder().encode(String(value))) state = state?.next(byte);
        expect(state?.isComplete === true, `${value}`).toBe(value >= least && value <= most);
      }
    }),
  );
});

test('every double below 1e308 is a number as JSON.stringify writes it', () => {
  const double = fc.double({ noNaN: true, min: -9.99e307, max: 9.99e307 });
  fc.assert(
    fc.property(double, value => accepts({ type: 'number' }, JSON.stringify(value))),
    { numRuns: 300 },
  );
});

test('every string is one as JSON.stringify writes it, with a pattern too', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), value => {
      const text = JSON.stringify(value);
      expect(accepts({ type: 'string' }, text)).toBe(true);
      expect(accepts({ type: 'string', pattern: '' }, text)).toBe(true);
    }),
  );
});
