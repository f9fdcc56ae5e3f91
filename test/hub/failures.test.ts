import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { downloadModel } from '../../src/hub/download-model.js';
import type { Mishap } from './fake-hub.js';
import { holds, MODEL_FILES, NEEDED, noise, refusal, Setting, until, WEIGHTS } from './support.js';

describe('a refusal', () => {
  it.each<[string, RegExp, Mishap, object, string, string[]]>([
    [
      'no such model',
      /revision/,
      { status: 404, headers: { 'x-error-code': 'RepoNotFound' } },
      {},
      'NOT_FOUND',
      ['no owner/name at http'],
    ],
    [
      'not public',
      /revision/,
      { status: 401 },
      {},
      'UNAUTHORIZED',
      ['has no owner/name, or', 'set HF_TOKEN'],
    ],
    [
      'a wrong token',
      /revision/,
      { status: 401 },
      { token: 'hf_x' },
      'UNAUTHORIZED',
      ['does not accept the token'],
    ],
    [
      'gated',
      /resolve/,
      { status: 403, headers: { 'x-error-code': 'GatedRepo' } },
      {},
      'UNAUTHORIZED',
      ['licence', '/owner/name', 'HF_TOKEN'],
    ],
    [
      'gated, without a token',
      /resolve/,
      { status: 401, headers: { 'x-error-code': 'GatedRepo' } },
      {},
      'UNAUTHORIZED',
      ['licence'],
    ],
    [
      'no such file',
      /resolve.*safetensors/,
      { status: 404, headers: { 'x-error-code': 'EntryNotFound' } },
      {},
      'NOT_FOUND',
      ['owner/name has no model.safetensors at revision main'],
    ],
    [
      'anything else',
      /resolve.*safetensors/,
      { status: 418 },
      {},
      'DOWNLOAD_FAILED',
      ['model.safetensors: HTTP 418 from 127.0.0.1'],
    ],
  ])('%s', async (_name, url, mishap, options, code, words) => {
    await using setting = await Setting.create();
    setting.hub.order(url, mishap, Infinity);
    await expect(setting.download(options)).rejects.toMatchObject(refusal(code, ...words));
    expect(setting.waits).toEqual([]);
    expect(existsSync(setting.snapshot())).toBe(false);
  });

  it('of a revision, a file, or a model that is not there names it', async () => {
    await using setting = await Setting.create({ 'a.gguf': noise(10) });
    const cases: [string, object, string[]][] = [
      ['owner/name', { revision: 'v2' }, ['owner/name has no revision v2']],
      ['owner/other', {}, ['there is no owner/other at http']],
      [
        'owner/name:b.gguf',
        {},
        ['there is no b.gguf in owner/name at revision main; there is: a.gguf'],
      ],
      ['owner/name:d/b.gguf', {}, ['owner/name has no d at revision main']],
      ['owner/name:a-00001-of-00009.gguf', {}, ['a-00001-of-00009.gguf, a-00002', '…']],
      [
        'owner/name',
        {},
        ['none of model.safetensors', 'there are GGUF files; name one: owner/name:a.gguf'],
      ],
    ];
    for (const [reference, options, words] of cases) {
      await expect(setting.download(options, reference)).rejects.toMatchObject(
        refusal('NOT_FOUND', ...words),
      );
    }
    setting.hub.files.set('model.safetensors', noise(10));
    await expect(setting.download()).rejects.toMatchObject(
      refusal('NOT_FOUND', 'there is no config.json in owner/name'),
    );
  });

  it.each(['no reference', 'directory/file.gguf', 'owner/name:../../x.gguf'])(
    'of %j asks nobody',
    async reference => {
      const fetch = () => Promise.reject(new Error('asked'));
      await expect(downloadModel(reference, { fetch })).rejects.toMatchObject(
        refusal('BAD_OPTION', 'owner/name:file.gguf'),
      );
    },
  );
});

describe('what may pass', () => {
  it.each<[string, RegExp]>([
    ['the question for the commit', /revision/],
    ['the question for the files', /tree/],
    ['a small file', /resolve.*\/config/],
    ['the address of a large file', /hub .*resolve.*safetensors/],
    ['a large file', /storage .*safetensors/],
  ])('%s is asked for again after 1, 2, 4, 8 and 16 s', async (_name, url) => {
    await using setting = await Setting.create();
    setting.hub.order(url, { status: 503 }, 5);
    await setting.download();
    expect(setting.waits).toEqual([1000, 2000, 4000, 8000, 16000]);
    expect(setting.retries[0]).toMatch(/: HTTP 503 from 127\.0\.0\.1:\d+$/);
    expect(await holds(setting.snapshot('model.safetensors'), WEIGHTS)).toBe(true);
  });

  it('is given up after six attempts', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/safetensors/, { status: 500 }, Infinity);
    await expect(setting.download()).rejects.toMatchObject(
      refusal(
        'DOWNLOAD_FAILED',
        'model.safetensors: HTTP 500',
        'given up after 6 attempts',
        'HF_HUB_OFFLINE=1',
      ),
    );
    expect(setting.hub.asked.filter(({ url }) => url.endsWith('model.safetensors'))).toHaveLength(
      6,
    );
  });

  it.each([
    [{ 'retry-after': '7' }, 7000, 7000],
    [{ 'retry-after': '0' }, 0, 0],
    [{ ratelimit: '"resolvers";r=0;t=55' }, 55_000, 55_000],
    [{ 'retry-after': new Date(Date.now() + 100_000).toUTCString() }, 1000, 100_000],
    [{ 'retry-after': 'soon' }, 1000, 1000],
  ])('429 with %j is asked for again after as long', async (headers, least, most) => {
    await using setting = await Setting.create();
    setting.hub.order(/tree/, { status: 429, headers });
    await setting.download();
    expect(setting.waits).toHaveLength(1);
    expect(setting.waits[0]).toBeGreaterThanOrEqual(least);
    expect(setting.waits[0]).toBeLessThanOrEqual(most);
  });

  it('is given up at once if the wait would be too long', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/tree/, { status: 429, headers: { 'retry-after': '3600' } });
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'HTTP 429', 'asks to wait 3600 s'),
    );
    expect(setting.waits).toEqual([]);
  });

  it('an answer that breaks off is asked for again', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/revision/, { cutAfter: 10 });
    setting.hub.order(/tree/, { cutAfter: 0 });
    await setting.download();
    expect(setting.waits).toEqual([1000, 1000]);
  });

  it('nobody who answers is named, with the reason', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise(resolve => server.close(resolve));
    await using setting = await Setting.create();
    await expect(setting.download({ endpoint: `http://127.0.0.1:${port}` })).rejects.toMatchObject(
      refusal(
        'DOWNLOAD_FAILED',
        `cannot reach http://127.0.0.1:${port} for owner/name`,
        'ECONNREFUSED',
      ),
    );
  });

  it('a name that is not found any more is looked up again', async () => {
    await using setting = await Setting.create();
    let isAway = true;
    const send: typeof fetch = async (url, options) => {
      const cause = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
      const fails = isAway && String(url).endsWith('model.safetensors');
      isAway &&= !fails;
      if (fails) throw new TypeError('fetch failed', { cause });
      return fetch(url, options);
    };
    await setting.download({ fetch: send });
    expect([isAway, setting.waits]).toEqual([false, [1000]]);
  });

  it('storage that refuses a new address, too, is not asked a third time', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage/, { status: 403 }, Infinity);
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'HTTP 403 from 127.0.0.1', 'given up after 2 attempts'),
    );
    expect(setting.waits.length).toBeLessThanOrEqual(2); // of two files at once
  });

  it('storage that refuses an address is asked by another', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage/, { status: 403 });
    await setting.download();
    expect(setting.waits).toEqual([1000]);
  });
});

describe('what does not pass is not tried again:', () => {
  it.each([501, 505, 511])('HTTP %i', async status => {
    await using setting = await Setting.create();
    setting.hub.order(/revision/, { status });
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', `HTTP ${status}`),
    );
    expect(setting.waits).toEqual([]);
  });

  it.each<[string, (setting: Setting) => string, string]>([
    ['a port that fetch does not ask', () => 'http://127.0.0.1:6666', 'bad port'],
    ['a name that nobody has', () => 'http://nobody.invalid', 'nobody.invalid'],
    ['TLS with who does not know it', ({ hub }) => hub.endpoint.replace('http', 'https'), ''],
  ])('%s', async (_name, endpointOf, word) => {
    await using setting = await Setting.create();
    await expect(setting.download({ endpoint: endpointOf(setting) })).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'cannot reach', word, 'check HF_ENDPOINT'),
    );
    expect(setting.waits).toEqual([]);
  });

  it('a redirect that leads round and round', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage/, { status: 302, headers: { location: '/again' } }, Infinity);
    await expect(setting.download()).rejects.toMatchObject(refusal('DOWNLOAD_FAILED', 'redirect'));
    expect(setting.waits).toEqual([]);
  });

  it('an answer that is not HTTP', async () => {
    const server = createServer(socket => {
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n').destroySoon());
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await using setting = await Setting.create();
    await expect(setting.download({ endpoint: `http://127.0.0.1:${port}` })).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'cannot reach', 'check HF_ENDPOINT'),
    );
    expect(setting.waits).toEqual([]);
    await new Promise(resolve => server.close(resolve));
  });
});

describe('what never ends is refused:', () => {
  const next = (setting: Setting) => ({
    link: `<${setting.hub.endpoint}/api/models/owner/name/tree/main>; rel="next"`,
  });

  it('a list that goes on and on', async () => {
    await using setting = await Setting.create();
    const body = JSON.stringify(
      Array.from({ length: 1000 }, (_, i) => ({ type: 'file', path: `${i}`, size: 1, oid: '' })),
    );
    setting.hub.order(/tree/, { status: 200, headers: next(setting), body }, Infinity);
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'the list of owner/name has more than 100000 entries'),
    );
    expect([setting.hub.asked.length, setting.waits]).toEqual([102, []]);
  });

  it('a list of pages with nothing on them', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/tree/, { status: 200, headers: next(setting), body: '[]' }, Infinity);
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'the answer about owner/name has more than 1000 pages'),
    );
  });

  it.each([/revision/, /tree/])('an answer to %s', async url => {
    await using setting = await Setting.create();
    setting.hub.order(url, { bytes: Buffer.alloc(33e6, ' ') });
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'the answer about owner/name is longer than 32.0 MB'),
    );
    expect(setting.waits).toEqual([]);
    await until(() => setting.hub.answering).toBe(0);
  });

  it('an index that is announced with 50 GB', async () => {
    await using setting = await Setting.create();
    setting.hub.files.delete('model.safetensors');
    setting.hub.files.set('model.safetensors.index.json', Buffer.from('{}'));
    setting.hub.tamper = entries => entries.map(entry => ({ ...entry, size: 50e9 }));
    await expect(setting.download()).rejects.toMatchObject(
      refusal('BAD_CHECKPOINT', 'model.safetensors.index.json has 50.0 GB'),
    );
    expect(setting.hub.downloads()).toEqual([]);
  });
});

describe('wrong bytes', () => {
  it.each([
    ['model.safetensors', /storage.*safetensors/],
    ['config.json', /resolve.*\/config/],
  ])('of %s are deleted, and the next download is right', async (path, url) => {
    await using setting = await Setting.create();
    const bytes = Buffer.from(setting.hub.files.get(path)!);
    bytes[7] ^= 1;
    setting.hub.order(url, { bytes });
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', path, 'checksum', setting.hub.etag(path), 'deleted'),
    );
    expect(existsSync(setting.incomplete(path))).toBe(false);
    expect(existsSync(setting.blob(path))).toBe(false);
    expect(existsSync(setting.snapshot())).toBe(false);
    await setting.download();
    expect(await holds(setting.snapshot(path), setting.hub.files.get(path)!)).toBe(true);
  });

  it('of a beginning that was there are found too', async () => {
    await using setting = await Setting.create();
    await mkdir(dirname(setting.incomplete('model.safetensors')), { recursive: true });
    await writeFile(setting.incomplete('model.safetensors'), Buffer.alloc(1000));
    await expect(setting.download()).rejects.toMatchObject(refusal('DOWNLOAD_FAILED', 'checksum'));
    await setting.download();
  });

  it('more than were announced are refused as soon as they come', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage.*safetensors/, { bytes: noise(300_001) });
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'more comes than the 300000 bytes'),
    );
  });

  it.each([
    'bytes 0-299999/300000',
    'bytes 999-299999/300000',
    'bytes 1000-299999/300001',
    'nonsense',
  ])('another range than was asked for is refused: %s', async contentRange => {
    await using setting = await Setting.create();
    await mkdir(dirname(setting.incomplete('model.safetensors')), { recursive: true });
    await writeFile(setting.incomplete('model.safetensors'), WEIGHTS.subarray(0, 1000));
    setting.hub.order(/storage.*safetensors/, { contentRange, stallAfter: 10 });
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'bytes 1000 to 300000', contentRange),
    );
    expect(await holds(setting.incomplete('model.safetensors'), WEIGHTS.subarray(0, 1000))).toBe(
      true,
    );
  });

  it.each(['<html>Log in</html>', '[]', 'null', '{}'])(
    'of the hub itself are refused: %s',
    async body => {
      await using setting = await Setting.create();
      setting.hub.order(/revision/, { status: 200, body });
      await expect(setting.download()).rejects.toMatchObject(
        refusal('DOWNLOAD_FAILED', 'http://127.0.0.1'),
      );
      setting.hub.order(/tree/, { status: 200, body });
      await expect(setting.download()).rejects.toMatchObject({ name: 'LlamaError' });
      expect(setting.waits).toEqual([]);
      await until(() => setting.hub.answering).toBe(0); // or the program would not end
    },
  );
});

describe('names from the hub', () => {
  it.each<[string, (setting: Setting) => void, string]>([
    [
      'a shard above',
      ({ hub }) => {
        hub.files.delete('model.safetensors');
        hub.files.set(
          'model.safetensors.index.json',
          Buffer.from('{"weight_map": {"t": "../../../../evil.safetensors"}}'),
        );
        hub.files.set('../../../../evil.safetensors', Buffer.from('evil'));
      },
      'BAD_CHECKPOINT',
    ],
    [
      'an etag that is a path',
      ({ hub }) => {
        hub.tamper = entries =>
          entries.map(entry => ({ ...entry, lfs: undefined, oid: '../../../evil' }));
      },
      'DOWNLOAD_FAILED',
    ],
    [
      'a size that is none',
      ({ hub }) => {
        hub.tamper = entries => entries.map(entry => ({ ...entry, lfs: undefined, size: '7' }));
      },
      'DOWNLOAD_FAILED',
    ],
    [
      'a commit that is a path',
      ({ hub }) => {
        hub.order(/revision/, { status: 200, body: '{"sha": "../../../evil"}' });
      },
      'DOWNLOAD_FAILED',
    ],
  ])('%s is refused', async (_name, prepare, code) => {
    await using setting = await Setting.create();
    prepare(setting);
    await expect(setting.download()).rejects.toMatchObject(refusal(code));
    const names = await readdir(setting.root, { recursive: true });
    expect(names.filter(name => name.includes('evil'))).toEqual([]);
  });

  it('that are not needed are not looked at', async () => {
    await using setting = await Setting.create({
      ...MODEL_FILES,
      '../evil.json': 'x',
      '/etc/evil': 'x',
      'C:\\evil': 'x',
    });
    await setting.download();
    expect(setting.hub.downloads()).toHaveLength(NEEDED.length);
  });
});

describe('the token', () => {
  it('goes to the hub with every request, and to nobody else', async () => {
    await using setting = await Setting.create();
    setting.hub.pageSize = 3;
    await setting.download({ token: 'hf_secret' });
    const tokens = (server: string) =>
      new Set(setting.hub.asked.filter(asked => asked.server === server).map(({ token }) => token));
    expect(tokens('hub')).toEqual(new Set(['hf_secret']));
    expect(tokens('storage')).toEqual(new Set([undefined]));
  });

  it('goes nowhere else though the hub says that its list goes on there', async () => {
    await using setting = await Setting.create();
    const headers = { link: `<${setting.hub.storage}/api/models/owner/name/tree/x>; rel="next"` };
    setting.hub.order(/hub .*tree/, { status: 200, headers, body: '[]' });
    await expect(setting.download({ token: 'hf_secret' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(setting.hub.asked.at(-1)).toMatchObject({ server: 'storage', token: undefined });
  });

  it('is not in messages', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/revision/, { status: 401 });
    await expect(setting.download({ token: 'hf_secret' })).rejects.toMatchObject({
      message: expect.not.stringContaining('secret'),
    });
  });
});

describe('the disk', () => {
  it('without room for it is noticed before anything comes', async () => {
    await using setting = await Setting.create();
    setting.hub.tamper = entries =>
      entries.map(entry => ({ ...entry, lfs: { oid: 'a'.repeat(64), size: 2 ** 50 } }));
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'TB to download, but only', 'HF_HUB_CACHE'),
    );
    expect(setting.hub.downloads()).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('that is full is named', async () => {
    await using setting = await Setting.create();
    await mkdir(dirname(setting.incomplete('model.safetensors')), { recursive: true });
    await symlink('/dev/full', setting.incomplete('model.safetensors'));
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'the disk is full', 'HF_HUB_CACHE'),
    );
    expect(setting.waits).toEqual([]);
  });

  it('that something else is in the way on is named', async () => {
    await using setting = await Setting.create();
    await mkdir(setting.incomplete('model.safetensors'), { recursive: true });
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'cannot use', 'EISDIR'),
    );
  });

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'that may not be written is named',
    async () => {
      await using setting = await Setting.create();
      await chmod(setting.root, 0o500);
      await expect(setting.download()).rejects.toMatchObject(refusal('DOWNLOAD_FAILED', 'EACCES'));
    },
  );
});
