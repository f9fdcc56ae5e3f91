/** Values of a tokenizer's JSON files, checked; and what is said of those not understood. */
import { check, LlamaError, show } from '../../base/errors.js';
import { isObject } from '../../base/json.js';

export type Json = Readonly<Record<string, unknown>>;

export function object(value: unknown, name: string): Json {
  check(isObject(value), 'BAD_TOKENIZER', () => `${name} is ${show(value)}, not an object`);
  return value;
}

export function array(value: unknown, name: string): readonly unknown[] {
  check(Array.isArray(value), 'BAD_TOKENIZER', () => `${name} is ${show(value)}, not an array`);
  return value;
}

export function integer(value: unknown, name: string): number {
  check(Number.isSafeInteger(value), 'BAD_TOKENIZER', () => {
    return `${name} is ${show(value)}, not an integer`;
  });
  return value as number;
}

export function boolean(value: unknown, name: string): boolean {
  check(typeof value === 'boolean', 'BAD_TOKENIZER', () => {
    return `${name} is ${show(value)}, not true or false`;
  });
  return value;
}

export function refuseUnknownKeys(value: Json, known: readonly string[], name: string): void {
  const key = Object.keys(value).find(each => !known.includes(each));
  check(key === undefined, 'UNSUPPORTED', () => {
    return (
      `unknown key ${show(key)} in ${name} (value ${show(value[key!])}): it may change the ids. ` +
      'If it does not, delete it from the file, and please report it so that it is known next time'
    );
  });
}

export function expectJson(value: unknown, expected: unknown, name: string): void {
  if (!matches(value, expected)) throw unsupported(name, value, show(expected));
}

export function unsupported(name: string, value: unknown, expected: string): LlamaError {
  const given = value === undefined ? 'missing' : show(value);
  return new LlamaError(
    'UNSUPPORTED',
    `${name} is ${given}; only ${expected}, as Llama has it, is implemented, and the ids would ` +
      'be others',
  );
}

/** The same JSON, in whatever order the keys are. */
export function matches(value: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return value === expected;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) !== Array.isArray(expected)) return false;
  const keys = Object.keys(expected);
  if (keys.length !== Object.keys(value).length) return false;
  return keys.every(key => matches((value as Json)[key], (expected as Json)[key]));
}

/** The components of a Sequence, and of those within it; one that is none is alone. */
export function flat(component: unknown, name: string, parts: string): readonly Json[] {
  if (component === null || component === undefined) return [];
  const json = object(component, name);
  const { type, [parts]: list } = json;
  if (type !== 'Sequence' || !Array.isArray(list)) return [json];
  return list.flatMap(each => flat(each, name, parts));
}
