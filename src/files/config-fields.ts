/**
 * Reading a configuration field by field, whatever the file. A field without a fallback must be
 * there.
 */

import { check, show } from '../base/errors.js';

/** A configuration by its keys, unchecked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Sizes beyond this are damage, not models. */
const LARGEST_SIZE = 2 ** 31;

/**
 * The one value among those that are given.
 * @throws {LlamaError} BAD_CONFIG if two of them differ.
 */
export function agree<T>(what: string, values: readonly (T | undefined)[]): T | undefined {
  const given = values.filter(value => value !== undefined);
  for (const value of given) {
    check(
      value === given[0],
      'BAD_CONFIG',
      () => `${what} is given twice: ${show(given[0])} and ${show(value)}`,
    );
  }
  return given[0];
}

/** `value`, or `fallback` if it is absent: null is a value. */
export function orDefault<T>(value: T | undefined, fallback: T): T {
  return value === undefined ? fallback : value;
}

export function size(fields: Fields, key: string, fallback?: number): number {
  const value = orDefault(fields[key], fallback);
  check(
    Number.isInteger(value) && (value as number) > 0 && (value as number) <= LARGEST_SIZE,
    'BAD_CONFIG',
    () => `${key} is ${show(fields[key])}; it must be an integer from 1 to 2^31`,
  );
  return value as number;
}

export function positive(fields: Fields, key: string, fallback?: number): number {
  const value = orDefault(fields[key], fallback);
  check(
    Number.isFinite(value) && (value as number) > 0,
    'BAD_CONFIG',
    () => `${key} is ${show(fields[key])}; it must be a number above 0`,
  );
  return value as number;
}

export function boolean(fields: Fields, key: string, fallback: boolean): boolean {
  const value = orDefault(fields[key], fallback);
  check(
    typeof value === 'boolean',
    'BAD_CONFIG',
    () => `${key} is ${show(value)}; it must be true or false`,
  );
  return value;
}

export function tokenId(value: unknown, key: string): number {
  check(
    Number.isInteger(value) && (value as number) >= 0,
    'BAD_CONFIG',
    () => `${key} is ${show(value)}; a token id is an integer from 0 up`,
  );
  return value as number;
}
