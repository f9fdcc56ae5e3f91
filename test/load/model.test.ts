import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMBEDDED_MODEL, loadLlama, loadModel } from '../../src/load/model.js';
import type { LoadOptions } from '../../src/load/options.js';
import { goldenPath } from '../support/golden.js';

it('notes what tokenizer.json says and changes no id', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'llama-32k-notes-'));
  try {
    await cp(goldenPath('saved-models/tiny-32k/5'), directory, { recursive: true });
    await cp(goldenPath('tiny-32k/model.safetensors'), join(directory, 'model.safetensors'));
    const file = join(directory, 'tokenizer.json');
    const json = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...json, truncation: { max_length: 512 } }));
    await using loaded = await loadModel(directory, { kernels: 'exact' });
    expect(loaded.notes).toContainEqual(expect.stringContaining(`${file}: truncation is`));
  } finally {
    await rm(directory, { recursive: true });
  }
});

describe('options', () => {
  // Not there: what is wrong with the options is said before anything is opened.
  const nowhere = join(tmpdir(), 'llama-32k-nowhere');

  it.each<[object, string]>([
    [{ kernel: 'exact' }, '"kernel" is not an option; there are: kernels, weights, cache'],
    [{ max_rows: 1 }, '"max_rows" is not an option'],
    [{ kernels: 'cuda' }, 'kernels is "cuda"; it must be one of wasm, exact'],
    [{ kernels: null }, 'kernels is null'],
    [
      { kernels: 'exact', numerics: 'f8' },
      'numerics is "f8"; it must be one of f64, f32, bf16, f16',
    ],
    [{ kernels: 'exact', numerics: 'toString' }, 'numerics is "toString"'],
    [{ weights: 'q2' }, 'weights is "q2"; it must be one of f32, f16, bf16, q8_0, q4_0'],
    [{ cache: 'bf16' }, 'cache is "bf16"; it must be one of f32, f16, q8'],
    [{ build: 'avx' }, 'build is "avx"; it must be one of simd, relaxed'],
    [{ kernels: 'exact', keepBytes: -1 }, 'keepBytes is -1; it must be a number, 0 or more'],
    [{ kernels: 'exact', keepBytes: NaN }, 'keepBytes is NaN'],
    [{ kernels: 'exact', keepBytes: '4GiB' }, 'keepBytes is "4GiB"'],
    [{ ropeFactor: 0 }, 'ropeFactor is 0; it must be a number above 0'],
    [{ ropeFactor: '8' }, 'ropeFactor is "8"'],
    [{ memoryBytes: 0 }, 'memoryBytes is 0; it must be an integer from 1 to 4294967296'],
    [{ memoryBytes: 2 ** 33 }, 'memoryBytes is 8589934592'],
    [{ numerics: 'f32' }, 'numerics has no effect with kernels wasm; it is for kernels exact'],
    [{ kernels: 'wasm', keepBytes: 0 }, 'keepBytes has no effect with kernels wasm'],
    [
      { kernels: 'exact', weights: 'f16' },
      'weights has no effect with kernels exact; it is for kernels wasm',
    ],
    [
      { kernels: 'exact', cache: 'f16' },
      'cache has no effect with kernels exact; it is for kernels wasm',
    ],
    [{ kernels: 'exact', threads: 1 }, 'threads has no effect'],
    [{ kernels: 'exact', maxRows: 8 }, 'maxRows has no effect'],
    [{ kernels: 'exact', memoryBytes: 2 ** 20 }, 'memoryBytes has no effect'],
    [{ kernels: 'exact', build: 'simd' }, 'build has no effect'],
  ])('%j is refused', async (options, message) => {
    const refusal = { code: 'BAD_OPTION', message: expect.stringContaining(message) };
    await expect(loadModel(nowhere, options)).rejects.toMatchObject(refusal);
    await expect(loadLlama(nowhere, options)).rejects.toMatchObject(refusal);
  });

  it.each([[{ threads: 2 }], [''], [null], [5]])('%j in place of a path is refused', async path => {
    for (const load of [loadModel, loadLlama]) {
      await expect(load(path as never)).rejects.toMatchObject({
        code: 'BAD_OPTION',
        option: 'path',
        message: expect.stringContaining('loadModel(path, options)'),
      });
    }
  });

  it.each(['gqa', 'llama3', 'tied'])(
    'ropeFactor stands in for the scaling of golden/%s, linear, by wavelength or none',
    async name => {
      const { model } = await loadLlama(goldenPath(name), { kernels: 'exact', ropeFactor: 3 });
      await model.close();
      expect(model.config.ropeScaling).toEqual({ type: 'linear', factor: 3 });
    },
  );

  it('what onProgress throws rejects the promise, wherever it is thrown', async () => {
    for (const after of [0, 3, 20]) {
      const thrown = new Error('from the callback');
      let calls = 0;
      const onProgress = () => {
        if (calls++ === after) throw thrown;
      };
      await expect(loadLlama(goldenPath('gqa'), { threads: 2, onProgress })).rejects.toBe(thrown);
    }
  });

  const { signal } = new AbortController();
  const onProgress = () => {};
  it.each<[LoadOptions, string]>([
    [{}, 'wasm-bf16'],
    [{ kernels: undefined, weights: undefined, threads: undefined }, 'wasm-bf16'],
    [
      {
        kernels: 'wasm',
        weights: 'f16',
        threads: 1,
        context: 64,
        maxRows: 8,
        build: 'simd',
        signal,
        onProgress,
      },
      'wasm-f16',
    ],
    [{ weights: 'q8_0', cache: 'f32' }, 'wasm-q8_0'],
    [{ weights: 'q8_0', cache: 'q8' }, 'wasm-q8_0-cache-q8'],
    [{ kernels: 'exact', weights: undefined, signal, onProgress }, 'exact-f64'],
    [{ kernels: 'exact', numerics: 'bf16', keepBytes: Infinity }, 'exact-bf16'],
  ])('%j is taken', async (options, name) => {
    await using loaded = await loadModel(EMBEDDED_MODEL, options);
    expect(loaded.model.engine.name).toBe(name);
  });
});

describe('an added token behind the vocabulary of the model', () => {
  it('is no harm, as padding in transformers, but its id is refused', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'llama-32k-load-'));
    await cp(goldenPath('long'), directory, { recursive: true });
    const tokenizer = JSON.parse(await readFile(goldenPath('tokenizer/tokenizer.json'), 'utf8'));
    tokenizer.added_tokens.push({ id: 331, content: '[PAD]', special: true });
    await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer));
    const loaded = await loadModel(directory);
    const [token] = loaded.tokenizer.encode('[PAD]', { special: true });
    const rows = [{ token, position: 0, sequence: loaded.model.createSequence() }];
    await expect(loaded.model.forward(rows)).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await loaded.close();
    await rm(directory, { recursive: true });
  });
});

describe('a tokenizer with more pieces than the model has tokens', () => {
  const OPEN_FILES = '/proc/self/fd';
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'llama-32k-load-'));
    await cp(goldenPath('long'), directory, { recursive: true }); // 331 tokens, and no tokenizer
    const tokenizer = JSON.parse(await readFile(goldenPath('tokenizer/tokenizer.json'), 'utf8'));
    tokenizer.model.vocab['<0x100>'] = 331;
    await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function openFiles(): Promise<string[]> {
    const links = (await readdir(OPEN_FILES)).map(fd =>
      readlink(join(OPEN_FILES, fd)).catch(() => ''),
    );
    return (await Promise.all(links)).filter(path => path.startsWith(directory));
  }

  it.each(['exact', 'wasm'] as const)('is refused with the %s kernels', async kernels => {
    await expect(loadModel(directory, { kernels })).rejects.toMatchObject({
      code: 'BAD_TOKENIZER',
      message: expect.stringContaining('the tokenizer has 332 pieces, the model only 331'),
    });
  });

  it.skipIf(!existsSync(OPEN_FILES))('and the checkpoint is closed', async () => {
    const { model } = await loadLlama(directory, { kernels: 'exact' });
    expect(await openFiles()).toEqual([join(directory, 'model.safetensors')]);
    await model.close();
    await expect(loadModel(directory, { kernels: 'exact' })).rejects.toThrow('pieces');
    expect(await openFiles()).toEqual([]);
  });
});
