/**
 * Options: what each may be, and how what it may not be is refused: by name, with the value and the
 * range.
 *
 * A function's options are a table, one entry each, which is checked against their interface when
 * it is compiled. Checks, defaults, the command line and its --help are all made of it.
 */
import { LlamaError, show } from './errors.js';

/** The forms that an option may have on a command line. */
export type FlagKind =
  | 'integer'
  | 'number'
  | 'switch'
  | 'choice'
  | 'texts'
  | 'ids'
  | 'idLists'
  | 'biases';

/** What an option may be. */
export interface Range {
  /** How a command line reads it; without it the option is for programs only. */
  readonly kind?: FlagKind;
  /** Completes the sentence "it must be …". */
  readonly is: string;
  readonly has: (value: unknown) => boolean;
  /** Of a list: what an item must be. */
  readonly hasItem?: (item: unknown) => boolean;
  /** Of a choice: all there are. */
  readonly choices?: readonly string[];
}

/** One option: a line of a table. */
export interface OptionEntry<T = unknown> {
  readonly range: Range;
  /** Filled in where nothing is given. */
  readonly default?: T;
  /** What it means that nothing is given, after "Default: " or "Default 0: ". */
  readonly otherwise?: string;
  /** Without what it has no effect: kernels of one kind, or a temperature. */
  readonly owner?: 'exact' | 'wasm' | 'sampling';
  /** A letter for a command line, where people know one from elsewhere. */
  readonly short?: string;
  /** What stands for the value in --help; a switch has none. */
  readonly value?: string;
  /** What it does, in a sentence for --help. Without it the option is for programs only. */
  readonly help?: string;
}

/** An entry for every option of the interface `T`; one too many or one too few does not compile. */
export type OptionTable<T> = { readonly [Name in keyof T]-?: OptionEntry<T[Name]> };

/** The options of `T`, each with a value. */
export type Complete<T> = { readonly [Name in keyof T]-?: NonNullable<T[Name]> };

/** Numbers `from` … `to`; `from` the smallest number above 0 excludes 0. */
export const number = (from: number, to = Number.MAX_VALUE): Range => ({
  kind: 'number',
  is: `a number${bounds(from, to, Number.MAX_VALUE)}`,
  has: value => isNumberFrom(value, from, to),
});

export const integer = (from: number, to = Number.MAX_SAFE_INTEGER): Range => ({
  kind: 'integer',
  is: `an integer${bounds(from, to, Number.MAX_SAFE_INTEGER)}`,
  has: value => isIntegerFrom(value, from, to),
});

export const boolean: Range = {
  kind: 'switch',
  is: 'true or false',
  has: value => typeof value === 'boolean',
};

export const oneOf = (choices: readonly string[]): Range => ({
  kind: 'choice',
  is: `one of ${choices.join(', ')}`,
  has: value => choices.includes(value as string),
  choices,
});

/** A list, each of whose items `has`; `is` names the items. */
export const listOf = (is: string, has: (item: unknown) => boolean): Range => ({
  is: `a list of ${is}`,
  has: value => Array.isArray(value) && value.every(has),
  hasItem: has,
});

/** Token ids. */
export const idList: Range = {
  kind: 'ids',
  ...listOf('token ids', item => isIntegerFrom(item, 0)),
};

/** Lists of token ids, none of them empty. */
export const idLists: Range = {
  kind: 'idLists',
  ...listOf('lists of token ids', item => idList.has(item) && (item as []).length > 0),
};

/** A number for each of some token ids. */
export const biases: Range = {
  kind: 'biases',
  is: 'an object of a number for each token id',
  has: value =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(
      ([id, bias]) => /^\d+$/.test(id) && isNumberFrom(bias, -Infinity, Number.MAX_VALUE),
    ),
};

export const object = (is: string, has: (value: object) => boolean): Range => ({
  is,
  has: value => typeof value === 'object' && value !== null && has(value),
});

export const callback: Range = {
  is: 'a function',
  has: value => typeof value === 'function',
};

export const abortSignal: Range = object('an AbortSignal', value => value instanceof AbortSignal);

function bounds(from: number, to: number, largest: number): string {
  if (from === -largest) return '';
  if (from === Number.MIN_VALUE) return to < largest ? ` above 0, at most ${to}` : ' above 0';
  return to < largest ? ` from ${from} to ${to}` : `, ${from} or more`;
}

/**
 * The options, with defaults where nothing is given; undefined is nothing, null is not.
 *
 * @throws {LlamaError} BAD_OPTION, with `option`, at the first that is not in the table or out of
 * its range
 */
export function checkOptions<T extends object>(options: T, table: OptionTable<T>): T {
  refuseUnknownOptions(options, Object.keys(table));
  return checkValues(options, table);
}

/**
 * The same for those of the table, among others that somebody else checks; the result has none of
 * these.
 *
 * @throws {LlamaError} BAD_OPTION, with `option`, at the first that is out of its range
 */
export function checkValues<T extends object>(options: T, table: OptionTable<T>): T {
  const checked: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries<OptionEntry>(table)) {
    const value = options[name as keyof T];
    if (value !== undefined && !entry.range.has(value)) throw outOfRange(name, value, entry.range);
    checked[name] = value === undefined ? entry.default : value;
  }
  return checked as T;
}

/** Of a list, the first item that is wrong is named, and not all of it. */
function outOfRange(name: string, value: unknown, { is, hasItem }: Range): LlamaError {
  const index = hasItem && Array.isArray(value) ? value.findIndex(item => !hasItem(item)) : -1;
  const found = index === -1 ? `is ${show(value)}` : `has ${show((value as unknown[])[index])}`;
  return badOption(name, `${name} ${found}; it must be ${is}`);
}

/** Throws BAD_OPTION unless `holds`; `range` completes the sentence "it must be …". */
export function checkOption(name: string, value: unknown, holds: boolean, range: string): void {
  if (!holds) throw badOption(name, `${name} is ${show(value)}; it must be ${range}`);
}

/** BAD_OPTION about option `name`, with which the message begins. */
export const badOption = (name: string, message: string): LlamaError =>
  new LlamaError('BAD_OPTION', message, { option: name });

/**
 * Throws BAD_OPTION at the first key of `options` that is not in `known`: a misspelt option must
 * not be ignored.
 */
export function refuseUnknownOptions(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find(name => !known.includes(name));
  if (unknown === undefined) return;
  throw badOption(unknown, `${show(unknown)} is not an option; there are: ${known.join(', ')}`);
}

export const isNumberFrom = (value: unknown, low: number, high: number): boolean =>
  typeof value === 'number' && value >= low && value <= high;

export const isIntegerFrom = (
  value: unknown,
  low: number,
  high = Number.MAX_SAFE_INTEGER,
): boolean => Number.isSafeInteger(value) && isNumberFrom(value, low, high);
