/**
 * `node scripts/test-on-node.js 26 [files]`: the tests of kernels and engine on another version of
 * Node, fetched from npm into a folder that is removed afterwards. Needs what `npm run setup`
 * makes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [version, ...files] = process.argv.slice(2);
if (!/^\d+(\.\d+)*$/.test(version ?? '')) {
  console.error(
    'Which version of Node? node scripts/test-on-node.js 26, or 26.1.0; then perhaps test files.',
  );
  process.exit(2);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const windows = process.platform === 'win32';
const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
const folder = mkdtempSync(join(tmpdir(), 'llama-32k-node-'));
process.exitCode = fetchNode() || test();
rmSync(folder, { recursive: true });

function fetchNode() {
  const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder];
  return run('npm', ['install', ...options, `${name}@${version}`], folder, windows);
}

function test() {
  const node = join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  run(node, ['--version'], root, false);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  return run(
    node,
    [vitest, 'run', ...(files.length > 0 ? files : ['test/engines', 'test/asm'])],
    root,
    false,
  );
}

function run(command, args, cwd, shell) {
  return spawnSync(command, args, { cwd, shell, stdio: 'inherit' }).status ?? 1;
}
