/**
 * `npm run build`: src/ and asm/ → dist/. Compiles what has changed, and removes from dist/ what no
 * source makes any more, so that it is never packed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULES = ['simd', 'relaxed', 'dot4', 'relaxed-wide', 'dot4-wide'].map(
  name => `${name}.wasm`,
);
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
/** What tsc remembers (tsconfig.build.json, .page.json), and the hash of the modules' sources. */
const remembered = ['.tsbuildinfo', '.tsbuildinfo-page'].map(name => join(dist, name));
const stamp = join(dist, '.asm-sources');

buildSources();
removeStale();
buildModules();

function buildSources() {
  if (listFiles('src').some(isMissing))
    for (const path of remembered) rmSync(path, { force: true });
  const tsc = fileURLToPath(new URL('tsc.js', import.meta.resolve('typescript')));
  run(tsc, '-p', 'tsconfig.build.json');
  run(tsc, '-p', 'tsconfig.page.json');
}

function isMissing(path) {
  return path.endsWith('.ts') && !existsSync(join(dist, path.replace(/(\.d)?\.ts$/, '.js')));
}

function removeStale() {
  for (const path of listFiles('dist')) {
    const compiled = /^(.+?)(\.d\.ts|\.js)(\.map)?$/.exec(path);
    if (compiled && !existsSync(join(root, 'src', `${compiled[1]}.ts`))) rmSync(join(dist, path));
  }
}

function buildModules() {
  const program = 'scripts/build-asm.js';
  const sources = hashOf([program, 'package-lock.json', ...listFiles('asm', 'asm/')]);
  const built = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  const missing = MODULES.some(name => !existsSync(join(dist, 'engines/wasm', name)));
  if (built === sources && !missing) return;
  run(program);
  writeFileSync(stamp, sources);
}

/** The files of a folder of the repository, as paths inside it, in one order everywhere. */
function listFiles(folder, prefix = '') {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(join(root, folder).length + 1))
    .map(path => prefix + path.replaceAll('\\', '/'))
    .sort();
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(path).update(readFileSync(join(root, path)));
  return hash.digest('hex');
}

function run(program, ...args) {
  execFileSync(process.execPath, [program, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
}
