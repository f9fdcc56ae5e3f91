/** Over HTTP: a queue that is full, and a server that is about to end. */
import { afterAll, describe, expect, it } from 'vitest';
import { type Listening, listen } from '../../src/server/index.js';
import { type Json, loaded, serverWith } from './support.js';

afterAll(() => loaded.close());

const COMPLETIONS = '/v1/completions';
const CHAT = '/v1/chat/completions';
const ENDLESS = { prompt: 'Mira', seed: 1, stop_token_ids: [], stream: true };
const SHORT = { prompt: 'Mira', seed: 1, max_tokens: 2 };
const BODIES: [path: string, body: object][] = [
  [COMPLETIONS, SHORT],
  [COMPLETIONS, { ...SHORT, stream: true }],
  [COMPLETIONS, { ...SHORT, n: 2 }],
  [COMPLETIONS, { ...SHORT, prompt: [[5], [6]] }],
  [CHAT, { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 }],
  [CHAT, { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2, stream: true }],
];

const post = ({ url }: Listening, path: string, body: object) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Begins a text that goes on for ever, and waits for its first token. */
async function begin(listening: Listening) {
  const answer = await post(listening, COMPLETIONS, ENDLESS);
  const reader = answer.body!.getReader();
  await reader.read();
  return reader;
}

async function numberOf({ url }: Listening, name: string): Promise<number> {
  const numbers = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^l32k_${name}(?:,|[^}]*\\}) (\\d+)$`, 'm').exec(numbers)?.[1]);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  await expect.poll(isSo, { timeout: 10_000, interval: 20 }).toBe(true);
}

describe('a server with room for one text, and for one that waits', async () => {
  const server = serverWith({ maxRunning: 1, maxQueue: 1 });
  const listening = await listen(server.fetch, { port: 0 });
  afterAll(async () => {
    await server.close();
    listening.closeAtOnce();
  });

  it('refuses the third with 429, whatever it asks, and takes it when there is room', async () => {
    const running = await begin(listening);
    const waiting = post(listening, COMPLETIONS, SHORT);
    await until(async () => (await numberOf(listening, 'requests_waiting')) === 1);
    for (const [path, body] of BODIES) {
      const refused = await post(listening, path, body);
      const { error } = (await refused.json()) as Json;
      expect(refused.status).toBe(429);
      expect(error).toEqual({
        message: expect.stringMatching(/^1 texts are running and 1 wait; .* try again when some/),
        type: 'rate_limit_error',
        param: null,
        code: 'queue_full',
      });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.headers.get('content-type')).toBe('application/json');
      expect(refused.headers.get('x-request-id')).toMatch(/^req_/);
    }
    for (const path of ['/health', '/ready', '/v1/models', '/metrics'])
      expect((await fetch(listening.url + path)).status).toBe(200);
    expect(await numberOf(listening, 'request_errors_total{code="queue_full"')).toBe(BODIES.length);
    await running.cancel();
    expect((await waiting).status).toBe(200);
    expect((await post(listening, COMPLETIONS, SHORT)).status).toBe(200);
  });

  it('refuses with 400 what has more texts than it ever takes, for good', async () => {
    const many = { ...SHORT, prompt: [[5], [6], [7]] };
    for (const [body, param] of [
      [{ ...SHORT, n: 3 }, 'n'],
      [many, 'prompt'],
    ] as const) {
      const refused = await post(listening, COMPLETIONS, body);
      expect(refused.status).toBe(400);
      expect(((await refused.json()) as Json).error).toMatchObject({
        message: expect.stringMatching(/asks for 3 texts, .* takes 2 at once/),
        ...{ param, code: 'too_many_choices' },
      });
    }
  });

  it('takes none of the choices of a request that has no room for all', async () => {
    const running = await begin(listening);
    expect((await post(listening, COMPLETIONS, { ...SHORT, n: 2 })).status).toBe(429);
    expect(await numberOf(listening, 'requests_waiting')).toBe(0);
    await running.cancel();
  });
});

describe('a server that drains', () => {
  it('refuses new work with 503, and ends what is running', async () => {
    const server = serverWith();
    const listening = await listen(server.fetch, { port: 0 });
    const running = post(listening, COMPLETIONS, { ...SHORT, max_tokens: 200, stop_token_ids: [] });
    await until(async () => (await numberOf(listening, 'requests_running')) === 1);
    const drained = server.drain();
    for (const [path, body] of BODIES) {
      const refused = await post(listening, path, body);
      expect(refused.status).toBe(503);
      expect(await refused.json()).toEqual({
        error: {
          message: 'the server is shutting down and takes no new work',
          type: 'unavailable_error',
          param: null,
          code: 'shutting_down',
        },
      });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const answer = await running;
    const { choices } = (await answer.json()) as Json;
    expect([answer.status, choices[0].finish_reason]).toEqual([200, 'length']);
    await drained;
    await listening.close();
  });
});
