import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../src/base/errors.js';
import { optionsOf, parseOptions, type Verb } from '../../src/cli/arguments/options.js';
import { parseIntegers } from '../../src/cli/arguments/token-list.js';
import { VERBS } from '../../src/cli/verbs.js';
import { cli } from './support.js';

const verb: Verb = {
  name: 'try',
  usage: '',
  summary: '',
  details: [],
  options: [
    { name: 'size', value: 'N', help: '' },
    { name: 'kind', value: 'K', help: '', choices: ['a', 'b'] },
    { name: 'stop', value: 'STR', help: '', multiple: true },
    { name: 'fast', help: '' },
  ],
  json: '',
  argument: 'TEXT',
  run: async () => {},
};

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(message) });
const parse = (...args: string[]) => parseOptions(verb, args);

describe('parseOptions', () => {
  it('reads switches, values, lists and the argument, in any order', () => {
    const options = parse('--size', '7', 'text', '--stop=x', '--fast', '--stop', 'y');
    expect(options.flag('fast')).toBe(true);
    expect(options.flag('json')).toBe(false);
    expect(options.integer('size')).toBe(7);
    expect(options.texts('stop')).toEqual(['x', 'y']);
    expect(options.argument).toBe('text');
  });

  it('gives undefined, no texts, or the first choice for what was not given', () => {
    const options = parse();
    expect([options.text('size'), options.number('size'), options.argument]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(options.texts('stop')).toEqual([]);
    expect(options.choice('kind')).toBe('a');
  });

  it('takes a negative number as a value, not as an option', () => {
    expect(parse('--size', '-1').integer('size')).toBe(-1);
    expect(parse('--size', '-1,0').text('size')).toBe('-1,0');
    expect(() => parse('--fast', '-1')).toThrow(refused(/-1/));
  });

  it.each([
    [['--sise', '7'], /--sise/],
    [['--size'], /--size/],
    [['--fast=yes'], /--fast/],
    [['--size', '1', '--size', '2'], /--size is given twice/],
    [['one', 'two'], /TEXT is one argument/],
  ])('refuses %j, naming it', (args, message) => {
    expect(() => parse(...args)).toThrow(refused(message));
  });

  it.each(['', 'x', '1x', 'Infinity', 'NaN', ' '])('refuses %j as a number', text => {
    expect(() => parse(`--size=${text}`).number('size')).toThrow(
      refused(/--size is ".*"; it must be a number/),
    );
  });

  it.each(['', '1.5', '1e3', '0x10', '9007199254740992'])('refuses %j as an integer', text => {
    expect(() => parse(`--size=${text}`).integer('size')).toThrow(
      refused(/--size is ".*"; it must be an integer/),
    );
  });

  it('takes a choice in capitals, as llama.cpp writes formats', () => {
    expect(parse('--kind=B').choice('kind')).toBe('b');
  });

  it('refuses what is not among the choices, and lists them', () => {
    expect(() => parse('--kind=c').choice('kind')).toThrow(
      refused(/--kind is "c"; there is: a, b/),
    );
  });

  it('calls it a mistake of the program to ask for an option that the verb does not have', () => {
    expect(() => parse().text('temperature')).toThrow(RangeError);
  });
});

describe('parseIntegers', () => {
  it.each([
    ['1,2,3', [1, 2, 3]],
    [' 1 2\n3\n', [1, 2, 3]],
    ['[1, 2,\n3]\n', [1, 2, 3]],
    ['[ 1 , 2 ]', [1, 2]],
    ['0,7,-1', [0, 7, -1]],
  ])('reads %j', (text, integers) => {
    expect(parseIntegers(text, 'IDS')).toEqual(integers);
  });

  it.each(['1,,2', ',1', '1,', '1, ,2', '[1,2,]', ',', '1\n,\n,2'])(
    'does not guess what is missing in %j',
    text => {
      const message = 'IDS: an integer is missing beside a comma; write 1,2,3';
      expect(() => parseIntegers(text, 'IDS')).toThrow(
        expect.objectContaining({ code: 'BAD_INPUT', message }),
      );
    },
  );

  it.each(['', '[]', '[ ]', '1,,x', '1.5', '1,[2', '1e3', '99999999999999999999'])(
    'refuses %j',
    text => {
      expect(() => parseIntegers(text, 'IDS')).toThrow(LlamaError);
      expect(() => parseIntegers(text, 'IDS')).toThrow(/^IDS: /);
    },
  );
});

describe('--help', () => {
  it.each(VERBS.map(each => each.name))(
    'of %s lists every option of the table, and no other',
    async name => {
      const table = optionsOf(VERBS.find(each => each.name === name)!);
      const { code, stdout } = await cli([name, '--help']);
      const synopses = stdout.matchAll(/^ {2}(?:-(\w), )?--([\w-]+)( [A-Z][\w.]*)?/gm);
      const listed = [...synopses].map(match => [match[1], match[2], match[3]?.trim()]);
      expect(code).toBe(0);
      expect(listed).toEqual(table.map(({ short, name, value }) => [short, name, value]));
      expect(table.map(option => option.name)).toEqual(
        expect.arrayContaining(['json', 'help', 'model']),
      );
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    },
  );

  it('tells every word of the help texts', async () => {
    for (const each of VERBS) {
      const words = (await cli([each.name, '-h'])).stdout.replaceAll(/\s+/g, ' ');
      for (const { help } of optionsOf(each)) expect(words).toContain(help);
      expect(words).toContain(each.usage);
    }
  });

  it('names the default of a choice', () => {
    for (const { choices, help } of VERBS.flatMap(optionsOf))
      if (choices) expect(help).toContain(choices[0]);
  });
});
