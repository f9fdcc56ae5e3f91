import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseJson } from '../../src/base/json.js';

const parse = (text: string) => parseJson(text, 'the file', 'BAD_CONFIG');

it('is JSON.parse for everything JSON.stringify writes', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 8 }),
      fc.constantFrom(undefined, 1, '\t'),
      (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parse(text)).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 1000 },
  );
});

it.each([
  ['{"a":1,"a":2}', '"a"'],
  ['{"a":1,"b":{"c":[{"d":1,"d":1}]}}', '"d"'],
  ['{"a" :1,"\\u0061"\n:2}', '"a"'],
  ['{"\\"":1,"\\"":2}', '"\\""'],
  ['{"__proto__":1,"__proto__":2}', '"__proto__"'],
])('refuses the key that comes twice in %s', (text, key) => {
  expect(() => parse(text)).toThrow(
    `the file: the key ${JSON.stringify(JSON.parse(key))} comes twice`,
  );
});

it.each([
  '{"a":{"a":1},"b":{"a":"a"}}',
  '[{"a":1},{"a":1}]',
  '{"a":"a","b":"a:a"}',
  '{"\\\\":1,"\\"":2}',
])('accepts %s, where each key is in another object', text => {
  expect(parse(text)).toEqual(JSON.parse(text));
});

it.each([
  '',
  '{',
  '{"a',
  '{"a\\',
  '{"\\x":1,"\\x":1}',
  '{"a":1}}',
  ']',
  '{"a":NaN}',
  "{'a':1}",
  '{"a":1,}',
  '\ufeff{}',
  '"\n"',
])('refuses %j', text => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
});

it('bounds the depth, however deep', () => {
  expect(parse('['.repeat(32) + ']'.repeat(32))).toEqual(
    JSON.parse('['.repeat(32) + ']'.repeat(32)),
  );
  expect(() => parse('['.repeat(33) + ']'.repeat(33))).toThrow('deeper than 32');
  expect(() => parse('{"a":'.repeat(10_000_000))).toThrow('deeper than 32');
});

it('is linear: ten megabytes of one string, and of many keys', () => {
  const long = JSON.stringify({ ['\\"'.repeat(2_000_000)]: 'x'.repeat(5_000_000) });
  expect(Object.keys(parse(long) as object)).toHaveLength(1);
  const keys = Array.from({ length: 300_000 }, (_, i) => `"tensor.${i}":{"a":[${i}]}`);
  const many = `{${keys.join(',')}}`;
  expect(Object.keys(parse(many) as object)).toHaveLength(300_000);
});

it('does not touch prototypes', () => {
  const value = parse('{"__proto__":{"polluted":true},"constructor":1}') as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
