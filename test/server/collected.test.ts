/**
 * What a request has needed is collected when it has been answered: Node keeps the signal of every
 * request, and so whatever still listens to it.
 */
import { getEventListeners } from 'node:events';
import { IncomingMessage } from 'node:http';
import { queryObjects } from 'node:v8';
import { afterAll, expect, it } from 'vitest';
import { listen } from '../../src/server/index.js';
import { Call } from '../../src/server/observe/call.js';
import { loaded, serverWith } from './support.js';

const server = serverWith();
afterAll(async () => {
  await server.close();
  await loaded.close();
});

const chat = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2, temperature: 0 };
const asked: [path: string, body: object][] = [
  ['/v1/completions', { prompt: 'Mira', max_tokens: 2 }],
  ['/v1/completions', { prompt: 'Mira', max_tokens: 2, n: 2, stream: true }],
  ['/v1/chat/completions', chat],
  ['/v1/chat/completions', { ...chat, stream: true }],
  ['/v1/chat/completions', { ...chat, temperature: -1 }],
  ['/v1/trace', { tokens: [1, 5, 9], names: ['lm_head'] }],
  ['/tokenize', { content: 'Mira' }],
  ['/no-such-path', {}],
];

it.each(asked)('%s %j leaves no listener behind', async (path, body) => {
  const request = new Request(`http://localhost${path}`, post(body));
  await (await server.fetch(request)).text();
  expect(getEventListeners(request.signal, 'abort')).toEqual([]);
});

it('of 160 requests through a port, fewer than 16 are still in memory', async () => {
  const { url, close } = await listen(server.fetch, { port: 0 });
  for (let round = 0; round < 20; round++)
    for (const [path, body] of asked) await (await fetch(url + path, post(body))).text();
  await close();
  await expect.poll(() => inMemory(Call), { timeout: 10_000 }).toBeLessThan(16);
  await expect.poll(() => inMemory(IncomingMessage), { timeout: 10_000 }).toBeLessThan(16);
});

const post = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** Collects garbage first. */
const inMemory = (what: typeof Call | typeof IncomingMessage) =>
  queryObjects(what as never, { format: 'count' }) as unknown as number;
