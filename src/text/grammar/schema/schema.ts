/** A JSON Schema as it is given, and what is said if it is not as it should be. */
import { type LlamaError, show } from '../../../base/errors.js';
import { isObject } from '../../../base/json.js';
import { badOption, isIntegerFrom } from '../../../base/options.js';
import { isKeyword, KEYWORDS } from './keywords.js';

/** An object of keywords, and where it stands: a JSON pointer such as #/properties/name. */
export interface Schema {
  readonly at: string;
  readonly keywords: Readonly<Record<string, unknown>>;
}

/** BAD_OPTION about option `schema`: what is wrong, and where. */
export function badSchema(at: string, problem: string): LlamaError {
  return badOption('schema', `schema, at ${at}: ${problem}`);
}

/**
 * An object of known keywords, or true or false.
 *
 * @throws {LlamaError} BAD_OPTION, naming the keyword and where it stands
 */
export function checkSchema(value: unknown, at: string): Schema | boolean {
  if (typeof value === 'boolean') return value;
  if (!isObject(value))
    throw badSchema(at, `${show(value)} is no schema, which is an object, true or false`);
  const unknown = Object.keys(value).find(name => !isKeyword(name));
  if (unknown !== undefined) {
    const known = Object.keys(KEYWORDS).join(', ');
    throw badSchema(at, `keyword ${show(unknown)} is not supported; those that are: ${known}`);
  }
  return { at, keywords: value };
}

/** A part of a pointer (RFC 6901 §3). */
export const pointerTo = (at: string, ...parts: readonly (string | number)[]): string =>
  [at, ...parts.map(part => String(part).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');

/** The value of a keyword, which must be what `is` says, if there is one. */
export function take<T>(
  { at, keywords }: Schema,
  keyword: string,
  is: string,
  has: (value: unknown) => value is T,
): T | undefined {
  if (!Object.hasOwn(keywords, keyword)) return undefined;
  const value = keywords[keyword];
  if (has(value)) return value;
  throw badSchema(at, `${keyword} is ${show(value)}; it must be ${is}`);
}

export const takeCount = (schema: Schema, keyword: string): number | undefined =>
  take(schema, keyword, 'an integer, 0 or more', (value): value is number =>
    isIntegerFrom(value, 0),
  );

export const takeNumber = (schema: Schema, keyword: string): number | undefined =>
  take(schema, keyword, 'a number', (value): value is number => Number.isFinite(value));

export const takeText = (schema: Schema, keyword: string): string | undefined =>
  take(schema, keyword, 'a string', (value): value is string => typeof value === 'string');

export const takeObject = (schema: Schema, keyword: string): Record<string, unknown> | undefined =>
  take(schema, keyword, 'an object', isObject);

export const takeList = (schema: Schema, keyword: string): unknown[] | undefined =>
  take(schema, keyword, 'a list with something in it', (value): value is unknown[] => {
    return Array.isArray(value) && value.length > 0;
  });

export const takeTexts = (schema: Schema, keyword: string): string[] | undefined =>
  take(schema, keyword, 'a list of strings', (value): value is string[] => {
    return Array.isArray(value) && value.every(item => typeof item === 'string');
  });
