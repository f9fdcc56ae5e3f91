/**
 * The library's tables of options as flags: `maxNewTokens` is `--max-new-tokens`, in --help, when
 * it is read, and in what is said when it is wrong.
 */
import { check, LlamaError, show } from '../../base/errors.js';
import {
  checkOptions,
  type FlagKind,
  integer,
  type OptionEntry,
  type OptionTable,
  type Range,
} from '../../base/options.js';
import { separateWords } from '../../base/text.js';
import type { Option, Options } from './options.js';
import { parseIntegers } from './token-list.js';

/** What may be given several times. */
const SEVERAL: readonly (FlagKind | undefined)[] = ['texts', 'idLists', 'biases'];

/** Without the dashes. */
const flagOf = (name: string): string => separateWords(name, '-');

const nameOf = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Those of a table that a command line can have, in its order. */
export function flagsOf<T>(table: OptionTable<T>): Option[] {
  return forPeople(table).map(([name, entry]) => ({
    name: flagOf(name),
    ...(entry.short && { short: entry.short }),
    ...(entry.value && { value: entry.value }),
    help: helpOf(entry, 'kernels' in table),
    multiple: SEVERAL.includes(entry.range.kind),
    ...(entry.range.choices && { choices: entry.range.choices }),
  }));
}

/** Their values; undefined for what is not given. Ranges are checked by who takes them. */
export function readFlags<T>(options: Options, table: OptionTable<T>): Partial<T> {
  const read = forPeople(table).map(([name, { range }]) => {
    return [name, valueOfFlag(options, flagOf(name), range.kind)];
  });
  return Object.fromEntries(read) as Partial<T>;
}

/** How many, of what there must be one. */
export const count: Range = { ...integer(1), is: '1 or more' };

/** The same with defaults, for a verb's own table; throws BAD_OPTION for what is out of range. */
export const readOwnFlags = <T extends object>(options: Options, table: OptionTable<T>): T =>
  checkOptions(readFlags(options, table) as T, table);

/** An error about an option of the library, said of the flag; any other as it is. */
export function aboutFlags(error: unknown, flags: readonly Option[]): unknown {
  if (!(error instanceof LlamaError) || error.option === undefined) return error;
  const { code, option, message } = error;
  if (!flags.some(({ name }) => name === flagOf(option))) return error;
  // Beside it only names that are no words: "context" is one, "maxLength" is none.
  const names = flags.map(({ name }) => nameOf(name)).filter(name => /[A-Z]/.test(name));
  const words = new RegExp(`(?<![\\w-])(${[option, ...names].join('|')})\\b`, 'g');
  const said = message.replace(words, name => `--${flagOf(name)}`);
  return new LlamaError(code, said, { cause: error, option });
}

const forPeople = <T>(table: OptionTable<T>): [string, OptionEntry][] =>
  Object.entries<OptionEntry>(table).filter(([, { help }]) => help !== undefined);

/** `hasKernels`: whether kernels can be chosen, so that one may have no use for the option. */
function helpOf(
  { owner, help = '', default: standard, otherwise }: OptionEntry,
  hasKernels: boolean,
): string {
  const isOfKernels = owner === 'exact' || owner === 'wasm';
  const does =
    isOfKernels && hasKernels
      ? `With --kernels ${owner}: ${help[0].toLowerCase()}${help.slice(1)}`
      : help;
  const value = typeof standard === 'object' ? '' : String(standard ?? '');
  if (value === '' && otherwise === undefined) return does;
  const meaning = otherwise === undefined ? '' : `: ${otherwise}`;
  return `${does} Default${value && ` ${value}`}${meaning}.`;
}

function valueOfFlag(options: Options, flag: string, kind?: FlagKind): unknown {
  if (options.text(flag) === undefined) return undefined;
  if (kind === 'switch') return options.flag(flag);
  if (kind === 'texts') return options.texts(flag);
  if (kind === 'ids') return parseIntegers(options.text(flag)!, `--${flag}`);
  if (kind === 'idLists') return options.texts(flag).map(text => parseIntegers(text, `--${flag}`));
  if (kind === 'biases') return Object.fromEntries(options.texts(flag).map(parseBias));
  if (kind === 'integer') return options.integer(flag);
  if (kind === 'number') return options.number(flag);
  return kind === 'choice' ? options.choice(flag) : options.text(flag);
}

/** `15:-2.5` as id and number; `15:-Infinity` too. */
function parseBias(text: string): [number, number] {
  const [, id, bias] = /^(\d+):(\S+)$/.exec(text) ?? [];
  check(
    id !== undefined && !Number.isNaN(Number(bias)),
    'BAD_OPTION',
    () => `--logit-bias is ${show(text)}; it must be a token id and a number, such as 15:-2.5`,
  );
  return [Number(id), Number(bias)];
}
