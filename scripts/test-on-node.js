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
import { fetchNode } from './fetch-node.js';

const [version, ...files] = process.argv.slice(2);
if (!/^\d+(\.\d+)*$/.test(version ?? '')) {
  console.error(
    'Which version of Node? node scripts/test-on-node.js 26, or 26.1.0; then perhaps test files.',
  );
  process.exit(2);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'llama-32k-node-'));
const node = fetchNode(version, folder);
process.exitCode = node === undefined ? 1 : test(node);
rmSync(folder, { recursive: true });

function test(node) {
  run(node, '--version');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  return run(node, vitest, 'run', ...(files.length > 0 ? files : ['test/engines', 'test/asm']));
}

function run(node, ...args) {
  return spawnSync(node, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}
