/** Who asks for packed weights to be kept, and where: in the library nobody, unless told to. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packCacheDirectory } from '../../../src/load/kept-files/directories.js';
import { loadLlama, loadModel } from '../../../src/load/model.js';
import type { LoadOptions } from '../../../src/load/options.js';
import { DIST } from '../../support/child.js';
import { goldenPath } from '../../support/golden.js';
import { zeroModel } from '../../support/zero-model.js';

let root: string;
let model: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'llama-32k-switch-'));
  model = join(root, 'model');
  await zeroModel(model, 400); // 106 in q8_0; the limit is 100
  await cp(goldenPath('gqa/tokenizer.model'), join(model, 'tokenizer.model'));
  await new Promise(resolve => setTimeout(resolve, 2100)); // until it is believed
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

const filesIn = (directory: string) => readdir(join(root, directory)).catch(() => []);

describe('the library', () => {
  async function notesOf(path: string, options: LoadOptions): Promise<readonly string[]> {
    const { model, notes } = await loadLlama(path, { weights: 'q8_0', ...options });
    await model.close();
    return notes;
  }

  it('keeps nothing unless it is asked to', async () => {
    vi.stubEnv('LLAMA_32K_CACHE', join(root, 'silent'));
    expect(await notesOf(model, {})).toEqual([]);
    expect(await notesOf(model, { packCache: false })).toEqual([]);
    expect(await filesIn('silent')).toEqual([]);
  });

  it('keeps what is large where the environment says, and reads it', async () => {
    vi.stubEnv('LLAMA_32K_CACHE', join(root, 'cache'));
    const kept = expect.stringContaining(`are now in ${join(root, 'cache', 'packed')}`);
    expect(await notesOf(model, { packCache: true })).toEqual([kept]);
    expect(await filesIn('cache/packed')).toEqual([
      expect.stringMatching(/^[0-9a-f]{32}\.packed$/),
    ]);
    expect(await notesOf(model, { packCache: true })).toEqual([]);
  });

  it('… in a directory of its own', async () => {
    expect(await notesOf(model, { packCache: join(root, 'own') })).toHaveLength(1);
    expect(await filesIn('own')).toHaveLength(1);
  });

  it('… no more than it may', async () => {
    const options = { packCache: join(root, 'small'), packCacheSize: 0.01 };
    const [note] = await notesOf(model, options);
    expect(note).toMatch(
      /^1\d\d MB of packed weights are not kept: .* the 10.0 MB that are allowed/,
    );
    expect(await filesIn('small')).toEqual([]);
  });

  it('nothing of a small model', async () => {
    expect(await notesOf(goldenPath('gqa'), { packCache: join(root, 'gqa') })).toEqual([]);
    expect(await filesIn('gqa')).toEqual([]);
  });

  it.each<[object, string]>([
    [{ packCache: '' }, 'packCache is ""; it must be true, false or the path of a directory'],
    [{ packCache: 20 }, 'packCache is 20; it must be true, false or the path'],
    [{ packCache: true, packCacheSize: 0 }, 'packCacheSize is 0; it must be a number above 0'],
    [{ packCache: true, packCacheSize: '20' }, 'packCacheSize is "20"'],
    [{ packCacheSize: 5 }, 'packCacheSize has no effect where no weights are kept'],
    [{ packCache: false, packCacheSize: 5 }, 'packCacheSize has no effect where no weights'],
    [{ kernels: 'exact', packCache: true }, 'packCache has no effect with kernels exact'],
    [{ kernels: 'exact', packCacheSize: 5 }, 'packCacheSize has no effect with kernels exact'],
  ])('%j is refused', async (options, message) => {
    const refusal = { code: 'BAD_OPTION', message: expect.stringContaining(message) };
    await expect(loadModel(join(root, 'nowhere'), options)).rejects.toMatchObject(refusal);
  });
});

it.each([
  [{ LLAMA_32K_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/a/packed'],
  [{ LLAMA_32K_CACHE: '', XDG_CACHE_HOME: '/b' }, '/b/llama-32k/packed'],
  [{ XDG_CACHE_HOME: '' }, join(homedir(), '.cache/llama-32k/packed')],
  [{}, join(homedir(), '.cache/llama-32k/packed')],
])('with %j it is %s', (env, directory) => {
  expect(packCacheDirectory(env)).toBe(directory);
});

describe('the command line', () => {
  const Q8 = ['--weights', 'q8_0'];

  async function logits(cache: string, ...args: string[]) {
    const program = [
      join(DIST, 'cli/main.js'),
      'logits',
      '--model',
      model,
      '--tokens',
      '1,2',
      ...args,
    ];
    const env = { ...process.env, LLAMA_32K_CACHE: join(root, cache) };
    const child = spawn(process.execPath, program, { env });
    const code = new Promise(resolve => child.on('close', resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await code, stdout, stderr };
  }

  it('keeps what is large, says so once, and prints the same', async () => {
    const first = await logits('cli', ...Q8);
    expect(first).toMatchObject({ code: 0, stderr: expect.stringMatching(/ are now in .*cli/) });
    expect(await filesIn('cli/packed')).toHaveLength(1);
    expect(await logits('cli', ...Q8)).toEqual({ code: 0, stdout: first.stdout, stderr: '' });
    const json = await logits('cli', ...Q8, '--json');
    expect(json).toMatchObject({ code: 0, stderr: '' });
  });

  it('--no-pack-cache keeps nothing and says nothing', async () => {
    expect(await logits('no', ...Q8, '--no-pack-cache')).toMatchObject({ code: 0, stderr: '' });
    expect(await filesIn('no')).toEqual([]);
  });

  it('--pack-cache-size 0.01 is too small', async () => {
    const { code, stderr } = await logits('tight', ...Q8, '--pack-cache-size', '0.01');
    expect([code, stderr]).toEqual([0, expect.stringContaining('the 10.0 MB that are allowed')]);
    expect(await filesIn('tight/packed')).toEqual([]);
  });

  it('--pack-cache-size with --no-pack-cache has no effect, and is refused', async () => {
    const { code, stderr } = await logits('no', '--no-pack-cache', '--pack-cache-size', '5');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--pack-cache-size has no effect')]);
  });

  it('--kernels exact has none; --no-pack-cache asks of it what it does', async () => {
    const { code, stderr } = await logits('no', '--kernels', 'exact', '--no-pack-cache');
    expect([code, stderr]).toEqual([0, '']);
    expect(await filesIn('no')).toEqual([]);
  });
});
