/** --help, made of the option table. */
import { wrap } from '../../base/table.js';
import { type Option, optionsOf, type Verb } from './options.js';
import { SUGGESTIONS } from './suggestions.js';

/** As wide as text is pleasant to read; most terminals are wider. */
const WIDTH = 100;
const INDENT = '  ';

type Bold = (text: string) => string;

export function mainHelp(verbs: readonly Verb[], bold: Bold): string {
  return [
    `${bold('llama-32k')} VERB [options]`,
    '',
    'Llama-2-7B-32K-Instruct, and any Llama of its kind, in readable TypeScript.',
    '',
    bold('Verbs'),
    ...columns(verbs.map(({ name, summary }) => [name, summary])),
    '',
    'llama-32k VERB --help tells the options of a verb, llama-32k --version the version.',
    '',
    bold('To begin with'),
    ...wrap(
      'Without --model it is tiny-32k, a small model that comes with the package. It knows a few ' +
        'hundred words and a few kinds of instructions; it answers these rightly:',
      WIDTH,
    ),
    ...SUGGESTIONS.map(text => `${INDENT}llama-32k generate --prompt "${text}"`),
    '',
    bold('Exit codes'),
    ...columns([
      ['0', 'done'],
      ['1', 'failed while running, or the context is full'],
      ['2', 'the command line or the input is wrong'],
      ['3', 'the model is not there, broken, or of a kind that is not implemented'],
      ['4', 'not enough memory'],
      ['130', 'interrupted'],
      ['143', 'terminated (SIGTERM)'],
    ]),
    '',
    'Data goes to stdout, everything else to stderr. Errors are one line there; with --json the ' +
      'line is',
    '{"error":{"code","message"}}, and if stdout has a part of the output already, it is not ' +
      'complete.',
    '',
  ].join('\n');
}

export function verbHelp(verb: Verb, bold: Bold): string {
  return [
    `${bold(`llama-32k ${verb.name}`)} ${verb.usage}`,
    '',
    ...[verb.summary, ...verb.details].flatMap(paragraph => [...wrap(paragraph, WIDTH), '']),
    bold('Options'),
    ...columns(optionsOf(verb).map(option => [synopsis(option), option.help])),
    '',
  ].join('\n');
}

function synopsis({ name, short, value, multiple }: Option): string {
  const names = `${short === undefined ? '' : `-${short}, `}--${name}`;
  return `${names}${value === undefined ? '' : ` ${value}`}${multiple ? ' …' : ''}`;
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, right]) => {
    const lines = wrap(right, WIDTH - width - INDENT.length);
    return lines.map((line, i) => `${INDENT}${(i === 0 ? left : '').padEnd(width)}${line}`);
  });
}
