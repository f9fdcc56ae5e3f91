/** The page at /, and the files that it needs: read from this folder, by the names in `FILES`. */
import { readFile } from 'node:fs/promises';
import { packageFile } from '../../base/package.js';

/** By path, where the file is in the package and what it is. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['src/server/playground/index.html', 'text/html; charset=utf-8'],
};

/** Nothing from elsewhere, and in no frame of another site. */
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** The paths that `pageFile` knows. */
export const PAGE_PATHS: readonly string[] = Object.keys(FILES);

/** A file of the page. */
export async function pageFile(path: string): Promise<Response> {
  const [file, type] = FILES[path];
  const bytes = await readFile(packageFile(file));
  return new Response(bytes, { headers: { ...HEADERS, 'content-type': type } });
}
