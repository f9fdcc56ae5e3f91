import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DownloadProgress } from '../../src/hub/download-model.js';
import { COMMIT, gitName, sha256 } from './fake-hub.js';
import {
  goldenFiles,
  holds,
  MODEL_FILES,
  NEEDED,
  noise,
  refusal,
  Setting,
  WEIGHTS,
} from './support.js';

const TWO = 'fedcba9876543210fedcba9876543210fedcba98';

const index = (...shards: string[]) =>
  JSON.stringify({
    weight_map: Object.fromEntries(shards.map((shard, i) => [`tensor${i}`, shard])),
  });

describe('the cache after a download', () => {
  // huggingface_hub 2.4.0 (`hf_hub_download` of these four files from the same hub) leaves these
  // files and links, and the same bytes.
  it('is laid out as that of huggingface_hub', async () => {
    await using setting = await Setting.create(await goldenFiles('gqa'));
    expect(await setting.download()).toBe(setting.snapshot());
    const snapshot = `models--owner--name/snapshots/${COMMIT}`;
    expect(await setting.tree()).toEqual({
      'models--owner--name/blobs/0c93feb568d21d319aa221b3d4e446477a5f28f7': '735 bytes',
      'models--owner--name/blobs/ddf25741bdd4a15f61c21e5cbaf5efdc5ccd744e': '216 bytes',
      'models--owner--name/blobs/9a9e6ba9f0659bef00d17a61ab024f117ac5bae7b0ae0379190c32d701e77e22':
        '5245 bytes',
      'models--owner--name/blobs/efac1e6b646acc83f0b27296d6c3c0c6dc3d71e97870b343ebdadc71b3564139':
        '2553392 bytes',
      'models--owner--name/refs/main': '40 bytes',
      [`${snapshot}/config.json`]: '-> ../../blobs/0c93feb568d21d319aa221b3d4e446477a5f28f7',
      [`${snapshot}/generation_config.json`]:
        '-> ../../blobs/ddf25741bdd4a15f61c21e5cbaf5efdc5ccd744e',
      [`${snapshot}/tokenizer.model`]:
        '-> ../../blobs/9a9e6ba9f0659bef00d17a61ab024f117ac5bae7b0ae0379190c32d701e77e22',
      [`${snapshot}/model.safetensors`]:
        '-> ../../blobs/efac1e6b646acc83f0b27296d6c3c0c6dc3d71e97870b343ebdadc71b3564139',
    });
    expect(await readFile(join(setting.cache, 'models--owner--name/refs/main'), 'utf8')).toBe(
      COMMIT,
    );
    for (const [path, content] of setting.hub.files)
      expect(await holds(setting.snapshot(path), content)).toBe(true);
  });

  it('names blobs as git hash-object and sha256sum do', () => {
    expect(gitName(Buffer.from('hello\n'))).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
    expect(sha256(Buffer.from('hello\n'))).toBe(
      '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    );
  });

  it('is not touched again, and nothing is downloaded, if nothing changed', async () => {
    await using setting = await Setting.create();
    await setting.download();
    const before = await setting.tree();
    const downloads = setting.hub.downloads().length;
    expect(await setting.download()).toBe(setting.snapshot());
    expect([setting.hub.downloads().length, await setting.tree()]).toEqual([downloads, before]);
  });

  it('gets what a new commit changed, and keeps the rest', async () => {
    await using setting = await Setting.create();
    await setting.download();
    setting.hub.commit = TWO;
    setting.hub.files.set('config.json', Buffer.from('{"model_type": "llama", "new": 1}'));
    expect(await setting.download()).toBe(setting.snapshot('', TWO));
    expect(setting.hub.downloads('config.json')).toHaveLength(2);
    expect(setting.hub.sent('model.safetensors')).toBe(WEIGHTS.length);
    expect(await readFile(setting.snapshot('config.json', TWO), 'utf8')).toContain('new');
    expect(await readFile(setting.snapshot('config.json', COMMIT), 'utf8')).not.toContain('new');
  });

  it.each(['main', 'v1', 'refs/pr/1'])('has the commit of revision %s', async revision => {
    await using setting = await Setting.create();
    setting.hub.revisions = [revision];
    await setting.download({ revision });
    expect(await readFile(join(setting.cache, 'models--owner--name/refs', revision), 'utf8')).toBe(
      COMMIT,
    );
    expect(await setting.download({ revision: COMMIT })).toBe(setting.snapshot());
    expect(Object.keys(await setting.tree()).filter(path => path.includes('/refs/'))).toHaveLength(
      1,
    );
  });

  it('repairs a blob of another size, and a link to nothing', async () => {
    await using setting = await Setting.create();
    await setting.download();
    await writeFile(setting.blob('config.json'), '{}');
    await setting.download();
    expect(
      await holds(setting.snapshot('config.json'), setting.hub.files.get('config.json')!),
    ).toBe(true);
  });

  it('is used where Python could make no links, and has files by their names', async () => {
    await using setting = await Setting.create();
    await mkdir(setting.snapshot(), { recursive: true });
    await writeFile(setting.snapshot('model.safetensors'), WEIGHTS);
    await setting.download();
    expect(setting.hub.downloads('model.safetensors')).toEqual([]);
    expect(
      (await setting.tree())[`models--owner--name/snapshots/${COMMIT}/model.safetensors`],
    ).toBe('300000 bytes');
  });
});

describe('what is downloaded', () => {
  const { 'model.safetensors': _, 'pytorch_model.bin': __, ...others } = MODEL_FILES;
  const shard = (name: string) => ({ [name]: noise(1_000, name.length) });

  it.each<[string, Record<string, string | Buffer>, string[]]>([
    ['safetensors before .bin', MODEL_FILES, ['model.safetensors']],
    [
      'shards and their index',
      {
        ...others,
        ...shard('model-1.safetensors'),
        ...shard('model-02.safetensors'),
        ...shard('unused.safetensors'),
        'model.safetensors.index.json': index(
          'model-1.safetensors',
          'model-02.safetensors',
          'model-1.safetensors',
        ),
      },
      ['model.safetensors.index.json', 'model-1.safetensors', 'model-02.safetensors'],
    ],
    [
      '.bin if safetensors are not complete',
      {
        ...others,
        'model.safetensors.index.json': index('model-1.safetensors'),
        ...shard('a.bin'),
        'pytorch_model.bin.index.json': index('a.bin'),
      },
      ['pytorch_model.bin.index.json', 'a.bin'],
    ],
    ['one .bin', { ...others, ...shard('pytorch_model.bin') }, ['pytorch_model.bin']],
  ])('%s', async (_name, files, weights) => {
    await using setting = await Setting.create(files);
    await setting.download();
    const names = Object.keys(await setting.tree()).filter(path => path.includes('/snapshots/'));
    const expected = [...NEEDED.slice(0, 4), ...weights].map(
      path => `models--owner--name/snapshots/${COMMIT}/${path}`,
    );
    expect(names.sort()).toEqual(expected.sort());
  });

  it('tokenizer.json if there is no tokenizer.model; generation_config.json if any', async () => {
    const { 'tokenizer.model': _, 'generation_config.json': __, ...files } = MODEL_FILES;
    await using setting = await Setting.create(files);
    await setting.download();
    const downloads = setting.hub.downloads().map(({ url }) => url.split('/').at(-1));
    expect(downloads.sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
  });

  it('only the tokenizer, if only that is asked for; the rest when it is', async () => {
    await using setting = await Setting.create();
    expect(await setting.download({ only: 'tokenizer' })).toBe(setting.snapshot());
    expect(setting.hub.downloads()).toHaveLength(2);
    expect(setting.hub.sent('tokenizer.model')).toBe(5_000);
    expect(setting.hub.sent('tokenizer.json')).toBe(2);
    await setting.download();
    expect(setting.hub.downloads()).toHaveLength(NEEDED.length);
  });

  it('one GGUF file', async () => {
    await using setting = await Setting.create({ 'a.gguf': noise(100), 'b.gguf': noise(200) });
    expect(await setting.download({}, 'owner/name:b.gguf')).toBe(setting.snapshot('b.gguf'));
    expect(setting.hub.downloads()).toHaveLength(1);
  });

  it('all parts of a GGUF file, whichever is named, in an awkward directory', async () => {
    const part = (n: number) => `Q 8#%/a-0000${n}-of-00003.gguf`;
    const files = {
      [part(1)]: noise(10, 1),
      [part(2)]: noise(20, 2),
      [part(3)]: noise(30, 3),
      'Q 8#%/b.gguf': 'x',
    };
    await using setting = await Setting.create(files);
    expect(await setting.download({}, `owner/name:${part(2)}`)).toBe(setting.snapshot(part(2)));
    for (const n of [1, 2, 3])
      expect(await readFile(setting.snapshot(part(n)))).toEqual(files[part(n)]);
    expect(setting.hub.downloads()).toHaveLength(3);
    const tree = await setting.tree();
    const link = `models--owner--name/snapshots/${COMMIT}/${part(1)}`;
    expect(tree[link]).toBe(`-> ../../../blobs/${setting.hub.etag(part(1))}`);
  });

  it('is found though the list of files comes in pages', async () => {
    await using setting = await Setting.create();
    setting.hub.pageSize = 2;
    await setting.download();
    expect(await holds(setting.snapshot('model.safetensors'), WEIGHTS)).toBe(true);
  });

  it('files of no bytes, and the same bytes twice', async () => {
    await using setting = await Setting.create({
      ...MODEL_FILES,
      'generation_config.json': '',
      'config.json': '',
    });
    await setting.download();
    expect((await readFile(setting.snapshot('config.json'))).length).toBe(0);
  });
});

describe('progress', () => {
  it('counts the missing bytes, first as they come, then as they are verified', async () => {
    await using setting = await Setting.create();
    await setting.download({ only: 'tokenizer' });
    const told: DownloadProgress[] = [];
    await setting.download({ onProgress: progress => told.push(progress) });
    const total = NEEDED.filter(path => !path.startsWith('tokenizer.')).reduce(
      (sum, path) => sum + setting.hub.files.get(path)!.length,
      0,
    );
    for (const progress of told) expect(progress.total).toBe(total);
    expect(told.at(-1)).toEqual({ stage: 'verify', done: total, total });
    for (const stage of ['download', 'verify']) {
      const done = told.filter(progress => progress.stage === stage).map(progress => progress.done);
      expect(done.length).toBeGreaterThan(0);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
    }
  });
});

describe('callbacks', () => {
  it('what onProgress throws rejects at either stage; then it goes on from there', async () => {
    await using setting = await Setting.create();
    for (const stage of ['download', 'verify']) {
      const thrown = new Error('from the callback');
      const onProgress = (progress: DownloadProgress) => {
        if (progress.stage === stage && progress.done > 0) throw thrown;
      };
      await expect(setting.download({ onProgress })).rejects.toBe(thrown);
    }
    await setting.download();
    expect(await holds(setting.snapshot('model.safetensors'), WEIGHTS)).toBe(true);
    const left = Object.keys(await setting.tree()).filter(path => /incomplete|lock/.test(path));
    expect(left).toEqual([]);
  });

  it('are functions, and a signal is a signal', async () => {
    await using setting = await Setting.create();
    for (const option of ['onProgress', 'onRetry', 'sleep', 'signal'] as const) {
      const options = { [option]: {} } as object;
      await expect(setting.download(options)).rejects.toMatchObject({
        code: 'BAD_OPTION',
        option,
        message: expect.stringContaining(`${option} is {}; it must be a`),
      });
    }
  });
});

describe('offline', () => {
  const env = { HF_HUB_OFFLINE: '1' };
  const offline = (setting: Setting) => ({ env: { ...env, HF_HUB_CACHE: setting.cache } });

  it('gives what is in the cache, and asks nobody', async () => {
    await using setting = await Setting.create();
    await setting.download();
    const { length } = setting.hub.asked;
    const fetch = () => Promise.reject(new Error('asked'));
    expect(await setting.download({ ...offline(setting), fetch })).toBe(setting.snapshot());
    expect(await setting.download({ ...offline(setting), revision: COMMIT })).toBe(
      setting.snapshot(),
    );
    expect(setting.hub.asked).toHaveLength(length);
  });

  it('says what is missing', async () => {
    await using setting = await Setting.create();
    await expect(setting.download(offline(setting))).rejects.toMatchObject(
      refusal(
        'NOT_FOUND',
        'no owner/name at revision main in the cache',
        setting.cache,
        'HF_HUB_OFFLINE',
      ),
    );
    await setting.download({ only: 'tokenizer' });
    expect(await setting.download({ ...offline(setting), only: 'tokenizer' })).toBe(
      setting.snapshot(),
    );
    await expect(setting.download(offline(setting))).rejects.toMatchObject(
      refusal(
        'NOT_FOUND',
        'none of model.safetensors',
        'in the cache',
        'HF_HUB_OFFLINE',
        'there is: tokenizer.json, tokenizer.model',
      ),
    );
    await expect(setting.download({ ...offline(setting), revision: 'v2' })).rejects.toMatchObject(
      refusal('NOT_FOUND', 'revision v2'),
    );
    await expect(setting.download(offline(setting), 'owner/name:a.gguf')).rejects.toMatchObject(
      refusal('NOT_FOUND', 'no a.gguf in the cache'),
    );
  });

  it('misses a shard, and a file whose blob is gone', async () => {
    await using setting = await Setting.create();
    await setting.download();
    await writeFile(
      setting.snapshot('model.safetensors.index.json'),
      index('a.safetensors', 'b.safetensors'),
    );
    // model.safetensors comes first
    expect(await setting.download(offline(setting))).toBe(setting.snapshot());
    await setting.download();
    await mkdir(setting.snapshot('', TWO));
    for (const path of ['config.json', 'tokenizer.model', 'a.safetensors']) {
      await writeFile(setting.snapshot(path, TWO), '');
    }
    await writeFile(
      setting.snapshot('model.safetensors.index.json', TWO),
      index('a.safetensors', 'b.safetensors'),
    );
    await symlink('../../blobs/nothing', setting.snapshot('b.safetensors', TWO));
    await expect(setting.download({ ...offline(setting), revision: TWO })).rejects.toMatchObject(
      refusal('NOT_FOUND', 'there is no b.safetensors in the cache'),
    );
  });
});
