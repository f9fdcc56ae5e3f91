/** Models without a tokenizer, or with one that is refused: ids go in and out, text does not. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../convert/support.js';
import { goldenPath } from '../support/golden.js';
import { gqaWith, mhaCalling, UNIGRAM } from '../support/without-tokenizer.js';
import { cli, json } from './support.js';

const { at } = temporaryDirectory();

it.each([['generate', '--prompt', 'Hi'], ['chat'], ['perplexity', '--file', 'package.json']])(
  '%s does not say of a directory without a model that it runs',
  async (...args) => {
    await mkdir(at('m'));
    const { code, stderr } = await cli([...args, '--model', at('m')], 'Hi\n');
    expect(code).toBe(3);
    expect(stderr).toContain('there is no config.json');
    expect(stderr).not.toContain('runs without');
  },
);

describe.each<[string, string, () => Promise<string>, string]>([
  ['no tokenizer', 'gqa', () => gqaWith(at('m'), {}), 'neither tokenizer.model nor tokenizer.json'],
  ['a tokenizer of another kind', 'gqa', () => gqaWith(at('m'), UNIGRAM), '"Unigram"'],
  ['a broken one', 'gqa', () => gqaWith(at('m'), { 'tokenizer.json': '{' }), 'tokenizer.json'],
  ['an unknown one in GGUF', 'mha', () => mhaCalling(at('m.gguf'), 'bert'), 'model is "bert "'],
])('%s', (_, original, make, reason) => {
  let model: string[];
  beforeEach(async () => {
    model = ['--model', await make(), '--threads', '1'];
  });
  const complete = (name: string) => ['--model', goldenPath(name), '--threads', '1'];
  const ids = ['--tokens', '1,183,40', '--max-new-tokens', '6'];

  it('generate prints the ids that it prints with the tokenizer', async () => {
    const { tokens } = await json(['generate', ...complete(original), ...ids]);
    const { code, stdout, stderr } = await cli(['generate', ...model, ...ids]);
    expect([code, stdout]).toEqual([0, `${tokens.join()}\n`]);
    expect(stderr).toContain('token ids only, no text');
    expect(stderr).toContain(reason);
    expect(await json(['generate', ...model, ...ids])).toMatchObject({ tokens, text: null });
  });

  it('logits are the same numbers; for a person, ids without pieces', async () => {
    const args = ['--tokens', '1,5', '--positions', '-1'];
    const { logits } = await json(['logits', ...model, ...args]);
    expect(logits).toEqual((await json(['logits', ...complete(original), ...args])).logits);
    const { stdout, stderr } = await cli(['logits', ...model, ...args]);
    expect(stdout).toMatch(/^after position 1, token 5\n {6}id .*\n( +\d+ +[\d.]+ +-[\d.]+\n){5}$/);
    expect(stderr).toContain(reason);
  });

  it('all else that needs no text works', async () => {
    await writeFile(at('ids'), '1 2 3 4 5 6 7 8 9');
    const perplexity = ['perplexity', '--tokens-file', at('ids'), '--ctx-size', '4'];
    const bench = ['bench', '--prompt-tokens', '3', '--new-tokens', '1'];
    for (const args of [perplexity, bench, ['estimate']]) {
      expect((await cli([...args, ...model])).code, args[0]).toBe(0);
    }
    const { notes } = await json(['inspect', ...model.slice(0, 2)]);
    expect(notes.join()).toContain('token ids only, no text');
    expect(notes.join()).toContain(reason);
  });

  it.each([
    [['generate', '--prompt', 'Hi'], 'give token ids with --tokens'],
    [['generate', '--prompt', 'Hi', '--raw'], 'give token ids with --tokens'],
    [['logits', '--prompt', 'Hi', '--raw'], 'give token ids with --tokens'],
    [['generate', '--tokens', '1', '--stop', 'x'], 'give --stop-token-ids in place of --stop'],
    [['perplexity', '--file', goldenPath('README.md')], 'give token ids with --tokens-file'],
    [['chat'], 'generate --tokens takes token ids'],
    [['tokenize', 'Hi'], ''],
  ])('%j is refused by name, with what goes', async (args, nextStep) => {
    const own = args[0] === 'tokenize' ? model.slice(0, 2) : model;
    const { code, stdout, stderr } = await cli([...args, ...own]);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain(reason);
    expect(stderr).toContain(nextStep);
  });

  it('ids are checked against the vocabulary', async () => {
    for (const verb of ['generate', 'logits']) {
      const { code, stderr } = await cli([verb, ...model, '--tokens', '1,331']);
      expect(code).toBe(2);
      expect(stderr).toContain('token 331 is not in the vocabulary');
    }
  });
});

it('with a tokenizer that has more pieces than the model, ids are printed', async () => {
  const model = await gqaWith(at('m'), {});
  await copyFile(goldenPath('tiny-32k/tokenizer.model'), join(model, 'tokenizer.model'));
  const args = ['--model', model, '--threads', '1', '--max-new-tokens', '3'];
  const { stdout, stderr } = await cli(['generate', '--tokens', '1,183', ...args]);
  expect(stdout).toMatch(/^\d+,\d+,\d+\n$/);
  expect(stderr).toContain("is it another model's tokenizer?");
});
