/**
 * Text that others wrote, names of files and tensors among it, does not reach a terminal as
 * something that it obeys: it could retitle the window, clear the screen or answer questions.
 */
import { cp, rename, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openFile } from '../../src/files/file.js';
import { openSafetensors, writeSafetensors } from '../../src/files/safetensors/safetensors.js';
import { temporaryDirectory } from '../convert/support.js';
import { REPO } from '../hub/fake-hub.js';
import { Setting } from '../hub/support.js';
import { goldenPath } from '../support/golden.js';
import { cli, ESCAPE, FakeIo } from './support.js';

const { at } = temporaryDirectory();

/** Retitles the window; the second in one character of C1, which xterm obeys in UTF-8 too. */
const EVIL = `${ESCAPE}]0;evil\x07\u009b31m\x7f`;

/** Our own: colours, and the line that is written over. */
const OURS = new RegExp(`${ESCAPE}\\[\\d*m|\\r${ESCAPE}\\[K`, 'g');

const CONTROLS = /(?!\n|\t)\p{Cc}/u;

async function onTerminal(args: readonly string[], env: Record<string, string> = {}) {
  const io = new FakeIo(['stdout', 'stderr'], env);
  const { code, stdout, stderr } = await cli(args, '', io);
  return { code, shown: (stdout + stderr).replace(OURS, '') };
}

/** golden/mha in a directory with such a name, and with such a tensor. */
async function evilModel(tensor?: string): Promise<string> {
  const path = at(`model${EVIL}`);
  const filter = (file: string) => !/trace|greedy/.test(file);
  await cp(goldenPath('mha'), path, { recursive: true, filter });
  if (tensor === undefined) return path;
  const file = await openSafetensors(await openFile(`${path}/model.safetensors`));
  const tensors = [];
  for (const source of file.tensors.values()) {
    const { name, shape } = source;
    tensors.push({ name, dtype: 'F32' as const, shape, chunks: [await source.readBytes()] });
  }
  tensors.push({ name: tensor, dtype: 'F32' as const, shape: [1], chunks: [new Uint8Array(4)] });
  await file.close();
  await writeFile(`${path}/new`, writeSafetensors(tensors));
  await rename(`${path}/new`, `${path}/model.safetensors`);
  return path;
}

describe('on a terminal', () => {
  it('the name of a model is shown, not obeyed, whatever is done with it', async () => {
    const path = await evilModel();
    const model = ['--model', path];
    for (const args of [
      ['inspect', ...model],
      ['convert', ...model, '--output', at(`out${EVIL}`)],
      ['convert', ...model, '--output', at(`no${EVIL}/out`)],
      ['logits', ...model, '--tokens', '1', '--kernels', 'exact'],
      ['generate', ...model, '--prompt', 'Hi', '--tokens', '1'],
      ['inspect', '--model', at(`no${EVIL}`)],
    ]) {
      const { shown } = await onTerminal(args);
      expect(shown, args[0]).not.toMatch(CONTROLS);
      expect(shown.length).toBeGreaterThan(0);
    }
  });

  it('so is that of a tensor', async () => {
    const path = await evilModel(`extra${EVIL}`);
    const { shown } = await onTerminal(['inspect', '--model', path]);
    expect(shown).not.toMatch(CONTROLS);
    expect(shown).toContain('extra');
  });

  it.each([[[`verb${EVIL}`]], [['inspect', `--o${EVIL}`]], [['logits', '--tokens', `1,${EVIL}`]]])(
    'so is what was typed: %j',
    async args => {
      const { code, shown } = await onTerminal(args);
      expect([code, shown]).toEqual([2, expect.not.stringMatching(CONTROLS)]);
    },
  );

  it('so is what a hub says', async () => {
    await using setting = await Setting.create({ [`a${EVIL}.gguf`]: 'x' });
    const env = {
      HF_ENDPOINT: setting.hub.endpoint,
      HF_HUB_CACHE: setting.cache,
      HF_HOME: setting.root,
    };
    const { code, shown } = await onTerminal(['inspect', '--model', REPO], env);
    expect([code, shown]).toEqual([3, expect.not.stringMatching(CONTROLS)]);
    expect(shown).toContain('.gguf');
  });
});

it('JSON has escapes for them, and is the same value', async () => {
  const path = await evilModel();
  const { stdout } = await cli(['inspect', '--model', path, '--json']);
  expect([stdout, JSON.parse(stdout).model]).toEqual([expect.not.stringMatching(CONTROLS), path]);
  const missing = await cli(['inspect', '--model', at(`no${EVIL}`), '--json']);
  expect(missing.stderr).not.toMatch(CONTROLS);
  expect(JSON.parse(missing.stderr).error.message).toContain(EVIL);
});
