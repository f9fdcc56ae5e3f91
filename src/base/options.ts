/**
 * How options are refused: by name, with the value and the range. Shared by everything that takes
 * an options object.
 */
import { check, show } from './errors.js';

/** Throws BAD_OPTION unless `holds`; `range` completes the sentence "it must be …". */
export function checkOption(name: string, value: unknown, holds: boolean, range: string): void {
  check(holds, 'BAD_OPTION', () => `${name} is ${show(value)}; it must be ${range}`);
}

/**
 * Throws BAD_OPTION at the first key of `options` that is not in `known`: a misspelt option must
 * not be ignored.
 */
export function refuseUnknownOptions(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find(name => !known.includes(name));
  check(
    unknown === undefined,
    'BAD_OPTION',
    () => `${show(unknown)} is not an option; there are: ${known.join(', ')}`,
  );
}

export const isNumberFrom = (value: unknown, low: number, high: number): boolean =>
  typeof value === 'number' && value >= low && value <= high;

export const isIntegerFrom = (
  value: unknown,
  low: number,
  high = Number.MAX_SAFE_INTEGER,
): boolean => Number.isSafeInteger(value) && isNumberFrom(value, low, high);
