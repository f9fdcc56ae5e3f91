/**
 * The library's tables of options as flags: `maxNewTokens` is `--max-new-tokens`, in --help, when
 * it is read, and in what is said when it is wrong.
 */
import { LlamaError } from '../../base/errors.js';
import type { OptionEntry, OptionTable } from '../../base/options.js';
import type { Option, Options } from './options.js';

/** Without the dashes. */
export const flagOf = (name: string): string =>
  name.replace(/[A-Z]/g, capital => `-${capital.toLowerCase()}`);

/** Those of a table that a command line can have, in its order. */
export function flagsOf<T>(table: OptionTable<T>): Option[] {
  return forPeople(table).map(([name, entry]) => ({
    name: flagOf(name),
    value: entry.value!,
    help: helpOf(entry),
    multiple: entry.range.kind === 'texts',
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

/** An error about an option of the library, said of the flag; any other as it is. */
export function aboutFlags(error: unknown, flags: readonly Option[]): unknown {
  if (!(error instanceof LlamaError) || error.option === undefined) return error;
  const { code, option, message } = error;
  if (!flags.some(({ name }) => name === flagOf(option))) return error;
  const words = new RegExp(`(?<![\\w-])${option}\\b`, 'g');
  return new LlamaError(code, message.replace(words, `--${flagOf(option)}`), {
    cause: error,
    option,
  });
}

const forPeople = <T>(table: OptionTable<T>): [string, OptionEntry][] =>
  Object.entries<OptionEntry>(table).filter(([, { value }]) => value !== undefined);

function helpOf({ owner, help = '', default: standard, otherwise }: OptionEntry): string {
  const condition = owner === 'exact' || owner === 'wasm' ? `With --kernels ${owner}: ` : '';
  const value = Array.isArray(standard) ? '' : String(standard ?? '');
  if (value === '' && otherwise === undefined) return condition + help;
  const meaning = otherwise === undefined ? '' : `: ${otherwise}`;
  return `${condition}${help} Default${value && ` ${value}`}${meaning}.`;
}

function valueOfFlag(options: Options, flag: string, kind: OptionEntry['range']['kind']): unknown {
  if (kind === 'texts') return options.texts(flag);
  if (options.text(flag) === undefined) return undefined;
  if (kind === 'integer') return options.integer(flag);
  if (kind === 'number') return options.number(flag);
  return kind === 'choice' ? options.choice(flag) : options.text(flag);
}
