/** golden/manifest.json: the files are those that the reference implementation wrote. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { goldenPath } from './support/golden.js';

interface Entry {
  readonly bytes: number;
  readonly sha256: string;
}
const { files }: { files: Readonly<Record<string, Entry>> } = JSON.parse(
  readFileSync(goldenPath('manifest.json'), 'utf8'),
);

it.each(Object.entries(files))('%s', (file, { bytes, sha256 }) => {
  const content = readFileSync(goldenPath(file));
  expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([
    bytes,
    sha256,
  ]);
});

it('lists all files but texts, pictures, tokenizer/ (by make_tokenizer.py)', () => {
  const there = readdirSync(goldenPath('.'), { recursive: true, encoding: 'utf8' })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => statSync(goldenPath(file)).isFile())
    .filter(
      file =>
        !file.startsWith('tokenizer/') && file !== 'manifest.json' && !/\.(md|svg)$/.test(file),
    );
  expect(there.sort()).toEqual(Object.keys(files).sort());
});
