/** The package as npm packs it, installed in a program of its own, in a path with a blank. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WINDOWS = process.platform === 'win32';

export interface Installed {
  /** The folder of the program, which has the package in its node_modules. */
  readonly folder: string;
  readonly tarball: string;
  readonly files: readonly PackedFile[];
  readonly remove: () => Promise<void>;
}

export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

/** Packs what is built, without building it again. */
export async function install(): Promise<Installed> {
  const work = await realpath(await mkdtemp(join(tmpdir(), 'llama-32k-package-')));
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', work];
  const { stdout } = await execute('npm', pack, { cwd: ROOT, shell: WINDOWS });
  const [{ filename, files }] = JSON.parse(stdout);
  const tarball = join(work, filename);
  const folder = join(work, 'a program');
  const packages = join(folder, 'node_modules');
  const target = join(packages, 'llama-32k');
  await mkdir(target, { recursive: true });
  await execute('tar', ['xzf', tarball, '-C', target, '--strip-components=1']);
  await symlink(
    join(ROOT, 'node_modules/@huggingface'),
    join(packages, '@huggingface'),
    'junction',
  );
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  return { folder, tarball, files, remove: () => rm(work, { recursive: true }) };
}

/** Writes a program into the folder, runs it, and gives what it says on stdout. */
export async function runProgram(folder: string, name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return runNode(folder, name);
}

export async function runNode(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, args, { cwd: folder });
  return stdout;
}

/** Runs a tool of this repository, given by the file that its package names as `bin`. */
export function runTool(folder: string, bin: string, ...args: string[]): Promise<string> {
  return runNode(folder, join(ROOT, 'node_modules', bin), ...args);
}
