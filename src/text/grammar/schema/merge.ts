/**
 * `allOf` as one schema: each keyword of its parts, the narrower one where both have it. What one
 * keyword cannot say is refused.
 */
import { isAnnotation } from './keywords.js';
import { badSchema, pointerTo, type Schema, takeObject, takeTexts } from './schema.js';
import { isOfType, typesOf } from './types.js';

type Keywords = Record<string, unknown>;

/** What a value is that both hold, by keyword; those of `left` and `right` that both have. */
const NARROWER: Readonly<Record<string, (left: Schema, right: Schema) => unknown>> = {
  type: (left, right) => {
    const [ours, theirs] = [typesOf(left), typesOf(right)];
    const both = [
      ...ours.filter(type => theirs.some(other => isOfType(type, other))),
      ...theirs.filter(type => ours.some(other => other !== type && isOfType(type, other))),
    ];
    if (both.length === 0)
      throw badSchema(
        left.at,
        `its parts have no type in common: ${ours.join()}; ${theirs.join()}`,
      );
    return [...new Set(both)];
  },
  required: (left, right) => [
    ...new Set([...takeTexts(left, 'required')!, ...takeTexts(right, 'required')!]),
  ],
  properties: (left, right) => {
    const [ours, theirs] = [takeObject(left, 'properties')!, takeObject(right, 'properties')!];
    const properties = new Map(Object.entries(ours));
    for (const [name, schema] of Object.entries(theirs)) {
      const isShared = properties.has(name);
      properties.set(name, isShared ? { allOf: [properties.get(name), schema] } : schema);
    }
    return Object.fromEntries(properties);
  },
  items: (left, right) => ({ allOf: [left.keywords.items, right.keywords.items] }),
  minItems: larger('minItems'),
  minLength: larger('minLength'),
  minimum: larger('minimum'),
  exclusiveMinimum: larger('exclusiveMinimum'),
  maxItems: smaller('maxItems'),
  maxLength: smaller('maxLength'),
  maximum: smaller('maximum'),
  exclusiveMaximum: smaller('exclusiveMaximum'),
};

function larger(keyword: string) {
  return ({ keywords: a }: Schema, { keywords: b }: Schema) =>
    Math.max(a[keyword] as number, b[keyword] as number);
}

function smaller(keyword: string) {
  return ({ keywords: a }: Schema, { keywords: b }: Schema) =>
    Math.min(a[keyword] as number, b[keyword] as number);
}

/** One schema for what holds both; annotations are left out. Throws BAD_OPTION. */
export function mergeSchemas(left: Schema, right: Schema): Schema {
  checkClosed(left, right);
  checkClosed(right, left);
  const merged: Keywords = {};
  for (const [keyword, value] of Object.entries(left.keywords))
    if (!isAnnotation(keyword)) merged[keyword] = value;
  for (const [keyword, value] of Object.entries(right.keywords)) {
    if (isAnnotation(keyword)) continue;
    const isShared = Object.hasOwn(merged, keyword);
    merged[keyword] = isShared ? narrower(keyword, left, right) : value;
  }
  return { at: left.at, keywords: merged };
}

function narrower(keyword: string, left: Schema, right: Schema): unknown {
  const [ours, theirs] = [left.keywords[keyword], right.keywords[keyword]];
  if (JSON.stringify(ours) === JSON.stringify(theirs)) return ours;
  const both = NARROWER[keyword];
  if (both !== undefined) return both(left, right);
  throw badSchema(left.at, `keyword "${keyword}" is in two parts of allOf, which is not supported`);
}

/** `additionalProperties` speaks of what its own part does not name, and merged of less. */
function checkClosed(schema: Schema, other: Schema): void {
  const additional = schema.keywords.additionalProperties;
  if (additional === undefined || additional === true) return;
  const own = takeObject(schema, 'properties') ?? {};
  const names = Object.keys(takeObject(other, 'properties') ?? {});
  const foreign = names.find(name => !Object.hasOwn(own, name));
  if (foreign === undefined) return;
  throw badSchema(
    pointerTo(schema.at, 'additionalProperties'),
    `in allOf it would hold for "${foreign}" of another part too, which is not supported`,
  );
}
