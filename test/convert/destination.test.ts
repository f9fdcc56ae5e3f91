/**
 * Where the output may be: links, disks of their own, directories that are there, and what earlier
 * conversions left.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Leftover } from '../../src/base/partial.js';
import { convertModel } from '../../src/convert/convert.js';
import { cli, program } from '../cli/support.js';
import { expectRefused } from '../files/helpers.js';
import { goldenPath } from '../support/golden.js';
import { zeroModel } from '../support/zero-model.js';
import { expectSameTensors, temporaryDirectory } from './support.js';

const { at, names } = temporaryDirectory();
const source = goldenPath('mha');
const MODEL_FILES = [
  'config.json',
  'generation_config.json',
  'model.safetensors',
  'tokenizer.model',
];

describe('an empty directory', () => {
  it('is written into, and stays the one that it was', async () => {
    await mkdir(at('model'));
    await chmod(at('model'), 0o2750);
    const before = await stat(at('model'));
    await convertModel(source, at('model'));
    const after = await stat(at('model'));
    expect([after.ino, after.mode]).toEqual([before.ino, before.mode]);
    expect((await readdir(at('model'))).sort()).toEqual(MODEL_FILES);
    await expectSameTensors(at('model'), source);
    expect(await names()).toEqual(['model']);
  });

  it('gets its config.json last, and nothing before all is written', async () => {
    await mkdir(at('model'));
    const seen: string[][] = [];
    const onProgress = async (done: number, total: number) => {
      if (done < total) seen.push(await readdir(at('model')));
    };
    await convertModel(source, at('model'), { onProgress });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.flat().filter(name => !name.startsWith('.partial-'))).toEqual([]);
  });

  it('may have lost+found in it, as the root of a disk', async () => {
    await mkdir(at('disk/lost+found'), { recursive: true });
    await convertModel(source, at('disk'));
    expect((await readdir(at('disk'))).sort()).toEqual([...MODEL_FILES, 'lost+found'].sort());
  });

  it('that the shell is in is not taken away from it', async () => {
    const main = join(process.cwd(), 'dist/cli/main.js');
    const args = ['convert', '--model', source, '--output', '.', '--json'];
    const before = await stat(at());
    execFileSync(process.execPath, [main, ...args], { cwd: at() });
    expect([(await stat(at())).ino, await names()]).toEqual([before.ino, MODEL_FILES]);
  });
});

/** A disk of one megabyte, where this is allowed: in a user namespace of its own. */
const onSmallDisk = (script: string) =>
  execFileSync(
    'unshare',
    [
      '-rm',
      'sh',
      '-c',
      `mount -t tmpfs -o size=1m none "$1" && ${script}`,
      'sh',
      at('disk'),
      process.execPath,
      join(process.cwd(), 'dist/cli/main.js'),
      source,
    ],
    { encoding: 'utf8', stdio: 'pipe' },
  );

const canMount = (() => {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!canMount)('an empty disk', () => {
  it('is written to; and its room counts, not that of the disk around it', async () => {
    await mkdir(at('disk'));
    const convert = '"$2" "$3" convert --model "$4" --output "$1" --json';
    const fits = onSmallDisk(`${convert} --type bf16 && ls "$1"`);
    expect(fits).toContain('model.safetensors');
    const full = onSmallDisk(
      'dd if=/dev/zero of="$1/x" bs=1k count=900 2>/dev/null; rm "$1/x"; mkdir "$1/sub"; dd ' +
        'if=/dev/zero of="$1/x" bs=1k count=900 2>/dev/null; ' +
        `${convert.replace('"$1"', '"$1/sub"')} 2>&1; true`,
    );
    expect(full).toMatch(/WRITE_FAILED.*only \S+ kB free in .*sub/);
    expect(await names()).toEqual(['disk']);
  });
});

describe.skipIf(process.platform === 'win32')('links', () => {
  it('to a file that is there: --force replaces it, and it keeps its permissions', async () => {
    await mkdir(at('far'));
    await writeFile(at('far/real.gguf'), 'old');
    await chmod(at('far/real.gguf'), 0o640);
    await symlink('far/real.gguf', at('model.gguf'));
    await expectRefused(convertModel(source, at('model.gguf')), 'BAD_OPTION', 'there already');
    await convertModel(source, at('model.gguf'), { force: true });
    expect(await readlink(at('model.gguf'))).toBe('far/real.gguf');
    expect((await lstat(at('far/real.gguf'))).mode & 0o777).toBe(0o640);
    await expectSameTensors(at('far/real.gguf'), source);
    expect(await readdir(at('far'))).toEqual(['real.gguf']);
  });

  it.each(['model.gguf', 'model'])('to nothing: %s is made where it leads', async name => {
    await mkdir(at('far'));
    await symlink('far', at('near'));
    await symlink('near/second', at(name)); // one link leads to another
    await symlink(`../far/real`, at('far/second'));
    await convertModel(source, at(name));
    expect(await readlink(at(name))).toBe('near/second');
    expect((await readdir(at('far'))).sort()).toEqual(['real', 'second']);
    await expectSameTensors(at('far/real'), source);
  });

  it('to an empty directory: it is written into', async () => {
    await mkdir(at('far'));
    await symlink('far', at('model'));
    await convertModel(source, at('model'));
    expect(await readlink(at('model'))).toBe('far');
    await expectSameTensors(at('far'), source);
  });

  it('that lead nowhere are refused', async () => {
    await symlink('no/model', at('model'));
    await expectRefused(convertModel(source, at('model')), 'NOT_FOUND', 'no directory', at('no'));
    await symlink('b', at('a'));
    await symlink('a', at('b'));
    await expectRefused(convertModel(source, at('a')), 'BAD_OPTION', 'round and round');
  });

  it('to the model that is read are refused', async () => {
    await symlink(source, at('model'));
    await expectRefused(
      convertModel(source, at('model')),
      'BAD_OPTION',
      'is the model that is read',
    );
  });
});

it('a name that ends in .GGUF is that of a file', async () => {
  await convertModel(source, at('x.GGUF'));
  expect((await stat(at('x.GGUF'))).isFile()).toBe(true);
  await expectSameTensors(at('x.GGUF'), source);
});

it('a file that somebody else made meanwhile is not replaced', async () => {
  const onProgress = () => writeFile(at('model.gguf'), 'theirs');
  const converting = convertModel(source, at('model.gguf'), { onProgress });
  await expectRefused(converting, 'BAD_OPTION', 'made by somebody else meanwhile');
  expect(await readFile(at('model.gguf'), 'utf8')).toBe('theirs');
});

describe('what a killed conversion left', () => {
  it.skipIf(process.platform === 'win32').each([
    ['model', false],
    ['model', true],
  ])(
    'of %s (which is there: %s) is removed by the next one, which says so',
    async (name, isThere) => {
      await zeroModel(at('source'), 1500); // converting takes seconds
      if (isThere) await mkdir(at(name));
      const where = isThere ? at(name) : at();
      const partials = async () =>
        (await readdir(where)).filter(each => each.includes('.partial-'));
      const child = program(
        'convert',
        '--model',
        at('source'),
        '--output',
        at(name),
        '--type',
        'f16',
      );
      const ended = once(child, 'exit');
      while ((await partials()).length === 0) await new Promise(resolve => setTimeout(resolve, 10));
      const [left] = await partials();
      const running: Leftover[] = [];
      const onLeftover = (leftover: Leftover) => running.push(leftover);
      const stop = AbortSignal.abort(new Error('no'));
      await expect(convertModel(source, at(name), { onLeftover, signal: stop })).rejects.toThrow(
        'no',
      );
      child.kill('SIGKILL');
      await ended;
      expect(running).toEqual([{ path: join(where, left), isRemoved: false }]);
      expect(await partials()).toEqual([left]);
      const { code, stderr } = await cli(['convert', '--model', source, '--output', at(name)]);
      expect([code, stderr]).toEqual([0, expect.stringContaining(`removed ${join(where, left)}`)]);
      expect(await partials()).toEqual([]);
    },
  );

  it('on another machine, or by an earlier version, is mentioned and stays', async () => {
    const left = ['model.partial-00000000-1-abcdef', 'model.partial-Xb3k9Q'];
    for (const name of left) await mkdir(at(name));
    await mkdir(at('other.partial-00000000-1-abcdef'));
    const { code, stderr } = await cli(['convert', '--model', source, '--output', at('model')]);
    expect(code).toBe(0);
    for (const name of left) expect(stderr).toContain(`${at(name)} is of another conversion`);
    expect(stderr).not.toContain('other.partial');
    expect((await names()).filter(name => left.includes(name)).sort()).toEqual(left.sort());
  });
});
