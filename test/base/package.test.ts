/** Where the package's own files are, and what is said in a bundle, where they are not. */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isBundled, packageFile } from '../../src/base/package.js';
import { DIST } from '../support/child.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-bundle-'));
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  await cp(join(DIST, 'base/errors.js'), join(directory, 'errors.js'));
});
afterAll(() => rm(directory, { recursive: true }));

it('finds files of the package from its root', () => {
  expect(isBundled).toBe(false);
  expect(existsSync(packageFile('golden/tiny-32k/config.json'))).toBe(true);
});

it.each([
  ['an ECMAScript module', (code: string) => code, 'file:///'],
  // as esbuild writes it: import.meta is an empty object
  ['CommonJS', (code: string) => code.replaceAll('import.meta', '({})'), 'CommonJS'],
])(
  'in a bundle that is %s it loads, and says how to keep the package out',
  async (_, by, named) => {
    const path = join(directory, `bundle-${named.slice(0, 4)}.js`);
    await writeFile(path, by(await readFile(join(DIST, 'base/package.js'), 'utf8')));
    const bundle: typeof import('../../src/base/package.js') = await import(
      pathToFileURL(path).href
    );
    expect(bundle.isBundled).toBe(true);
    expect(() => bundle.packageFile('dist/engines/wasm/simd.wasm')).toThrow(
      expect.objectContaining({
        code: 'BROKEN_INSTALLATION',
        message: expect.stringMatching(
          new RegExp(
            `\\(${named}.*dist/engines/wasm/simd.wasm was left behind.*--external:llama-32k`,
          ),
        ),
      }),
    );
  },
);
