/** What people type that is wrong, verb by verb: the exit code, and what they are told. */
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { VERBS } from '../../src/cli/verbs.js';
import { temporaryDirectory } from '../convert/support.js';
import { goldenPath } from '../support/golden.js';
import { cli } from './support.js';

const { at } = temporaryDirectory();
const isRoot = process.getuid?.() === 0;

beforeEach(async () => {
  await writeFile(at('empty'), '');
  await writeFile(at('ids'), '1,2,x');
  await writeFile(at('binary'), Uint8Array.of(0xff, 0xfe));
  await writeFile(at('unreadable'), '1');
  await chmod(at('unreadable'), 0);
  await mkdir(at('directory'));
  await symlink('nowhere', at('dangling'));
});

/** What a verb needs besides the model, so that only the model is wrong. */
const BESIDES: Readonly<Record<string, string[]>> = {
  generate: ['--prompt', 'Hi'],
  logits: ['--tokens', '1'],
  perplexity: ['--file', 'package.json'],
  cache: ['warm', 'package.json'],
  tokenize: ['Hi'],
  detokenize: ['1'],
  convert: ['--output', 'never'],
  quantize: ['--output', 'never.gguf', '--type', 'q8_0'],
  vectors: ['--output', 'never'],
};

describe.each(VERBS.map(({ name }) => name))('%s', verb => {
  it.each<[string, number, RegExp]>([
    ['', 2, /^--model is empty; --model takes/],
    ['nosuch', 3, /there is no .*nosuch; --model takes a directory/],
    ['dangling', 3, /there is no .*dangling; --model takes a directory/],
    ['empty', 3, /empty: .*(ends at byte 0|not with GGUF)/],
    ['directory', 3, /there is (no config\.json|neither tokenizer|no tokenizer).* in .*directory/],
  ])('--model %j', async (model, code, message) => {
    const path = model === '' ? '' : at(model);
    const run = await cli([verb, '--model', path, '--json', ...(BESIDES[verb] ?? [])]);
    expect([run.code, run.stdout]).toEqual([code, '']);
    expect(JSON.parse(run.stderr).error.message).toMatch(message);
  });

  it('--model given twice, or without a value', async () => {
    const twice = await cli([verb, '--model', 'a', '--model', 'b']);
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('given twice')]);
    const none = await cli([verb, '--model']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('argument missing')]);
  });
});

const model = ['--model', goldenPath('mha')];

describe('values', () => {
  it.each<[string[], number, string]>([
    [
      ['generate', '--prompt', 'Hi', '--max-new-tokens', '-5'],
      2,
      '--max-new-tokens is -5; it must',
    ],
    [['generate', '--prompt', 'Hi', '--max-new-tokens', '9'.repeat(30)], 2, 'below 2^53'],
    [
      ['generate', '--prompt', 'Hi', '--threads', '0'],
      2,
      '--threads is 0; it must be an integer from',
    ],
    [['generate', '--prompt', 'Hi', '--temperature', '-1'], 2, '--temperature is -1; it must be'],
    [['generate', '--prompt', 'Hi', '--tokens', '1'], 2, '--prompt and --tokens; give one of'],
    [['logits', '--tokens', '-1'], 2, 'token -1 is not in the vocabulary'],
    [['logits', '--tokens', '1', '--positions', '7'], 2, '--positions: 7 is not there'],
    [['logits', '--tokens', '1', '--chunk', '0'], 2, '--chunk is 0; it must be 1 or more'],
    [['generate', 'Hi'], 2, "argument 'Hi'; give it as --prompt or --model, and quote"],
    [['inspect', 'a. b'], 2, "argument 'a. b'; give it as --model, and quote what has spaces"],
    [['generate'], 2, 'there is no prompt; give one of --prompt, --tokens, --tokens-file'],
    [['tokenize'], 2, 'TEXT is missing'],
    [['tokenize', 'a', 'b'], 2, 'TEXT is one argument, but there are 2'],
    [['detokenize', 'x'], 2, 'IDS: "x" is not an integer'],
    [['estimate', '--context', '-1'], 2, '--context is -1; it must be'],
    [['estimate', '--context', '9007199254740991'], 2, 'from 1 to 2147483648'],
    [['bench', '--new-tokens', '0'], 2, '--new-tokens is 0; it must be 1 or more'],
    [['convert', '--output', 'x', '--shard-size', '-1'], 2, '--shard-size is -1; it must be'],
    [['convert', '--output', '/no/such/place'], 3, 'there is no directory /no/such to write into'],
  ])('%j', async ([verb, ...args], code, message) => {
    const run = await cli([verb, ...model, ...args]);
    expect([run.code, run.stdout]).toEqual([code, '']);
    expect(run.stderr).toContain(message);
  });
});

describe('--tokens-file', () => {
  it.each<[string, string]>([
    ['nosuch', '--tokens-file: there is no'],
    ['directory', 'is a directory; name a file'],
    ['empty', '--tokens-file: there are no integers'],
    ['ids', '--tokens-file: "x" is not an integer'],
    ['binary', 'is not UTF-8'],
  ])('%s', async (name, message) => {
    const run = await cli(['logits', ...model, '--tokens-file', at(name)]);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it.skipIf(isRoot || process.platform === 'win32')('unreadable', async () => {
    const run = await cli(['logits', ...model, '--tokens-file', at('unreadable')]);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('EACCES')]);
  });
});

it('help, and help of a verb, are what --help is', async () => {
  expect(await cli(['help'])).toEqual(await cli(['--help']));
  expect(await cli(['help', 'logits'])).toEqual(await cli(['logits', '--help']));
  expect((await cli(['help', 'nonsense'])).code).toBe(2);
});
