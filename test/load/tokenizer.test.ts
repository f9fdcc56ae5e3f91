import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkVocabulary, openTokenizer } from '../../src/load/tokenizer.js';
import { errorOf, fromMetaspace, fromModel, goldenDirectory } from '../tokenizer/support.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tokenizer-'));
});
afterEach(() => rm(directory, { recursive: true }));

const put = (from: string, to: string) =>
  copyFile(join(goldenDirectory, from), join(directory, to));

it('prefers tokenizer.model, and takes tokenizer.json', async () => {
  await put('tokenizer-metaspace.json', 'tokenizer.json');
  expect((await openTokenizer(directory)).encode(' the')).toEqual(fromMetaspace.encode(' the'));
  await put('tokenizer.model', 'tokenizer.model');
  expect((await openTokenizer(directory)).encode(' the')).toEqual(fromModel.encode(' the'));
});

it('says what it looked for, and where', async () => {
  const neither = `there is neither tokenizer.model nor tokenizer.json in ${directory}`;
  await expect(openTokenizer(directory)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: neither,
  });
  const absent = join(directory, 'absent');
  await expect(openTokenizer(absent)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining(absent),
  });
  await mkdir(join(directory, 'tokenizer.model'));
  await expect(openTokenizer(directory)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it.skipIf(process.platform === 'win32').each(['tokenizer.model', 'tokenizer.json'])(
  'does not wait for %s that is a pipe',
  async file => {
    execFileSync('mkfifo', [join(directory, file)]);
    const message = expect.stringContaining('a pipe or a device, not a file');
    await expect(openTokenizer(directory)).rejects.toMatchObject({ code: 'NOT_FOUND', message });
  },
);

it('says which file is broken, and does not take the other one instead', async () => {
  await put('tokenizer.json', 'tokenizer.json');
  await writeFile(join(directory, 'tokenizer.model'), 'version https://git-lfs.github.com/spec/v1');
  const message = expect.stringContaining(join(directory, 'tokenizer.model'));
  await expect(openTokenizer(directory)).rejects.toMatchObject({ code: 'BAD_TOKENIZER', message });
});

it('names the file once', async () => {
  const path = join(directory, 'tokenizer.json');
  for (const content of ['{', 'null']) {
    await writeFile(path, content);
    const { code, message } = await openTokenizer(directory).catch(error => error);
    expect(code).toBe('BAD_TOKENIZER');
    expect(message.startsWith(`${path}: the content`)).toBe(true);
    expect(message.split('tokenizer.json')).toHaveLength(2);
  }
});

it('a model may have more tokens than the tokenizer, not fewer', () => {
  checkVocabulary(fromModel, 331);
  checkVocabulary(fromModel, 512);
  const { message } = errorOf('BAD_TOKENIZER', () => checkVocabulary(fromModel, 330));
  expect(message).toMatch('the tokenizer has 331 pieces, the model only 330');
});
