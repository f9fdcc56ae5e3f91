import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Llama, Tokenizer } from '../../src/index.js';
import { createServer } from '../../src/server/index.js';
import { Client, type Json, Lines, loaded, serverWith } from './support.js';

const lines = new Lines();
const server = serverWith({ log: lines });
const client = new Client(server);
afterAll(async () => {
  await server.close();
  await loaded.close();
});

const PATH = '/v1/completions';
/** It goes on for ever. */
const ENDLESS = { prompt: 'Mira', stop_token_ids: [], seed: 1 };

async function numbersOf(asked: Client): Promise<(name: string) => number> {
  const text = await (await asked.get('/metrics')).text();
  return name => Number(new RegExp(`^l32k_${name}\\{[^}]*\\} (.*)$`, 'm').exec(text)?.[1]);
}

describe('a stream', () => {
  it('has its headers before anything is computed', async () => {
    const response = await client.post(PATH, { ...ENDLESS, stream: true });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    await response.body!.cancel();
  });

  it('reads as the whole answer does, wherever that is cut off', async () => {
    // É is two bytes, and so two tokens: half of it must never be shown.
    const prompt = 'Write: É É É É';
    for (const max_tokens of [1, 2, 3, 5, 8, 13]) {
      const body = { prompt, max_tokens, temperature: 2, seed: 4, logit_bias: { 198: 8, 140: 9 } };
      const whole = await client.ask(PATH, body);
      const events = await client.events(PATH, body);
      const texts = events.map(({ choices }) => choices[0].text);
      expect(texts.join('')).toBe(whole.choices[0].text);
      for (const text of texts) expect(text.isWellFormed()).toBe(true);
    }
  });

  it('tells each of n choices as it tells it alone', async () => {
    const body = { prompt: 'Mira', seed: 1, max_tokens: 6, logprobs: 1 };
    const events = (await client.events(PATH, { ...body, n: 3 })).flatMap(({ choices }) => choices);
    for (const i of [0, 1, 2]) {
      const alone = await client.ask(PATH, { ...body, seed: 1 + i });
      const mine = events.filter(({ index }) => index === i);
      expect(mine.map(({ text }) => text).join('')).toBe(alone.choices[0].text);
      const logprobs = mine.flatMap(choice => choice.logprobs?.token_logprobs ?? []);
      expect(logprobs).toEqual(alone.choices[0].logprobs.token_logprobs);
    }
  });

  it('tells how far a long prompt is, as llama.cpp does', async () => {
    const prompt = new Array(1500).fill(300);
    const body = { prompt, max_tokens: 1, return_progress: true };
    const told = (await client.events(PATH, body)).flatMap(({ prompt_progress: p }) => p ?? []);
    expect(told.length).toBeGreaterThan(3);
    expect(told.at(-1)).toMatchObject({ total: 1500, processed: 1500 });
    const processed = told.map(p => p.processed);
    expect(processed).toEqual(processed.toSorted((a, b) => a - b));
  });

  it('sends a comment every 15 seconds while there is nothing to say', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const response = await slowServer().post(PATH, { prompt: 'x', stream: true });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let i = 0; i < 2; i++) {
      const next = reader.read();
      await vi.advanceTimersByTimeAsync(15_000);
      expect((await next).value).toBe(': ping\n\n');
    }
    await reader.cancel();
  });

  it('ends with the error if something fails after the headers', async () => {
    const events: string[] = [];
    const response = await failingServer().post(PATH, { prompt: 'x', stream: true });
    expect(response.status).toBe(200);
    for await (const event of response.body!.pipeThrough(new TextDecoderStream()))
      events.push(event);
    expect(JSON.parse(events.at(-1)!.slice('data: '.length)).error).toMatchObject({
      type: 'server_error',
      code: 'internal_error',
      message: expect.stringMatching(/request req_/),
    });
    expect(events.join('')).not.toContain('boom');
  });
});

describe('a client that goes away', () => {
  it.each([
    ['of a stream', { ...ENDLESS, stream: true }],
    ['of three choices', { ...ENDLESS, stream: true, n: 3 }],
    ['of a long prompt', { prompt: new Array(20_000).fill(300), stream: true }],
  ])('stops its computation: %s', async (_, body) => {
    lines.all.length = 0;
    const response = await client.post(PATH, body);
    const reader = response.body!.getReader();
    const first = reader.read();
    if (!Array.isArray(body.prompt)) await first;
    else await sleep(50);
    expect((await numbersOf(client))('requests_running')).toBeGreaterThan(0);
    await reader.cancel();
    expect((await numbersOf(client))('requests_running')).toBe(0);
    expect(lines.all.filter(({ path }) => path === PATH)).toMatchObject([
      { status: 499, cancelled: true },
    ]);
  });

  it('stops it without a stream, too', async () => {
    const leaving = new AbortController();
    const answer = client.post(PATH, ENDLESS, { signal: leaving.signal });
    await sleep(100);
    expect((await numbersOf(client))('requests_running')).toBe(1);
    leaving.abort();
    await answer.catch(() => {});
    expect((await numbersOf(client))('requests_running')).toBe(0);
  });

  it('gives its pages back', async () => {
    for (let i = 0; i < 20; i++) {
      const response = await client.post(PATH, { ...ENDLESS, prompt: [i], stream: true });
      const reader = response.body!.getReader();
      await reader.read();
      await reader.cancel();
    }
    const { choices } = await client.ask(PATH, { prompt: 'Mira', max_tokens: 1 });
    expect(choices).toHaveLength(1);
  });
});

describe('backpressure', () => {
  it('computes nothing ahead of a reader that is slow', async () => {
    const before = (await numbersOf(client))('generation_tokens_total');
    const response = await client.post(PATH, { ...ENDLESS, stream: true });
    const reader = response.body!.getReader();
    await reader.read();
    await sleep(300);
    const after = (await numbersOf(client))('generation_tokens_total');
    expect(after - before).toBeLessThanOrEqual(2);
    await reader.cancel();
  });
});

describe('--request-timeout', () => {
  it('ends an answer with 504, and a stream with the same error', async () => {
    const hasty = serverWith({ requestTimeout: 0.3 });
    const asked = new Client(hasty);
    const whole = await asked.post(PATH, ENDLESS);
    const { error } = (await whole.json()) as Json;
    expect([whole.status, error.code, error.timeout_seconds]).toEqual([
      504,
      'request_timeout',
      0.3,
    ]);
    expect(whole.headers.get('x-should-retry')).toBe('false');
    const stream = await asked.post(PATH, { ...ENDLESS, stream: true });
    const last = (await stream.text()).trim().split('\n\n').at(-1)!;
    expect(JSON.parse(last.slice('data: '.length)).error.code).toBe('request_timeout');
    await hasty.close();
  });
});

describe('draining', () => {
  it('ends what is being written, and takes nothing new', async () => {
    const leaving = serverWith();
    const asked = new Client(leaving);
    const running = asked.events(PATH, { prompt: 'Mira', max_tokens: 40, seed: 1 });
    await sleep(50);
    const drained = leaving.drain();
    const refused = await asked.post(PATH, { prompt: 'Mira' });
    const { error } = (await refused.json()) as Json;
    expect([refused.status, error.code]).toEqual([503, 'shutting_down']);
    expect((await asked.get('/ready')).status).toBe(503);
    expect((await asked.get('/health')).status).toBe(200);
    expect((await running).at(-1)!.choices[0].finish_reason).toBeDefined();
    await drained;
  });

  it('is cut short by close: the stream ends with an error', async () => {
    const leaving = serverWith();
    const response = await new Client(leaving).post(PATH, { ...ENDLESS, stream: true });
    const text = response.text();
    await sleep(50);
    await leaving.close();
    expect(await text).toContain('"code":"shutting_down"');
  });
});

/** A model whose passes never end, until they are cancelled. */
function slowServer(): Client {
  const { model, tokenizer } = loaded;
  const forwardBatch = (_: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const { config, engine } = model;
  const slow = { config, engine, createSequence: () => model.createSequence(), forwardBatch };
  return new Client(createServer({ model: slow as unknown as Llama, tokenizer }));
}

/** A tokenizer that goes wrong in the middle of an output. */
function failingServer(): Client {
  const { model, tokenizer } = loaded;
  const failing: Tokenizer = Object.create(tokenizer, {
    vocabSize: { value: tokenizer.vocabSize },
    addsBos: { value: true },
    encode: { value: () => [1, 5] },
    leastTokens: { value: () => 1 },
    streamDecoder: {
      value: () => {
        let count = 0;
        return {
          push: () => {
            count += 1;
            if (count > 4) throw new Error('boom');
            return 'a';
          },
          flush: () => '',
        };
      },
    },
  });
  return new Client(createServer({ model, tokenizer: failing }));
}
