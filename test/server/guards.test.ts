/** What an attacker would do, from a page in the browser of somebody who runs a server. */
import { afterAll, describe, expect, it } from 'vitest';
import type { LlamaServer } from '../../src/server/index.js';
import { Client, type Json, loaded, serverWith } from './support.js';

const open = serverWith();
const shared = serverWith({ corsOrigin: ['https://chat.example'] });
const named = serverWith({ allowedHost: ['llm.example'] });
const locked = serverWith({ apiKey: ['first-key', 'second-key'] });
afterAll(async () => {
  for (const server of [open, shared, named, locked]) await server.close();
  await loaded.close();
});

const BODY = '{"prompt":"Mira","max_tokens":1}';

async function statusOf(
  server: LlamaServer,
  headers: Record<string, string>,
  { method = 'POST', path = '/v1/completions', body = BODY as string | undefined } = {},
): Promise<number> {
  const url = `http://${headers.host ?? '127.0.0.1:8080'}${path}`;
  const sent = { 'content-type': 'application/json', ...headers };
  const init = method === 'GET' ? { method, headers } : { method, headers: sent, body };
  return (await server.fetch(new Request(url, init as RequestInit))).status;
}

describe('DNS rebinding', () => {
  it.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
  ])('as %s gets nothing, whatever it asks for', async host => {
    // To the browser it is the same origin, and it says so.
    const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    expect(await statusOf(open, headers)).toBe(403);
    for (const path of ['/', '/v1/models', '/metrics', '/health', '/nothing'])
      expect(await statusOf(open, headers, { method: 'GET', path })).toBe(403);
  });

  it.each([
    '127.0.0.1:8080',
    'localhost',
    'localhost.:8080',
    '[::1]:8080',
    '192.168.1.5',
    '[fe80::1]',
  ])('is none if the host is %s', async host => {
    expect(await statusOf(open, { host })).toBe(200);
  });

  it('is none by a name that was allowed, and by no other', async () => {
    expect(await statusOf(named, { host: 'LLM.example:443' })).toBe(200);
    expect(await statusOf(named, { host: 'other.example' })).toBe(403);
  });
});

describe('a page of another site', () => {
  const origin = 'https://evil.example';

  it.each([
    ['JSON', { 'content-type': 'application/json' }],
    ['a simple request with text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('posts %s, and nothing is computed', async (_, headers) => {
    expect(await statusOf(open, { ...headers, origin })).toBe(403);
    expect(await statusOf(open, { ...headers, origin: 'null' })).toBe(403);
    expect(await statusOf(shared, { ...headers, origin })).toBe(403);
  });

  it('cannot leave out the type, nor Origin where the browser says cross-site', async () => {
    const request = new Request('http://127.0.0.1/v1/completions', {
      method: 'POST',
      body: new Blob([BODY]),
    });
    expect((await open.fetch(request)).status).toBe(415);
    expect(await statusOf(open, { 'sec-fetch-site': 'cross-site' })).toBe(403);
  });

  it('reads nothing as an image, a script or a frame', async () => {
    for (const dest of ['image', 'script', 'iframe', 'empty']) {
      const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': dest };
      const asked = { method: 'GET', path: '/metrics' };
      expect(await statusOf(open, headers, asked)).toBe(403);
    }
  });

  it('may link to the page', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' };
    expect(await statusOf(open, headers, { method: 'GET', path: '/' })).toBe(200);
  });

  it('on another port of this machine is another site', async () => {
    expect(await statusOf(open, { origin: 'http://127.0.0.1:3000' })).toBe(403);
    expect(await statusOf(open, { origin: 'http://127.0.0.1:8080' })).toBe(200);
  });

  it('gets no leave from a preflight, and no CORS header', async () => {
    const headers = { origin, 'access-control-request-method': 'POST' };
    const request = new Request('http://127.0.0.1/v1/completions', { method: 'OPTIONS', headers });
    for (const server of [open, shared]) {
      const response = await server.fetch(request);
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('--cors-origin', () => {
  const origin = 'https://chat.example';

  it('lets that page ask and read, without cookies', async () => {
    const preflight = new Request('http://127.0.0.1/v1/completions', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-os',
        'access-control-request-private-network': 'true',
      },
    });
    const leave = await shared.fetch(preflight);
    expect(leave.status).toBe(204);
    expect(Object.fromEntries(leave.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization,content-type,x-stainless-os',
      'access-control-allow-private-network': 'true',
      vary: 'Origin',
    });
    const response = await new Client(shared, { origin }).post('/v1/completions', BODY);
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('lets it read errors, too', async () => {
    const response = await new Client(shared, { origin }).post('/v1/completions', '{');
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
      400,
      origin,
    ]);
  });

  it('* is every page, and the star is what is said', async () => {
    const anyone = serverWith({ corsOrigin: ['*'] });
    const client = new Client(anyone, { origin: 'https://anywhere.example' });
    const response = await client.post('/v1/completions', BODY);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    await anyone.close();
  });
});

describe('--api-key', () => {
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

  it.each(['/v1/models', '/metrics', '/version', '/openapi.json', '/nothing'])(
    'keeps %s',
    async path => {
      const client = new Client(locked);
      const response = await client.get(path);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      const { error } = (await response.json()) as Json;
      expect([error.type, error.code]).toEqual(['authentication_error', 'invalid_api_key']);
      expect((await client.get(path, bearer('first-ke'))).status).toBe(401);
      expect((await client.get(path, { authorization: 'Basic first-key' })).status).toBe(401);
      expect((await client.get(path, bearer('second-key'))).status).not.toBe(401);
    },
  );

  it.each(['/health', '/v1/health', '/ready', '/'])('leaves %s open', async path => {
    expect((await new Client(locked).get(path)).status).toBe(200);
  });

  it('is asked for before a body is read', async () => {
    expect((await new Client(locked).post('/v1/completions', 'x'.repeat(10_000))).status).toBe(401);
  });

  it('makes any name of the host good, as no page knows the key', async () => {
    expect(await statusOf(locked, { host: 'llm.example', ...bearer('first-key') })).toBe(200);
  });
});
