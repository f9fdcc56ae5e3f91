/** The command line with a model of the hub; `programIn` runs dist, which `npm test` builds. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/hub/cache-disk.js';
import { loadLlama, loadModel } from '../../src/load/model.js';
import { CLEAR_LINE, cli, FakeIo, finished, json, programIn } from '../cli/support.js';
import { goldenPath } from '../support/golden.js';
import { goldenFiles, refusal, Setting, until } from './support.js';

const GQA = await goldenFiles('gqa');
const GGUF = await goldenFiles('gguf');

const environment = (setting: Setting) => ({
  HF_ENDPOINT: setting.hub.endpoint,
  HF_HUB_CACHE: setting.cache,
  HF_HOME: setting.root,
});
const fakeIo = (setting: Setting, terminals: ConstructorParameters<typeof FakeIo>[0] = []) =>
  new FakeIo(terminals, environment(setting));
const exactly = ['--tokens', '1,5,9', '--kernels', 'exact', '--json'];

describe('--model owner/name', () => {
  it('gives the logits that the directory gives, to the bit', async () => {
    await using setting = await Setting.create(GQA);
    const { code, stdout, stderr } = await cli(
      ['logits', '--model', 'owner/name', ...exactly],
      '',
      fakeIo(setting),
    );
    expect([code, stderr]).toEqual([0, '']);
    const expected = await json(['logits', '--model', goldenPath('gqa'), ...exactly.slice(0, -1)]);
    expect(JSON.parse(stdout)).toEqual({ ...expected, model: setting.snapshot() });
  });

  it('and of a GGUF file, whole and in parts', async () => {
    await using setting = await Setting.create(GGUF);
    for (const file of ['mha-f32.gguf', 'tied-bf16-00001-of-00002.gguf']) {
      const args = ['logits', '--model', `owner/name:${file}`, ...exactly];
      const { stdout } = await cli(args, '', fakeIo(setting));
      const expected = await json([
        'logits',
        '--model',
        join(goldenPath('gguf'), file),
        ...exactly.slice(0, -1),
      ]);
      expect(JSON.parse(stdout)).toEqual({ ...expected, model: setting.snapshot(file) });
    }
  });

  it('says what it downloads, and on a terminal how far it is', async () => {
    await using setting = await Setting.create(GQA);
    const io = fakeIo(setting, ['stderr']);
    const { code, stderr } = await cli(['inspect', '--model', 'owner/name'], '', io);
    expect([code, io.interrupts.size]).toEqual([0, 0]);
    expect(stderr).toMatch(/llama-32k:\S* downloading owner\/name: 2\.56 MB\n/);
    expect(stderr).toMatch(/downloaded .* of 2\.56 MB/);
    expect(stderr.endsWith(CLEAR_LINE)).toBe(true);
    const again = await cli(['inspect', '--model', 'owner/name'], '', fakeIo(setting, ['stderr']));
    expect([again.code, again.stderr]).toEqual([0, '']);
  });

  it('downloads no weights to count tokens', async () => {
    await using setting = await Setting.create(GQA);
    const { stdout } = await cli(
      ['tokenize', 'Hi you', '--model', 'owner/name'],
      '',
      fakeIo(setting),
    );
    expect(stdout.trim().split(',')).toHaveLength(6);
    expect(setting.hub.downloads()).toHaveLength(1);
  });

  it('takes --revision, which is an error with anything else', async () => {
    await using setting = await Setting.create(GQA);
    setting.hub.revisions = ['v1'];
    const args = ['inspect', '--model', 'owner/name', '--json'];
    expect((await cli([...args, '--revision', 'v1'], '', fakeIo(setting))).code).toBe(0);
    const { code, stderr } = await cli(args, '', fakeIo(setting));
    expect([code, JSON.parse(stderr).error]).toEqual([
      3,
      refusal('NOT_FOUND', 'owner/name has no revision main'),
    ]);
    for (const model of [['--model', goldenPath('gqa')], []]) {
      const refused = await cli(['inspect', ...model, '--revision', 'v1'], '', fakeIo(setting));
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringContaining('--revision has no effect with'),
      ]);
    }
  });

  it('a directory of that name comes first', async () => {
    await using setting = await Setting.create(GQA);
    const { code, stdout } = await cli(
      ['inspect', '--model', 'golden/mha', '--json'],
      '',
      fakeIo(setting),
    );
    expect([code, JSON.parse(stdout).model, setting.hub.asked]).toEqual([0, 'golden/mha', []]);
  });

  it.each([
    [{ status: 401 }, 1, 'UNAUTHORIZED'],
    [{ status: 418 }, 1, 'DOWNLOAD_FAILED'],
    [{ status: 404 }, 3, 'NOT_FOUND'],
  ] as const)('%j ends with %i, %s', async (mishap, exit, expected) => {
    await using setting = await Setting.create(GQA);
    setting.hub.order(/revision/, mishap);
    const { code, stderr } = await cli(
      ['inspect', '--model', 'owner/name', '--json'],
      '',
      fakeIo(setting),
    );
    const { error } = JSON.parse(stderr);
    expect([code, error]).toEqual([
      exit,
      refusal(expected, 'owner/name is no path here, and as a model of the hub: '),
    ]);
  });

  it('offline says what is missing', async () => {
    await using setting = await Setting.create(GQA);
    const io = new FakeIo([], { ...environment(setting), HF_HUB_OFFLINE: '1' });
    const { code, stderr } = await cli(['inspect', '--model', 'owner/name'], '', io);
    expect([code, setting.hub.asked]).toEqual([3, []]);
    expect(stderr).toContain('HF_HUB_OFFLINE');
  });

  it('Ctrl-C ends it with 130, and the same command goes on from there', async () => {
    await using setting = await Setting.create(GQA);
    setting.hub.order(/storage.*safetensors/, { stallAfter: 100_000 });
    const io = fakeIo(setting);
    const interrupted = cli(['inspect', '--model', 'owner/name'], '', io);
    await until(() => sizeOf(setting.incomplete('model.safetensors'))).toBe(100_000);
    io.interrupt();
    expect(await interrupted).toMatchObject({
      code: 130,
      stderr: expect.stringContaining('goes on from there'),
    });
    expect((await cli(['inspect', '--model', 'owner/name'], '', fakeIo(setting))).code).toBe(0);
    expect(setting.hub.downloads('model.safetensors').at(-1)!.range).toBe('bytes=100000-');
  });
});

describe('the program', () => {
  it.skipIf(process.platform === 'win32')(
    'downloads, ends by itself, and with 130 on Ctrl-C',
    async () => {
      await using setting = await Setting.create(GQA);
      setting.hub.order(/storage.*safetensors/, { stallAfter: 100_000 });
      const run = () =>
        programIn(
          { ...process.env, ...environment(setting) },
          'inspect',
          '--model',
          'owner/name',
          '--json',
        );
      const child = run();
      await until(() => sizeOf(setting.incomplete('model.safetensors'))).toBe(100_000);
      child.kill('SIGINT');
      expect(await finished(child)).toMatchObject({ code: 130, signal: null });
      const { code, stdout } = await finished(run());
      expect([code, JSON.parse(stdout).model]).toEqual([0, setting.snapshot()]);
    },
  );
});

describe('loadModel', () => {
  it.each(['owner/name', 'owner/name:file.gguf'])(
    'downloads nothing, and says how %s is',
    async name => {
      const refused = refusal(
        'NOT_FOUND',
        `there is no ${name}`,
        `loadModel(await downloadModel("${name}"))`,
      );
      await expect(loadModel(name)).rejects.toMatchObject(refused);
      await expect(loadLlama(name)).rejects.toMatchObject(refused);
    },
  );
});
