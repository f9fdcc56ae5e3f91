/** Schemas of every supported keyword at random, and values that they allow. */
import fc from 'fast-check';
import type { Json } from './validate.js';

/** A number from 0 to below `limit`. */
export type Random = (limit: number) => number;

/** Marsaglia's xorshift, so that a seed says everything. */
export function randomFrom(seed: number): Random {
  let x = seed | 1;
  return limit => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % limit;
  };
}

/** With strings that have them. */
const PATTERNS: Record<string, readonly string[]> = {
  '^[A-Z]{2}-\\d{3,4}$': ['AB-123', 'ZZ-0000'],
  'é|^🦙+$': ['é', 'aéb', '🦙🦙', '"é\n'],
  '^(?:a|bc)*?d?$': ['', 'ad', 'bcabcd'],
  '[^\\w\\s"]': ['a-', '\\', '€'],
  '^\\S.{0,3}$': ['a', 'x y"', '\u0001b'],
};

const FORMATS: Record<string, readonly string[]> = {
  date: ['2024-02-29', '1999-12-31'],
  time: ['23:59:59Z', '00:00:00.123+01:30'],
  'date-time': ['2026-11-30T12:55:00Z', '2000-02-29T00:00:00.5-11:00'],
  uuid: ['123e4567-e89b-12d3-a456-426614174000'],
};

const TEXTS = ['', 'a', 'Hi there', '"', '\\', '\n\t\u0000', 'é', '漢字', '🦙', 'ＡＢ', '\u007f'];
const NAMES = ['a', 'ab', 'b', 'é', 'a"b', 'name', ''];
const NUMBERS = [0, -1, 17, 0.5, -1.25e-9, 1e21, 123456789012345680000, 5e-324, 1.5e300];

const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 6 }));
const name = fc.constantFrom(...NAMES);
const small = fc.nat(4);

const string = fc
  .record({ minLength: small, extra: small, hasMost: fc.boolean() })
  .map(({ minLength, extra, hasMost }) => ({
    type: 'string',
    minLength,
    ...(hasMost && { maxLength: minLength + extra }),
  }));

const integer = fc
  .record({ from: fc.integer({ min: -1200, max: 1200 }), span: fc.nat(3000), kind: fc.nat(3) })
  .map(({ from, span, kind }) => ({
    type: 'integer',
    ...(kind !== 1 && (kind === 2 ? { exclusiveMinimum: from - 1 } : { minimum: from })),
    ...(kind !== 0 &&
      (kind === 3 ? { exclusiveMaximum: from + span + 1 } : { maximum: from + span })),
  }));

const json = fc.oneof(
  text,
  fc.constantFrom(...NUMBERS, null, true, false),
  fc.array(fc.oneof(text, fc.integer()), { maxLength: 3 }),
  fc.dictionary(name, fc.oneof(text, fc.boolean()), { maxKeys: 3, noNullPrototype: true }),
);

const leaf = fc.oneof(
  string,
  integer,
  fc.constantFrom(...Object.keys(PATTERNS)).map(pattern => ({ type: 'string', pattern })),
  fc.constantFrom(...Object.keys(FORMATS)).map(format => ({ format })),
  fc.constantFrom('number', 'boolean', 'null', 'string', 'integer').map(type => ({ type })),
  fc.constantFrom({}, true, { type: 'object' }, { type: ['array', 'null'] }),
  json.map(value => ({ const: value })),
  fc.array(json, { minLength: 1, maxLength: 4 }).map(values => ({ enum: values })),
);

const { schema } = fc.letrec<{ schema: Json }>(tie => {
  const list = fc.array(tie('schema'), { minLength: 1, maxLength: 3 });
  const items = fc
    .record({ items: tie('schema'), minItems: fc.nat(2), extra: fc.nat(2), hasMost: fc.boolean() })
    .map(({ items: each, minItems, extra, hasMost }) => ({
      type: 'array',
      items: each,
      minItems,
      ...(hasMost && { maxItems: minItems + extra }),
    }));
  const tuple = fc
    .record({ prefixItems: list, items: fc.option(tie('schema')) })
    .map(({ prefixItems, items: others }) => ({ prefixItems, ...(others && { items: others }) }));
  const object = fc
    .record({
      properties: fc.dictionary(name, tie('schema'), { maxKeys: 4, noNullPrototype: true }),
      required: fc.uniqueArray(name, { maxLength: 2 }),
      additionalProperties: fc.oneof(fc.constantFrom(false, true, undefined), tie('schema')),
    })
    .map(({ properties, required, additionalProperties }) => ({
      type: 'object',
      properties,
      required: required.filter(each => Object.hasOwn(properties, each)),
      ...(additionalProperties !== undefined && { additionalProperties }),
    }));
  const again = fc.constant({ type: 'array', items: { $ref: '#/$defs/node' }, maxItems: 2 });
  const any = list.map(anyOf => ({ anyOf }));
  return {
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      items,
      tuple,
      object,
      any,
      again,
    ),
  };
});

/** Of any kind; `#/$defs/node` refers to itself, and others may refer to it. */
export const schemas: fc.Arbitrary<Json> = fc
  .record({ root: schema, node: schema })
  .map(({ root, node }) => ({
    anyOf: [root],
    $defs: {
      node: { anyOf: [{ type: 'integer' }, { type: 'array', items: node }] },
    },
  }));

const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)];
const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/**
 * A value that `schema`, one of the above, allows, its properties in the schema's order; undefined
 * if there is none, or none of little depth.
 */
export function sampleOf(schema: Json, random: Random, root: Json, depth = 0): Json {
  const part = (of: Json) => sampleOf(of, random, root, depth + 1);
  if (depth > 12) return undefined;
  if (schema === true || Object.keys(schema).length === 0)
    return pick(random, [...NUMBERS, ...TEXTS, [], {}, [{ a: [] }]]);
  if (schema.$ref !== undefined) return part(root.$defs.node);
  if (schema.anyOf !== undefined) return part(pick(random, schema.anyOf));
  if ('const' in schema) return schema.const;
  if ('enum' in schema) return pick(random, schema.enum);
  if ('pattern' in schema) return pick(random, PATTERNS[schema.pattern]);
  if ('format' in schema) return pick(random, FORMATS[schema.format]);
  if ('prefixItems' in schema || schema.type === 'array')
    return arrayOf(schema, random, part, depth);
  if (Array.isArray(schema.type)) return pick(random, [null, [], [1, 'a', [null]]]);
  return schema.type === 'object' ? objectOf(schema, random, part) : scalarOf(schema, random);
}

function scalarOf(schema: Json, random: Random): Json {
  if (schema.type === 'string') {
    const { minLength = 0, maxLength = minLength + 5 } = schema;
    const length = minLength + random(maxLength - minLength + 1);
    return times(length, () => pick(random, ['a', '"', '\\', 'é', '🦙', '\n', '\u001f', ' '])).join(
      '',
    );
  }
  if (schema.type === 'integer') {
    const least =
      schema.minimum ??
      (schema.exclusiveMinimum ?? (schema.maximum ?? schema.exclusiveMaximum ?? 0) - 2) + 1;
    const most = schema.maximum ?? (schema.exclusiveMaximum ?? least + 1e6) - 1;
    return pick(random, [least, most, least + random(most - least + 1)]);
  }
  if (schema.type === 'number') return pick(random, NUMBERS);
  return schema.type === 'boolean' ? random(2) === 1 : null;
}

type Part = (schema: Json) => Json;

function arrayOf(schema: Json, random: Random, part: Part, depth: number): Json {
  const first = (schema.prefixItems ?? []).map(part);
  const fewest = Math.max(0, (schema.minItems ?? 0) - first.length);
  const most = (schema.maxItems ?? fewest + 3) - first.length;
  const count =
    schema.items === undefined || depth > 4 ? fewest : fewest + random(most - fewest + 1);
  const all = [...first, ...times(count, () => part(schema.items))];
  return all.includes(undefined) ? undefined : all;
}

function objectOf(schema: Json, random: Random, part: Part): Json {
  const {
    properties = {},
    required = [],
    additionalProperties = schema.properties === undefined,
  } = schema;
  const entries = Object.entries<Json>(properties)
    .filter(([each]) => required.includes(each) || random(2) === 1)
    .map(([each, of]): [string, Json] => [each, part(of)]);
  if (additionalProperties !== false) {
    const others = ['c', 'aé', 'b"', '🦙'].filter(
      each => !Object.hasOwn(properties, each) && random(3) === 0,
    );
    entries.push(...others.map((each): [string, Json] => [each, part(additionalProperties)]));
  }
  const isMissing = entries.some(([, value]) => value === undefined);
  return isMissing ? undefined : Object.fromEntries(entries);
}
