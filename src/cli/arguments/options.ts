/**
 * Verbs and their options: one table, which the parser, --help and the docs read.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { check, LlamaError, show } from '../../base/errors.js';
import type { Io } from '../terminal/io.js';

export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** A letter that stands for it after one dash, where people know one from elsewhere. */
  readonly short?: string | undefined;
  /** What stands for the value in --help: N, TEXT …; a switch, which takes none, has none. */
  readonly value?: string;
  /** One sentence or two; with the default, if there is one. */
  readonly help: string;
  /** The values allowed; the first is the default. */
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly multiple?: boolean;
}

export interface Verb {
  readonly name: string;
  /** What follows the name in the first line of --help. */
  readonly usage: string;
  readonly summary: string;
  /** Paragraphs for --help. */
  readonly details: readonly string[];
  readonly options: readonly Option[];
  /** What --json prints. */
  readonly json: string;
  /** The name of the one argument that is not an option, if the verb has one. */
  readonly argument?: string;
  /** How many of these there may be. Default 1. */
  readonly mostArguments?: number;
  run(options: Options, io: Io): Promise<void>;
}

/** Which model: what every verb has that takes one. */
export const MODEL: readonly Option[] = [
  {
    name: 'model',
    short: 'm',
    value: 'M',
    help:
      'Directory with config.json, weights and tokenizer, as Hugging Face has it; or a GGUF ' +
      'file; or, if there is no such path, a model of the Hugging Face hub, owner/name or ' +
      'owner/name:file.gguf, which is downloaded into its cache. Default: tiny-32k, a small ' +
      'trained model that comes with the package.',
  },
  {
    name: 'revision',
    value: 'R',
    help: 'With a model of the hub, the branch, tag or commit. Default main.',
  },
];

const HELP: Option = { name: 'help', short: 'h', help: 'Show this.' };

/** Those of the verb, and --json and --help, which every verb has. */
export function optionsOf(verb: Verb): Option[] {
  return [...verb.options, { name: 'json', help: verb.json }, HELP];
}

/** What was given on the command line. Readers throw BAD_OPTION, naming option, value and range. */
export class Options {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #table: readonly Option[];
  /** Those that are not options. */
  readonly arguments: readonly string[];

  constructor(
    table: readonly Option[],
    values: Readonly<Record<string, unknown>>,
    positionals: readonly string[],
  ) {
    this.#table = table;
    this.#values = values;
    this.arguments = positionals;
  }

  /** The one that is not an option. */
  get argument(): string | undefined {
    return this.arguments[0];
  }

  /** Names of the options that were given. */
  given(): string[] {
    return Object.keys(this.#values);
  }

  flag(name: string): boolean {
    return this.#value(name) === true;
  }

  text(name: string): string | undefined {
    return this.#value(name) as string | undefined;
  }

  texts(name: string): readonly string[] {
    return (this.#value(name) ?? []) as string[];
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const holds = text.trim() !== '' && Number.isFinite(Number(text));
    check(holds, 'BAD_OPTION', () => `--${name} is ${show(text)}; it must be a number`);
    return Number(text);
  }

  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const holds = /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text));
    check(
      holds,
      'BAD_OPTION',
      () => `--${name} is ${show(text)}; it must be an integer, below 2^53`,
    );
    return Number(text);
  }

  /** One of the option's choices, in whatever case; the first if it was not given. */
  choice(name: string): string {
    const { choices = [] } = this.#option(name);
    const text = this.text(name) ?? choices[0];
    const chosen = choices.find(choice => choice === text.toLowerCase());
    check(
      chosen !== undefined,
      'BAD_OPTION',
      () => `--${name} is ${show(text)}; there is: ${choices.join(', ')}`,
    );
    return chosen;
  }

  #value(name: string): unknown {
    return this.#values[this.#option(name).name];
  }

  #option(name: string): Option {
    const option = this.#table.find(each => each.name === name);
    if (option === undefined)
      throw new RangeError(`name: --${name} is not in the table of this verb`);
    return option;
  }
}

/**
 * Throws BAD_OPTION on what the verb does not have, and on an option given twice that can hold only
 * once.
 */
export function parseOptions(verb: Verb, args: readonly string[]): Options {
  const table = optionsOf(verb);
  const { values, positionals, tokens } = parse(verb, withNegativeValues(table, args));
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const repeated =
      seen.has(token.name) && !table.find(({ name }) => name === token.name)?.multiple;
    check(!repeated, 'BAD_OPTION', () => `--${token.name} is given twice; which one holds?`);
    seen.add(token.name);
  }
  const { mostArguments: most = 1 } = verb;
  check(positionals.length <= most, 'BAD_OPTION', () => {
    return (
      `${verb.argument} is ${most === 1 ? 'one argument' : `at most ${most} arguments`}, but ` +
      `there are ${positionals.length}: ` +
      `${show(positionals)}; quote it if it has spaces`
    );
  });
  return new Options(table, values, positionals);
}

function parse(verb: Verb, args: string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const { name, short, value, multiple = false } of optionsOf(verb)) {
    const type = value === undefined ? 'boolean' : 'string';
    options[name] = { type, multiple, ...(short && { short }) };
  }
  try {
    return parseArgs({
      args,
      options,
      strict: true,
      allowPositionals: verb.argument !== undefined,
      tokens: true,
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new LlamaError('BAD_OPTION', sayWrong(verb, error), { cause: error });
  }
}

/** What parseArgs says; where it knows no next step, with one. */
function sayWrong(verb: Verb, error: TypeError & { code?: unknown }): string {
  const message = error.message.replace(/\.$/, '');
  if (error.code !== 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return message;
  const takers = ['prompt', 'model'].filter(name => optionsOf(verb).some(o => o.name === name));
  return (
    `${message.replace(/\. This command .*$/s, '')}; give it as ` +
    `${takers.map(name => `--${name}`).join(' or ')}, and quote what has spaces`
  );
}

/**
 * `--positions -1` as `--positions=-1`: to parseArgs what begins with a dash could be an option.
 */
function withNegativeValues(table: readonly Option[], args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const previous = joined.at(-1);
    const takesValue = table.some(
      ({ name, value }) => value !== undefined && previous === `--${name}`,
    );
    if (takesValue && /^-\d/.test(arg)) joined.splice(-1, 1, `${previous}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}
