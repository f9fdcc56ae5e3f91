/** The page at /, and the files that it needs: these, and no others of the package. */
import { readFile } from 'node:fs/promises';
import { packageFile } from '../../base/package.js';

/** What page.css takes in. */
export const STYLES: readonly string[] = [
  'above',
  'base',
  'composer',
  'controls',
  'conversation',
  'frame',
  'narrow',
  'settings',
];

/** What is served as it lies in src/, and its media type. */
const WRITTEN: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  ...Object.fromEntries(STYLES.map(name => [`styles/${name}.css`, 'text/css; charset=utf-8'])),
};

/** What the build makes of the modules in web/, all that main.ts needs. */
export const MODULES: readonly string[] = [
  'api/chat-events',
  'api/events',
  'api/failure',
  'api/server',
  'connection',
  'conversation/browser-store',
  'conversation/conversation',
  'conversation/kept',
  'conversation/with-event',
  'documents/read-document',
  'main',
  'numbers/format',
  'numbers/time-left',
  'numbers/token-text',
  'playground',
  'request/as-curl',
  'request/as-typescript',
  'request/build-request',
  'settings/fields',
  'view/about-model',
  'view/announce',
  'view/answer-view',
  'view/chip',
  'view/composer',
  'view/context-meter',
  'view/copy',
  'view/elements',
  'view/examples',
  'view/key-form',
  'view/message-list',
  'view/notice',
  'view/request-dialog',
  'view/settings-panel',
  'view/side-panel',
  'view/theme',
  'view/theme-at-once',
  'view/token-info',
  'write-answer',
];

/** By path, the file in the package and its media type. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = Object.fromEntries([
  ...Object.entries(WRITTEN).map(([name, type]) => [
    name === 'index.html' ? '/' : `/playground/${name}`,
    [`src/server/playground/web/${name}`, type],
  ]),
  ...MODULES.map(name => [
    `/playground/${name}.js`,
    [`dist/server/playground/web/${name}.js`, 'text/javascript; charset=utf-8'],
  ]),
]);

/**
 * Nothing from elsewhere and nothing inline, in no frame, and no text ever becomes markup: what a
 * model writes cannot run.
 */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** The paths that `pageFile` knows. */
export const PAGE_PATHS: readonly string[] = Object.keys(FILES);

/** A file of the page. */
export async function pageFile(path: string): Promise<Response> {
  const [file, type] = FILES[path];
  const bytes = await readFile(packageFile(file));
  return new Response(bytes, { headers: { ...HEADERS, 'content-type': type } });
}
