/**
 * `node scripts/fetch-node.js 24 FOLDER`: another version of Node, from npm. Prints the path of the
 * program; exit code 1 if it cannot be had.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const windows = process.platform === 'win32';

/**
 * Undefined if it cannot be had.
 * @param {string} version such as 26 or 26.1.0
 * @param {string} folder where npm puts it
 */
export function fetchNode(version, folder) {
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', folder];
  const { status } = spawnSync('npm', ['install', ...options, `${name}@${version}`], {
    cwd: folder,
    shell: windows,
    stdio: ['ignore', 2, 2],
  });
  const program = join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  return status === 0 && existsSync(program) ? program : undefined;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const program = fetchNode(process.argv[2], process.argv[3]);
  if (program !== undefined) console.log(program);
  process.exitCode = program === undefined ? 1 : 0;
}
