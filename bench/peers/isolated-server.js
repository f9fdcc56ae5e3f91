/**
 * Serves a folder to a page that may use threads: a browser shares memory between workers only
 * where the page is cross-origin isolated.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/**
 * `/` is the page `html`, everything else a file below the folder `root`, a URL that ends in a
 * slash.
 */
export async function serveIsolated(root, html) {
  const server = createServer(async ({ url }, response) => {
    const type = TYPES[url === '/' ? '.html' : extname(url)];
    const body =
      url === '/'
        ? html
        : type && (await readFile(new URL(`.${url}`, root)).catch(() => undefined));
    if (body === undefined) response.writeHead(404, ISOLATED).end();
    else response.writeHead(200, { ...ISOLATED, 'Content-Type': type }).end(body);
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
