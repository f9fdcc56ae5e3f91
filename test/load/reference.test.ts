import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePath, isFilePath } from '../../src/load/file-path.js';
import { parseReference } from '../../src/load/reference.js';

describe('parseReference', () => {
  it.each([
    [
      'togethercomputer/Llama-2-7B-32K-Instruct',
      'togethercomputer/Llama-2-7B-32K-Instruct',
      undefined,
    ],
    ['a/b', 'a/b', undefined],
    ['o_w.n-er/n_a.m-e', 'o_w.n-er/n_a.m-e', undefined],
    ['owner/name-GGUF:name.Q4_K_M.gguf', 'owner/name-GGUF', 'name.Q4_K_M.gguf'],
    ['owner/name:Q8_0/name-00001-of-00003.gguf', 'owner/name', 'Q8_0/name-00001-of-00003.gguf'],
  ])('%s', (text, repo, file) => {
    expect(parseReference(text)).toEqual({ repo, file });
  });

  it.each([
    '',
    'name',
    'owner/',
    '/name',
    './name',
    '../name',
    'owner/..',
    'a/b/c',
    '-owner/name',
    'owner/name.',
    'owner/na--me',
    'owner/na..me',
    'owner/name.git',
    'owner/name\n',
    'own er/name',
    'C:/name',
    'C:\\owner\\name',
    'directory/file.gguf',
    'owner/name:',
    'owner/name:file.bin',
    'owner/name:.gguf/..',
    'owner/name:../file.gguf',
    'owner/name:/file.gguf',
    'owner/name:a//file.gguf',
    'owner/name:a\\file.gguf',
    'owner/name:C:file.gguf',
    `owner/${'n'.repeat(97)}`,
  ])('%j is none', text => {
    expect(parseReference(text)).toBeUndefined();
  });

  const word = fc
    .stringMatching(/^\w([\w.-]{0,20}\w)?$/)
    .filter(text => !/--|\.\.|\.git$|\.gguf$/.test(text));
  it('takes apart what it is put together from', () => {
    fc.assert(
      fc.property(word, word, fc.option(word, { nil: undefined }), (owner, name, file) => {
        const repo = `${owner}/${name}`;
        const path = file && `${file}.gguf`;
        expect(parseReference(path === undefined ? repo : `${repo}:${path}`)).toEqual({
          repo,
          file: path,
        });
      }),
    );
  });
});

describe('isFilePath', () => {
  // Most texts are refused, so also those that are made of what paths are made of.
  const piece = fc.constantFrom(
    '..',
    '.',
    '/',
    '\\',
    'a',
    'C:',
    ':',
    ' ',
    'b.gguf',
    '//',
    '~',
    '%2e',
  );
  const paths = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 6 }).map(pieces => pieces.join('')),
  );

  it('is true only of what stays below a directory, on any system', () => {
    fc.assert(
      fc.property(paths, path => {
        fc.pre(isFilePath(path));
        for (const { resolve, sep } of [posix, win32]) {
          const root = resolve(sep === '/' ? '/cache' : 'C:\\cache');
          expect(resolve(root, path).startsWith(root + sep)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('and such a path comes out of a URL as it went in', () => {
    fc.assert(
      fc.property(paths, path => {
        fc.pre(isFilePath(path));
        const { pathname, search, hash } = new URL(`http://hub/resolve/${encodePath(path)}`);
        expect([decodeURIComponent(pathname), search, hash]).toEqual([`/resolve/${path}`, '', '']);
      }),
    );
  });
});
