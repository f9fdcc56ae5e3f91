/**
 * `node scripts/format-asm.js [--check]`: biome's format for asm/*.ts, of which it cannot read one
 * thing, AssemblyScript's decorators of functions. They are hidden in the comment above them, which
 * TypeScript's checker wants anyway, while biome looks.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../asm/', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const biome = fileURLToPath(import.meta.resolve('@biomejs/biome/bin/biome'));
const DECORATED = '// @ts-ignore: decorator\n@inline\n';
const HIDDEN = '// @ts-ignore: decorator @inline\n';

const check = process.argv.includes('--check');
const different = readdirSync(folder).filter(name => name.endsWith('.ts') && !isFormatted(name));
if (check && different.length > 0) {
  console.error(`asm/${different.join(', asm/')}: not formatted; run npm run format`);
  process.exitCode = 1;
}

function isFormatted(name) {
  const before = readFileSync(folder + name, 'utf8');
  const after = format(name, before.replaceAll(DECORATED, HIDDEN)).replaceAll(HIDDEN, DECORATED);
  if (!check && after !== before) writeFileSync(folder + name, after);
  return after === before;
}

function format(name, input) {
  const args = [biome, 'format', `--stdin-file-path=src/${name}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, input });
  if (status !== 0) throw new Error(`biome cannot format asm/${name}: ${stderr}`);
  return stdout.toString();
}
