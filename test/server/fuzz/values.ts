/** Values that a JSON Schema allows, as zod writes schemas, and values that hardly any allows. */
import fc from 'fast-check';

/** What zod writes of a schema; only the keywords that this project's schemas come to. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

/** Values that are allowed where any would be by the schema alone, so that some are answered. */
const USEFUL: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  model: fc.constantFrom('tiny-32k', 'alias'),
  numerics: fc.constant('wasm'),
  max_tokens: fc.integer({ min: 1, max: 12 }),
  max_completion_tokens: fc.integer({ min: 1, max: 12 }),
};

const MORE_ITEMS = 3;

export function allowedBy(schema: Schema): fc.Arbitrary<unknown> {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(allowedBy));
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const types = [schema.type ?? 'any'].flat() as string[];
  return fc.oneof(...types.map(type => OF_TYPE[type](schema)));
}

const OF_TYPE: Readonly<Record<string, (schema: Schema) => fc.Arbitrary<unknown>>> = {
  null: () => fc.constant(null),
  boolean: () => fc.boolean(),
  any: () => fc.jsonValue(),
  string: ({ minLength = 0, pattern }) =>
    pattern === undefined
      ? fc.oneof(words, fc.string({ unit: 'binary', minLength }))
      : fc.nat(3000).map(String),
  integer({ minimum = -1e9, maximum = 1e9 }) {
    const likely = fc.integer({ min: minimum, max: Math.min(maximum, minimum + 40) });
    const any = fc.maxSafeInteger().filter(value => value >= minimum && value <= maximum);
    return fc.oneof({ arbitrary: likely, weight: 19 }, { arbitrary: any, weight: 1 });
  },
  number({ minimum, maximum, exclusiveMinimum }) {
    const min = minimum ?? exclusiveMinimum ?? -Number.MAX_VALUE;
    const minExcluded = exclusiveMinimum !== undefined;
    return fc.double({ min, minExcluded, max: maximum ?? Number.MAX_VALUE, noNaN: true });
  },
  array({ items = {}, prefixItems, minItems = 0, maxItems = minItems + MORE_ITEMS }) {
    if (prefixItems !== undefined) return fc.tuple(...prefixItems.map(allowedBy));
    return fc.array(allowedBy(items), { minLength: minItems, maxLength: maxItems });
  },
  object({ properties, required = [], propertyNames, additionalProperties }) {
    if (properties === undefined)
      return fc.dictionary(
        propertyNames ? (allowedBy(propertyNames) as fc.Arbitrary<string>) : fc.string(),
        allowedBy(typeof additionalProperties === 'object' ? additionalProperties : {}),
        { maxKeys: 4 },
      );
    const fields: Record<string, fc.Arbitrary<unknown>> = {};
    for (const [name, schema] of Object.entries(properties))
      fields[name] = USEFUL[name] ?? allowedBy(schema);
    return fc.record(fields, { requiredKeys: [...required] });
  },
};

const words = fc.constantFrom('Mira ', 'The lantern', 'a', '</s>', '[INST]', 'é€😀', '\n\n');

/** A number or whatever else as it stands in the text of JSON: see `jsonOf`. */
const RAW = '\u0001';
const raw = (text: string): string => RAW + text;

const LITERALS: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), Number.MAX_VALUE, Number.MIN_VALUE],
  ...[raw('1e999'), raw('-1e999'), raw('-0'), raw('1'.repeat(400)), raw('1E-999'), raw('NaN')],
  ...['', '0', '\u0000', '\ud800', '\udc00\ud800', '\ufeff', '__proto__', 'x'.repeat(3000)],
  ...['\u202e', '%00', '../../etc/passwd', '"><script>', '{{7*7}}', '$(id)', '\r\nx: y'],
];
const HOLDERS: readonly unknown[] = [
  ...[[], [[]], {}, { length: -1 }, { toString: 1 }],
  ...[nested(20), nested(31), nested(40), nested(5000)],
  ...[new Array(500).fill(0), new Array(50).fill('a')],
];

/** What hardly any field takes. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(...LITERALS),
  fc.constantFrom(...HOLDERS),
);

export const oddKey: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON'],
    ...['', '0', '-1', 'length', '\u0000', '\ud800', 'a.b', 'a[0]', 'k'.repeat(3000)],
    ...['tools', 'suffix', 'best_of', 'grammar', 'response_format', 'echo', 'max_tokens', 'n'],
  ),
  fc.string(),
);

function nested(depth: number): string {
  return raw('['.repeat(depth) + ']'.repeat(depth));
}

/** JSON, in which raw texts stand as they are. */
export function jsonOf(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.replace(/"\\u0001((?:[^"\\])*)"/g, '$1');
}
