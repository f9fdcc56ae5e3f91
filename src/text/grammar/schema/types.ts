/** Which types a schema allows. */
import { isKeyword, KEYWORDS, TYPES, type TypeName } from './keywords.js';
import { badSchema, type Schema, take } from './schema.js';

const isType = (value: unknown): value is TypeName => TYPES.includes(value as TypeName);

/**
 * Those that `type` names; without it, those that the other keywords are about; without any, all.
 * (JSON Schema lets values of other types pass there, which nobody means who writes `properties`.)
 */
export function typesOf(schema: Schema): readonly TypeName[] {
  const named = take(
    schema,
    'type',
    `one of ${TYPES.join(', ')}, or a list of them`,
    (value): value is TypeName | TypeName[] => {
      return isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType));
    },
  );
  if (named !== undefined) return [named].flat();
  const meant = new Set<TypeName>();
  for (const keyword of Object.keys(schema.keywords)) {
    const group = isKeyword(keyword) ? KEYWORDS[keyword] : 'any';
    if (isType(group)) meant.add(group);
  }
  if (meant.has('integer')) throw badSchema(schema.at, 'bounds need a type; they are for integers');
  return meant.size > 0 ? [...meant] : TYPES.filter(type => type !== 'integer');
}

/** The type of a value of JSON; of a number that is an integer, this. */
export function typeOf(value: unknown): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value as TypeName;
}

/** Whether a value of type `one` is of type `other`. */
export const isOfType = (one: TypeName, other: TypeName): boolean =>
  one === other || (one === 'integer' && other === 'number');
