/** What is served as the page: all that it needs, and nothing that it may not do. */
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../../src/base/package.js';
import { answerLoading } from '../../../src/server/index.js';
import { PAGE_PATHS } from '../../../src/server/playground/page.js';
import { Client, serverWith } from '../support.js';

const WEB = 'src/server/playground/web';
const client = new Client(serverWith({ apiKey: ['secret'] }));

const read = (path: string) => readFile(packageFile(`${WEB}/${path}`), 'utf8');

/** Addresses that a file of the page names. */
function addressesIn(path: string, text: string): string[] {
  const patterns = [
    /\bfrom '(\.[^']+)'/g,
    /^import '([^']+)'/gm,
    /@import "([^"]+)"/g,
    /(?:src|href)="(\/playground[^"]+)"/g,
  ];
  const found = patterns.flatMap(pattern => [...text.matchAll(pattern)].map(([, name]) => name));
  const base = new URL(path, 'http://page');
  return found.map(name => new URL(name, base).pathname);
}

describe('the page', () => {
  it('is served without a key, with all that it needs and nothing else', async () => {
    const needed = new Set(['/']);
    for (const path of needed) {
      const response = await client.get(path);
      expect([path, response.status]).toEqual([path, 200]);
      for (const address of addressesIn(path, await response.text())) needed.add(address);
    }
    expect([...needed].sort()).toEqual([...PAGE_PATHS].sort());
  });

  it('has no file that it does not need', async () => {
    const entries = await readdir(packageFile(WEB), { recursive: true, withFileTypes: true });
    const files = entries.filter(entry => entry.isFile()).map(({ name }) => name);
    const served = PAGE_PATHS.map(path => path.replace(/.*\//, '') || 'index.html');
    const types = ['answers.ts', 'chat-request.ts']; // nothing of them is left to run
    const compiled = files
      .filter(name => !types.includes(name))
      .map(name => name.replace(/\.ts$/, '.js'));
    expect(compiled.sort()).toEqual(served.sort());
  });

  it('may run and ask nothing but what this server has', async () => {
    for (const path of PAGE_PATHS) {
      const { headers } = await client.get(path);
      const policy = headers.get('content-security-policy')!;
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('has no script, style or handler within its markup', async () => {
    const html = await read('index.html');
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=/);
    expect(html).not.toMatch(/https?:/);
  });

  it('is there while the model is loaded, and nothing else is', async () => {
    const get = (path: string) => answerLoading(new Request(`http://localhost${path}`));
    for (const path of PAGE_PATHS) expect((await get(path)).status, path).toBe(200);
    expect((await get('/v1/models')).status).toBe(503);
  });
});
