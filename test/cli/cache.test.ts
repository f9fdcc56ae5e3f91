/** `llama-32k cache`: what it reads is what prompts begin with, and is found by them. */
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openChatFormat } from '../../src/load/chat-format.js';
import { type LoadedModel, loadModel } from '../../src/load/model.js';
import { openDiskCache } from '../../src/load/prefix-cache/open.js';
import { PrefixCache } from '../../src/text/prefix-cache/prefix-cache.js';
import { encodePrompt } from '../../src/text/prompt.js';
import { goldenPath } from '../support/golden.js';
import { cli, FakeIo, finished, json, programIn } from './support.js';

const TEXT = 'The miller has an old key. The key is in the garden, and the kite is red.\n'.repeat(
  20,
);
const model = ['--model', goldenPath('gqa')];

let root: string;
let file: string;
let directory: string;
let loaded: LoadedModel;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'llama-32k-cache-verb-'));
  file = join(root, 'text.txt');
  await writeFile(file, TEXT);
  loaded = await loadModel(goldenPath('gqa'));
});
afterAll(async () => {
  await loaded.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  directory = await mkdtemp(join(root, 'cache-'));
});

const there = () => ['--cache-dir', directory];
const warm = (...args: string[]) => json(['cache', 'warm', file, ...model, ...there(), ...args]);

/** How many tokens of `prompt` a process finds that begins anew. */
async function found(prompt: readonly number[], salt = ''): Promise<number> {
  const store = await openDiskCache(loaded, { cacheDir: directory });
  const { sequence, length } = await new PrefixCache(loaded.model, { store }).take(prompt, salt);
  sequence.dispose();
  return length;
}

const instruction = async (content: string) => {
  const { encode } = await openChatFormat(loaded, undefined);
  return encode([{ role: 'user', content }]);
};

it('warm keeps what instructions begin with, list shows it, clear removes it', async () => {
  const warmed = await warm();
  expect(warmed).toEqual({
    directory,
    model: goldenPath('gqa'),
    kernels: loaded.model.engine.name,
    tokens: expect.any(Number),
    kept: warmed.tokens - (warmed.tokens % 64),
    known: 0,
    seconds: expect.any(Number),
  });
  expect(warmed.kept).toBeGreaterThan(300);
  for (const question of ['\n\nWhere is the key?', '\nWhat?', ' And?'])
    expect(await found(await instruction(TEXT.trimEnd() + question))).toBe(warmed.kept);
  expect(await found(encodePrompt(loaded.tokenizer, TEXT))).toBeLessThan(64);

  const { bytes, files } = await json(['cache', 'list', ...there()]);
  expect(files).toEqual([
    {
      file: join(directory, (await readdir(directory))[0]),
      bytes,
      used: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      model: goldenPath('gqa'),
      engine: 'wasm, f32',
      position: 0,
      tokens: warmed.kept,
    },
  ]);
  expect(await warm()).toMatchObject({ known: warmed.kept, kept: warmed.kept });

  const { stdout, stderr } = await cli(['cache', 'list', ...there()]);
  const [head, line, ...more] = stdout.trimEnd().split('\n');
  expect(head).toMatch(/^model +engine +positions +size +used$/);
  expect(line).toContain(`0 to ${warmed.kept - 1}`);
  expect(more).toEqual([]);
  expect(stderr).toContain(`in ${directory}`);

  await writeFile(join(directory, 'notes.txt'), 'mine');
  expect(await json(['cache', 'clear', ...there()])).toEqual({ directory, files: 1, bytes });
  expect(await readdir(directory)).toEqual(['notes.txt']);
  expect(await json(['cache', 'list', ...there()])).toEqual({ directory, bytes: 0, files: [] });
});

it('--raw keeps what a text begins with, --cache-salt who finds it', async () => {
  const { kept } = await warm('--raw', '--cache-salt', 'mine');
  const prompt = encodePrompt(loaded.tokenizer, `${TEXT}Once upon a time`);
  expect(await found(prompt, 'mine')).toBe(kept);
  expect(await found(prompt)).toBe(0);
});

it('another format of the cache or the weights is another text', async () => {
  await warm();
  expect(await warm('--cache', 'f16')).toMatchObject({ known: 0 });
  expect(await warm('--weights', 'q8_0')).toMatchObject({ known: 0 });
  expect(await warm('--threads', '1')).not.toMatchObject({ known: 0 });
  const { files } = await json(['cache', 'list', ...there()]);
  expect(files.map(({ engine }: { engine: string }) => engine).sort()).toEqual([
    'wasm, f16',
    'wasm, f32',
    'wasm, f32',
  ]);
});

it('a text from stdin is the same; for people it is told in a sentence', async () => {
  const args = ['cache', 'warm', '-', ...model, ...there()];
  const { code, stdout, stderr } = await cli(args, TEXT);
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).toMatch(/[\d,]+ of [\d,]+ tokens are kept in .*: 0 were, [\d,]+ were read in \d/);
  expect(await warm()).not.toMatchObject({ known: 0 });
});

it('list tells which file is damaged, and clear removes that, too', async () => {
  await warm();
  await truncate(join(directory, (await readdir(directory))[0]), 5000);
  expect((await cli(['cache', 'list', ...there()])).stdout).toContain('\ndamaged ');
  expect(await json(['cache', 'clear', ...there()])).toMatchObject({ files: 1 });
});

it('a directory that is not there has nothing', async () => {
  const nowhere = ['--cache-dir', join(root, 'nowhere')];
  expect(await json(['cache', 'list', ...nowhere])).toMatchObject({ files: [] });
  expect(await json(['cache', 'clear', ...nowhere])).toMatchObject({ files: 0 });
});

it('interrupted, it keeps what it has read', async () => {
  const long = join(root, 'long.txt');
  await writeFile(long, TEXT.repeat(40));
  const io = new FakeIo(['stderr']);
  const timer = setInterval(() => {
    if (/prefill [2-9]\d\d\d/.test(io.stderr.text)) io.interrupt();
  }, 1);
  const args = ['cache', 'warm', long, '--raw', ...model, ...there(), '--context', '40000'];
  const { code } = await cli(args, '', io);
  clearInterval(timer);
  expect(code).toBe(130);
  const prompt = encodePrompt(loaded.tokenizer, TEXT.repeat(40)).slice(0, 250);
  expect(await found(prompt)).toBe(249);
});

it.each<[string[], string]>([
  [['cache'], 'it is not said what to do; there is: list, warm FILE, clear'],
  [['cache', 'warn'], '"warn" is none of them'],
  [['cache', 'list', 'all'], 'list takes nothing more, and there is "all"'],
  [['cache', 'clear', '--threads', '2'], '--threads has no effect with clear'],
  [['cache', 'warm'], 'FILE is missing'],
  [['cache', 'warm', 'nowhere.txt'], 'FILE: there is no nowhere.txt'],
  [['cache', 'warm', 'a', 'b'], 'at most 2 arguments'],
  [['cache', 'list', '--cache-size', '0'], '--cache-size is 0'],
  [['cache', 'list', '--cache-dir', ''], '--cache-dir is ""; it must be the path of a directory'],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await cli(args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

it('a text of less than a page is refused', async () => {
  const { code, stderr } = await cli(['cache', 'warm', '-', ...model, ...there()], 'Hi.');
  expect([code, stderr]).toEqual([2, expect.stringContaining('it takes a page, of 64')]);
});

it('the program, in the directory that the environment names', async () => {
  const env = { ...process.env, LLAMA_32K_CACHE: directory };
  const { stdout } = await finished(programIn(env, 'cache', 'warm', file, ...model, '--json'));
  expect(JSON.parse(stdout)).toMatchObject({ directory: join(directory, 'prefixes'), known: 0 });
  expect(await readdir(join(directory, 'prefixes'))).toHaveLength(1);
});
