/** What answers have: all that the schemas say, and nothing else. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/server/endpoints/endpoint.js';
import { answerSchemaOf } from '../../src/server/endpoints/openapi.js';
import { ENDPOINTS } from '../../src/server/endpoints/table.js';
import { answerLoading } from '../../src/server/index.js';
import { errorAnswer } from '../../src/server/schemas/answers/error.js';
import { checkedError } from './answers.js';
import { Client, type Json, loaded, serverWith } from './support.js';

const server = serverWith({ maxBody: 0.1, lenient: true });
const client = new Client(server);
afterAll(async () => {
  await server.close();
  await loaded.close();
});

const CHAT = '/v1/chat/completions';
const COMPLETIONS = '/v1/completions';
const messages = [{ role: 'user', content: 'Hi', name: 'Mira' }];
const all = { max_tokens: 3, seed: 1, return_token_ids: true, typo: 1 };
const streamed = { ...all, return_progress: true, stream_options: { include_usage: true } };

/** Requests that together ask for everything, by endpoint and media type. */
const ANSWERS: Readonly<Record<string, () => Promise<Json[]>>> = {
  'POST /v1/chat/completions application/json': async () => [
    await client.ask(CHAT, { ...all, messages, echo: true, logprobs: 2 }),
  ],
  'POST /v1/chat/completions text/event-stream': async () => [
    ...(await client.events(CHAT, { ...streamed, messages, logprobs: 2 })),
    ...(await client.events(CHAT, { ...streamed, messages, echo: true })),
  ],
  'POST /v1/completions application/json': async () => [
    await client.ask(COMPLETIONS, { ...all, prompt: 'Mira', logprobs: 2 }),
  ],
  'POST /v1/completions text/event-stream': () =>
    client.events(COMPLETIONS, { ...streamed, prompt: 'Mira', logprobs: 2 }),
  'GET /v1/models application/json': async () => [await client.getJson('/v1/models')],
  'GET /v1/models/:model{.+} application/json': async () => [
    await client.getJson('/v1/models/tiny-32k'),
  ],
  'POST /tokenize application/json': async () => [
    await client.ask('/tokenize', { content: 'Mira', with_pieces: true, typo: 1 }),
    await client.ask('/tokenize', { messages, return_token_strs: true }),
  ],
  'POST /detokenize application/json': async () => [
    await client.ask('/detokenize', { tokens: [300], typo: 1 }),
  ],
  'POST /apply-template application/json': async () => [
    await client.ask('/apply-template', { messages }),
  ],
  'GET /health application/json': async () => [await client.getJson('/health')],
  'GET /v1/health application/json': async () => [await client.getJson('/v1/health')],
  'GET /ready application/json': async () => [await client.getJson('/ready')],
  'GET /version application/json': async () => [await client.getJson('/version')],
};

/** Names of fields, dotted: those that `schema` has, or those of `data`. */
function fieldsOf(schema: Json, name = ''): string[] {
  const forms: Json[] = schema.anyOf ?? schema.oneOf ?? [];
  const items: Json[] = [schema.items, ...(schema.prefixItems ?? [])].filter(Boolean);
  const properties = Object.entries<Json>(schema.properties ?? {});
  return [
    ...[...forms, ...items].flatMap(form => fieldsOf(form, name)),
    ...properties.flatMap(([key, value]) => [
      `${name}.${key}`,
      ...fieldsOf(value, `${name}.${key}`),
    ]),
  ];
}

function fieldsIn(data: unknown, name = ''): string[] {
  if (typeof data !== 'object' || data === null) return [];
  if (Array.isArray(data)) return data.flatMap(item => fieldsIn(item, name));
  return Object.entries(data).flatMap(([key, value]) => [
    `${name}.${key}`,
    ...fieldsIn(value, `${name}.${key}`),
  ]);
}

describe('answers in JSON', () => {
  const kinds = ENDPOINTS.flatMap(({ method, path, answers }: Endpoint) =>
    Object.entries(answers).map(([type, schema]) => ({
      kind: `${method} ${path} ${type}`,
      schema,
    })),
  ).filter(({ kind }) => /json$|event-stream$/.test(kind));

  it.each(kinds)('$kind has every field of its schema, in one answer or another', async each => {
    const answers = await ANSWERS[each.kind]();
    const seen = new Set(answers.flatMap(answer => fieldsIn(answer)));
    const missing = fieldsOf(answerSchemaOf(each.schema)).filter(name => !seen.has(name));
    expect(missing).toEqual([]);
  });

  it('errors, too', async () => {
    const hasty = serverWith({ requestTimeout: 0.01 });
    const slow = { prompt: 'Mira', stop_token_ids: [] };
    const responses = [
      await client.post(COMPLETIONS, { prompt: new Array(32_768).fill(5) }),
      await client.post(COMPLETIONS, { prompt: 'a'.repeat(200_000) }),
      await new Client(hasty).post(COMPLETIONS, slow),
    ];
    await hasty.close();
    const errors = await Promise.all(responses.map(response => response.json() as Promise<Json>));
    errors.forEach(checkedError);
    const seen = new Set(errors.flatMap(error => fieldsIn(error)));
    expect(fieldsOf(answerSchemaOf(errorAnswer)).filter(name => !seen.has(name))).toEqual([]);
  });

  it('are in /openapi.json, whose schemas refer to nothing outside', async () => {
    const { paths } = (await (await client.get('/openapi.json')).json()) as Json;
    for (const { method, path, answers } of ENDPOINTS) {
      const operation = paths[path.replace(/:(\w+)\{.*/, '{$1}')][method.toLowerCase()];
      const { content } = operation.responses[200];
      expect(Object.keys(content), path).toEqual(Object.keys(answers));
      expect(JSON.stringify(content)).not.toContain('$ref');
    }
  });
});

describe('timings', () => {
  it('count what usage counts, and divide it by the time that it took', async () => {
    const prompt = new Array(300).fill(400);
    const body = { prompt, temperature: 0, max_tokens: 20, stop_token_ids: [] };
    for (const cached of [0, 299]) {
      const { usage, timings: t } = await client.ask(COMPLETIONS, body);
      expect(usage.prompt_tokens_details.cached_tokens).toBe(cached);
      expect([t.cache_n, t.prompt_n, t.predicted_n]).toEqual([cached, 300 - cached, 20]);
      for (const ms of [t.prompt_ms, t.predicted_ms]) expect(ms).toBeGreaterThan(0);
      expect(t.prompt_per_token_ms).toBeCloseTo(t.prompt_ms / t.prompt_n);
      expect(t.prompt_per_second).toBeCloseTo((1000 * t.prompt_n) / t.prompt_ms);
      expect(t.predicted_per_token_ms).toBeCloseTo(t.predicted_ms / 20);
      expect(t.predicted_per_second).toBeCloseTo(20_000 / t.predicted_ms);
    }
  });

  it('of a stream come once, with the last reason of an end', async () => {
    const events = await client.events(COMPLETIONS, { prompt: 'Mira', max_tokens: 4, n: 2 });
    const timed = events.filter(({ timings }) => timings !== undefined);
    expect(timed).toHaveLength(1);
    expect(timed[0].choices[0].finish_reason).not.toBeNull();
    expect(events.at(-1)).toBe(timed[0]);
  });

  it('have no rate of nothing', async () => {
    const body = { prompt: 'Mira', max_tokens: 0, echo: true };
    const { timings } = await client.ask(COMPLETIONS, body);
    expect(timings).toMatchObject({ predicted_n: 0, predicted_per_token_ms: null });
  });
});

describe('while the model is loaded', () => {
  const asked = (path: string) => answerLoading(new Request(`http://localhost${path}`));

  it.each(['/health', '/v1/health'])('%s is 503 in the words of llama.cpp', async path => {
    const response = await asked(path);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toEqual({
      error: { code: 503, message: 'Loading model', type: 'unavailable_error' },
    });
  });

  it('everything else is 503 as any other error', async () => {
    for (const path of [CHAT, '/ready', '/v1/models', '/nothing']) {
      const response = await asked(path);
      const { error } = checkedError((await response.json()) as Json);
      expect([response.status, error.type, error.code]).toEqual([
        503,
        'unavailable_error',
        'loading',
      ]);
      expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    }
  });
});
