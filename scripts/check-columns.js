/**
 * `node scripts/check-columns.js`: no line has more than 100 columns, in code, comments, asm,
 * Python or prose. Biome formats code to that, but leaves strings, comments and the names of tests
 * as they are, and reads neither Python nor Markdown.
 *
 * Not looked at: what programs write (lock files, goldens, results), and in Markdown what cannot be
 * broken: tables, blocks of code, and lines of a single word, such as links.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const COLUMNS = 100;
const CHECKED = ['*.ts', '*.js', '*.cjs', '*.mjs', '*.py', '*.md', '*.yml', '.ci/run'];
const WRITTEN_BY_PROGRAMS = /^(golden|bench\/results|docs\/api)\/(?!(.*\/)?README\.md$)/;
const root = fileURLToPath(new URL('..', import.meta.url));

const files = git('ls-files', '--cached', '--others', '--exclude-standard', '--', ...CHECKED);
const long = files.filter(name => !WRITTEN_BY_PROGRAMS.test(name)).flatMap(longLines);
if (long.length > 0) {
  console.error(`lines of more than ${COLUMNS} columns:\n${long.join('\n')}`);
  process.exitCode = 1;
}

function git(...args) {
  const listing = execFileSync('git', args, { cwd: root, encoding: 'utf8' });
  return listing.split('\n').filter(name => name !== '');
}

function longLines(name) {
  const lines = readFileSync(root + name, 'utf8').split('\n');
  const mayBeLong = name.endsWith('.md') ? cannotBeBroken(lines) : () => false;
  return lines.flatMap((line, i) => {
    const columns = [...line].length;
    return columns <= COLUMNS || mayBeLong(line, i) ? [] : `  ${name}:${i + 1}: ${columns}`;
  });
}

function cannotBeBroken(lines) {
  let inside = false;
  const ofBlocks = lines.map(line => {
    const fence = /^\s*```/.test(line);
    if (fence) inside = !inside;
    return inside || fence;
  });
  return (line, i) => ofBlocks[i] || /^\s*\|/.test(line) || !/\S\s+\S/.test(line.trim().slice(2));
}
