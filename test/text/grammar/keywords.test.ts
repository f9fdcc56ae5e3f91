/** Each keyword by examples: what is written, what is not, and what is refused. */
import { describe, expect, test } from 'vitest';
import { jsonGrammar } from '../../../src/text/grammar/json-grammar.js';
import { accepts } from './support.js';
import { isValid, type Json } from './validate.js';

const NAME = { type: 'string' };
const closed = { properties: { a: { type: 'integer' }, b: NAME }, required: ['a'] };
const list = {
  $defs: { l: { properties: { v: {}, next: { $ref: '#/$defs/l' } } } },
  $ref: '#/$defs/l',
};
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

/** Schema, what it accepts, and what it does not. */
const CASES: readonly [name: string, schema: Json, yes: string[], no: string[]][] = [
  [
    'any value',
    {},
    ['1', '"a"', 'null', '{}', '[]', '[1, {"a":[true]}]'],
    ['', 'nul', '01', "'a'"],
  ],
  [
    'any object',
    { type: 'object' },
    ['{}', '{ }', '{"a":1,"b": {}}', '{ "a": [] }'],
    ['[]', '{"a"}', '{"a":1,}'],
  ],
  ['type', { type: 'boolean' }, ['true', 'false', ' true'], ['null', '  true', 'true ', '\ntrue']],
  ['types', { type: ['integer', 'null'] }, ['7', '-0', 'null'], ['1.0', '""', '-']],
  [
    'spaces',
    { type: 'array' },
    ['[1,2]', '[1, 2]', '[ 1, 2 ]'],
    ['[1 ,2]', '[1,  2]', '[1,\n2]', '[1,\t2]'],
  ],
  ['depth', {}, [deep(32)], [deep(33)]],
  [
    'numbers',
    { type: 'number' },
    ['0', '-0.5', '1e5', '1.25E+307', '5e-324', '123456789012345680000', '1e+21'],
    ['.5', '1.', '00', '+1', '1e', '1e308', '10e3', 'NaN', '-', '1234567890123456789012'],
  ],
  [
    'minimum and maximum',
    { type: 'integer', minimum: -12, maximum: 105.5 },
    ['-12', '-1', '0', '99', '105'],
    ['-13', '106', '1000', '007'],
  ],
  [
    'exclusive bounds',
    { type: 'integer', exclusiveMinimum: 9, exclusiveMaximum: 11 },
    ['10'],
    ['9', '11', '1', '100'],
  ],
  ['one bound', { type: 'integer', minimum: 95 }, ['95', '100', '99999999'], ['94', '-100', '9']],
  [
    'escapes',
    NAME,
    ['"\\n\\u00e9\\/"', '"\\uD83E\\udd99"', '"🦙\u007f"'],
    ['"\\x"', '"\n"', '"\\ud83e"', '"\\udd99"', '"\\uD83E\\u0041"', '"\\u00g0"'],
  ],
  [
    'length',
    { type: 'string', minLength: 1, maxLength: 2 },
    ['"a"', '"🦙🦙"', '"\\ud83e\\udd99é"', '"\\\\\\""'],
    ['""', '"abc"', '"\\n\\n\\n"'],
  ],
  ['pattern', { pattern: '^a{2,3}$' }, ['"aa"', '"aaa"'], ['"a"', '"aaaa"', '"\\u0061a"', '7']],
  ['pattern in a string', { pattern: '\\d' }, ['"1"', '"a1b"', '"\\n1\\""'], ['"a"', '""']],
  [
    'pattern and length',
    { pattern: '^a*b$', minLength: 3, maxLength: 4 },
    ['"aab"', '"aaab"'],
    ['"ab"', '"aaaab"', '"aaaa"'],
  ],
  [
    'format and pattern',
    { format: 'date', pattern: '-29$' },
    ['"2024-02-29"', '"2023-03-29"'],
    ['"2023-02-29"', '"2024-02-28"'],
  ],
  [
    'format date',
    { type: 'string', format: 'date' },
    ['"2000-02-29"', '"2026-12-31"'],
    ['"1900-02-29"', '"2026-04-31"', '"2026-13-01"', '"26-01-01"'],
  ],
  [
    'enum',
    { enum: ['a', 1, null, [1], { x: 'y', z: 2.5 }] },
    ['"a"', '1', 'null', '[1]', '[ 1 ]', '{"x": "y", "z": 2.5}'],
    ['"b"', '1.0', '{"z":2.5,"x":"y"}', '"\\u0061"'],
  ],
  [
    'enum and type',
    { enum: ['a', 1, 2.5, null], type: ['string', 'integer'] },
    ['"a"', '1'],
    ['null', '2.5'],
  ],
  ['const', { const: 'é"' }, ['"é\\""'], ['"é"']],
  ['anyOf', { anyOf: [{ type: 'integer' }, { const: '1' }] }, ['1', '"1"'], ['"2"']],
  ['oneOf is as anyOf', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, ['1', '1.5'], ['"']],
  [
    'anyOf of objects that begin alike',
    {
      anyOf: [
        { properties: { a: NAME }, required: ['a'] },
        { properties: { a: NAME, b: NAME }, required: ['a', 'b'] },
      ],
    },
    ['{"a":"x"}', '{"a":"x","b":"y"}'],
    ['{}', '{"b":"y"}'],
  ],
  [
    'what stands beside anyOf',
    { ...closed, anyOf: [{ required: ['b'] }, { properties: { c: {} } }] },
    ['{"a":1,"b":""}', '{"a":1,"c":[]}'],
    ['{"b":""}', '{"b":"","c":1}'],
  ],
  [
    'properties',
    closed,
    ['{"a":1}', '{"a":1,"b":"x"}', '{ "a": 1, "b": "x" }'],
    ['{}', '{"b":"x"}', '{"b":"x","a":1}', '{"a":1,"c":2}', '{"a":1,"a":1}'],
  ],
  [
    'additionalProperties true',
    { ...closed, additionalProperties: true },
    ['{"a":1,"c":2,"b\\"":[]}', '{"a":1,"":0}'],
    ['{"a":1,"b":2}', '{"a":1,"\\u0062":2}', '{"c":1}'],
  ],
  [
    'additionalProperties a schema',
    { additionalProperties: { type: 'null' } },
    ['{}', '{"x":null,"y":null}'],
    ['{"x":1}'],
  ],
  [
    'additionalProperties false',
    { type: 'object', additionalProperties: false },
    ['{}'],
    ['{"a":1}'],
  ],
  [
    'required without a property',
    { properties: {}, required: ['z'], additionalProperties: true },
    ['{"z":[]}', '{"z":1,"y":2}'],
    ['{}', '{"y":2}'],
  ],
  ['a property of nothing', { properties: { a: false, b: true } }, ['{}', '{"b":1}'], ['{"a":1}']],
  [
    'items',
    { items: { type: 'null' }, minItems: 1, maxItems: 2 },
    ['[null]', '[null, null]'],
    ['[]', '[1]', '[null,null,null]'],
  ],
  ['items false', { type: 'array', items: false }, ['[]', '[ ]'], ['[1]']],
  [
    'prefixItems',
    { prefixItems: [NAME, { type: 'null' }] },
    ['["",null]'],
    ['[]', '[""]', '["",null,1]', '[null]'],
  ],
  [
    'prefixItems, fewer',
    { prefixItems: [NAME, NAME], minItems: 0 },
    ['[]', '["a"]', '["a","b"]'],
    ['["a","b","c"]'],
  ],
  [
    'prefixItems and items',
    { prefixItems: [NAME], items: { type: 'null' }, maxItems: 3 },
    ['["a"]', '["a",null,null]'],
    ['[null]', '["a",null,null,null]'],
  ],
  [
    'allOf',
    { allOf: [closed, { properties: { c: { type: 'null' } }, required: ['c'] }] },
    ['{"a":1,"c":null}', '{"a":1,"b":"","c":null}'],
    ['{"a":1}', '{"c":null}'],
  ],
  [
    'allOf of one reference',
    { allOf: [{ $ref: '#/$defs/x' }], $defs: { x: { type: 'null' } } },
    ['null'],
    ['1'],
  ],
  [
    'allOf of bounds',
    {
      allOf: [
        { type: 'integer', minimum: 2 },
        { type: 'number', minimum: 3, maximum: 4 },
      ],
    },
    ['3', '4'],
    ['2', '5', '3.5'],
  ],
  [
    '$ref',
    list,
    ['{}', '{"v":1}', '{"next":{"v":[],"next":{}}}'],
    ['{"next":1}', '{"next":{"x":1}}'],
  ],
  [
    '$ref with ~ and %',
    { $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': { const: 1 } } },
    ['1'],
    ['2'],
  ],
  [
    'annotations',
    {
      type: 'null',
      title: 't',
      description: 'd',
      default: 1,
      examples: [],
      $id: 'x',
      $schema: 'y',
    },
    ['null'],
    ['1'],
  ],
  ['keywords of other types', { type: 'null', minLength: 3, items: {} }, ['null'], ['"abc"']],
];

describe.each(CASES)('%s', (_, schema, yes, no) => {
  test.each(yes)('writes %s', text => {
    expect(accepts(schema, text)).toBe(true);
    const { oneOf, ...others } = schema;
    expect(isValid(oneOf ? { ...others, anyOf: oneOf } : schema, JSON.parse(text))).toBe(true);
  });
  test.each(no)('does not write %s', text => expect(accepts(schema, text)).toBe(false));
});

/** Schema, and what the message has: the keyword, and where it stands. */
const REFUSED: readonly [schema: unknown, ...parts: string[]][] = [
  [
    { properties: { a: { items: { patternProperties: {} } } } },
    '#/properties/a/items',
    '"patternProperties"',
    'uniqueItems|minItems',
  ],
  [{ type: 'array', uniqueItems: true }, '#', '"uniqueItems"'],
  [{ not: {} }, '"not"'],
  [{ type: 'number', minimum: 0 }, '"minimum"', 'integer only'],
  [{ minimum: 0 }, 'bounds need a type'],
  [{ multipleOf: 2, type: 'integer' }, '"multipleOf"'],
  [{ type: 'string', format: 'email' }, 'format "email"', 'date-time'],
  [{ properties: { 'a/b': { type: 'text' } } }, '#/properties/a~1b', 'type is "text"'],
  [{ type: [] }, 'type is \\[\\]'],
  [{ minItems: -1, type: 'array' }, 'minItems is -1'],
  [{ type: 'string', minLength: 3, maxLength: 2 }, 'minLength 3 is above maxLength 2'],
  [{ type: 'array', minItems: 3, maxItems: 2 }, 'minItems 3 is above maxItems 2'],
  [{ type: 'integer', minimum: 2, exclusiveMaximum: 2 }, 'no integer from 2 to 1'],
  [{ type: 'integer', exclusiveMinimum: true }, 'exclusiveMinimum is true'],
  [{ pattern: '^a+$', maxLength: 0 }, 'leave no string'],
  [{ pattern: '(?=a)b' }, 'pattern "\\(\\?=a\\)b"', 'not supported'],
  [{ pattern: 'a\\b' }, '\\\\b'],
  [{ pattern: '(a)\\1' }, '\\\\1'],
  [{ pattern: '\\p{L}' }, '\\\\p'],
  [{ pattern: 'a(^b)' }, '\\^ in this place'],
  [{ pattern: 'a$b' }, '\\$ is supported at the end only'],
  [{ pattern: '(a' }, 'has no \\)'],
  [{ pattern: 'a)' }, 'has no \\('],
  [{ pattern: '[a' }, 'ends in the middle'],
  [{ pattern: '[z-a]' }, 'range'],
  [{ pattern: 'a{3,2}' }, 'in order'],
  [{ pattern: '(?:a?){4000}b' }, 'states'],
  [{ pattern: '^[ab]*a[ab]{300}c$', maxLength: 5000 }, 'states'],
  [{ $ref: 'https://example.com/x' }, '\\$ref "https', 'no other is looked up'],
  [{ $ref: '#/$defs/x' }, 'points at nothing'],
  [{ $ref: '#' }, 'itself'],
  [{ anyOf: [{ type: 'null' }, { $ref: '#' }] }, 'itself'],
  [{ $ref: '#/$defs/a', type: 'null', $defs: { a: {} } }, '"type" beside \\$ref'],
  [{ properties: { a: { $ref: '#' } }, required: ['a'] }, 'no value is allowed'],
  [{ type: 'object', required: ['a'], additionalProperties: false }, '"a" is required'],
  [{ properties: { a: false }, required: ['a'] }, 'no value'],
  [{ enum: [] }, 'enum is \\[\\]'],
  [{ enum: ['a'], type: 'integer' }, 'no value of enum', 'integer'],
  [{ enum: ['a'], minLength: 2 }, '"minLength" beside enum'],
  [{ anyOf: [] }, 'anyOf is \\[\\]'],
  [{ allOf: [{ type: 'string' }, { type: 'null' }] }, 'no type in common'],
  [{ allOf: [{ pattern: 'a' }, { pattern: 'b' }] }, '"pattern" is in two parts'],
  [
    { allOf: [{ ...closed, additionalProperties: false }, { properties: { z: {} } }] },
    '"z" of another part',
  ],
  ['text', '"text" is no schema'],
  [null, 'null is no schema'],
  [{ properties: { a: 3 } }, '#/properties/a', '3 is no schema'],
  [false, 'no value'],
  [deepSchema(40), '40 levels', '32'],
];

function deepSchema(levels: number): Json {
  return levels === 0
    ? { type: 'null' }
    : { type: 'array', items: deepSchema(levels - 1), minItems: 1 };
}

test.each(REFUSED)('%j is refused', (schema, ...parts) => {
  expect(() => jsonGrammar(schema)).toThrow(
    expect.objectContaining({
      code: 'BAD_OPTION',
      option: 'schema',
      message: expect.stringMatching(new RegExp(`^schema, at (?=#).*${parts.join('.*')}`, 's')),
    }),
  );
});
