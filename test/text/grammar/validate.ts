/** The supported keywords of JSON Schema, written from its text, without a look at the grammar. */

/* biome-ignore lint/suspicious/noExplicitAny: schemas and values of any kind */
export type Json = any;

const TYPE_CHECKS: Record<string, (value: Json) => boolean> = {
  string: value => typeof value === 'string',
  number: value => typeof value === 'number',
  integer: value => typeof value === 'number' && Number.isInteger(value),
  boolean: value => typeof value === 'boolean',
  null: value => value === null,
  array: Array.isArray,
  object: value => typeof value === 'object' && value !== null && !Array.isArray(value),
};

const FORMAT_CHECKS: Record<string, (value: string) => boolean> = {
  date: isDate,
  time: isTime,
  'date-time': value => isDate(value.slice(0, 10)) && value[10] === 'T' && isTime(value.slice(11)),
  uuid: value => /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(value),
};

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && date.toJSON()?.slice(0, 10) === text;
}

function isTime(text: string): boolean {
  const parts = /^(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-](\d\d):(\d\d))$/.exec(text);
  if (parts === null) return false;
  const [hour, minute, second] = parts.slice(1, 4).map(Number);
  const [zoneHour, zoneMinute] = [Number(parts[6] ?? 0), Number(parts[7] ?? 0)];
  return hour < 24 && minute < 60 && second < 60 && zoneHour < 24 && zoneMinute < 60;
}

const equal = (a: Json, b: Json): boolean => {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  const [ours, theirs] = [Object.keys(a).sort(), Object.keys(b).sort()];
  return (
    Array.isArray(a) === Array.isArray(b) &&
    ours.join() === theirs.join() &&
    ours.every(key => equal(a[key], b[key]))
  );
};

/** Whether `value` holds to `schema`, a part of `root`. */
export function isValid(schema: Json, value: Json, root: Json = schema): boolean {
  if (typeof schema === 'boolean') return schema;
  const holds = (part: Json, of: Json): boolean => isValid(part, of, root);
  if (schema.$ref !== undefined) {
    let target = root;
    for (const part of schema.$ref.split('/').slice(1))
      target = target[decodeURIComponent(part).replaceAll('~1', '/')];
    if (!holds(target, value)) return false;
  }
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.some((type: string) => TYPE_CHECKS[type](value))) return false;
  if ('const' in schema && !equal(schema.const, value)) return false;
  if ('enum' in schema && !schema.enum.some((one: Json) => equal(one, value))) return false;
  if (schema.anyOf && !schema.anyOf.some((part: Json) => holds(part, value))) return false;
  if (schema.allOf && !schema.allOf.every((part: Json) => holds(part, value))) return false;
  if (typeof value === 'string') return isValidString(schema, value);
  if (typeof value === 'number') return isValidNumber(schema, value);
  if (Array.isArray(value)) return isValidArray(schema, value, holds);
  return TYPE_CHECKS.object(value) ? isValidObject(schema, value, holds) : true;
}

function isValidString(schema: Json, value: string): boolean {
  const { length } = [...value];
  return (
    length >= (schema.minLength ?? 0) &&
    length <= (schema.maxLength ?? Infinity) &&
    (schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value)) &&
    (schema.format === undefined || FORMAT_CHECKS[schema.format](value))
  );
}

function isValidNumber(schema: Json, value: number): boolean {
  return (
    Number.isFinite(value) &&
    value >= (schema.minimum ?? -Infinity) &&
    value <= (schema.maximum ?? Infinity) &&
    value > (schema.exclusiveMinimum ?? -Infinity) &&
    value < (schema.exclusiveMaximum ?? Infinity)
  );
}

type Holds = (schema: Json, value: Json) => boolean;

function isValidArray(schema: Json, value: Json[], holds: Holds): boolean {
  const first: Json[] = schema.prefixItems ?? [];
  return (
    value.length >= (schema.minItems ?? 0) &&
    value.length <= (schema.maxItems ?? Infinity) &&
    value.every((item, i) => holds(first[i] ?? schema.items ?? true, item))
  );
}

function isValidObject(schema: Json, value: Record<string, Json>, holds: Holds): boolean {
  const properties = schema.properties ?? {};
  const { required = [], additionalProperties = true } = schema;
  return (
    required.every((name: string) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, part]) => {
      const own = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
      return holds(own, part);
    })
  );
}
