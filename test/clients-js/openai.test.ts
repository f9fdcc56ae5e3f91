import OpenAI, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { describe, expect, it } from 'vitest';
import {
  ANSWER,
  ANSWER_TOKENS,
  idle,
  KEY,
  MODEL,
  PROMPT_TOKENS,
  QUESTION,
  SCHEMA,
  startBusy,
  startFailing,
  startServer,
} from './support.js';

const server = await startServer();

const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: 'user', content: QUESTION } as const];

describe('openai', () => {
  it('lists and finds models', async () => {
    const ids = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toEqual([MODEL]);
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: 'model' });
  });

  it('chats, and sends the answer back as it came', async () => {
    const first = await client.chat.completions.create({ model: MODEL, messages, temperature: 0 });
    const { message } = first.choices[0];
    expect(message.content).toBe(ANSWER);
    expect(first.usage).toMatchObject({
      prompt_tokens: PROMPT_TOKENS,
      completion_tokens: ANSWER_TOKENS,
    });
    expect(first.system_fingerprint).toBe('fp_test');
    const second = await client.chat.completions.create({
      model: MODEL,
      messages: [...messages, message, ...messages],
      temperature: 0,
      max_completion_tokens: 5,
    });
    expect(second.choices[0].finish_reason).toBe('length');
  });

  it('streams, with usage at the end', async () => {
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(ANSWER);
    expect(usage).toMatchObject({ completion_tokens: 9 });
  });

  it('streams by its helper, which puts the answer together', async () => {
    const stream = client.chat.completions.stream({ model: MODEL, messages, temperature: 0 });
    const contents: string[] = [];
    stream.on('content', delta => contents.push(delta));
    expect((await stream.finalChatCompletion()).choices[0].message.content).toBe(ANSWER);
    expect(contents.join('')).toBe(ANSWER);
  });

  it('has log-probabilities', async () => {
    const { choices } = await client.chat.completions.create({
      model: MODEL,
      messages,
      temperature: 0,
      logprobs: true,
      top_logprobs: 2,
    });
    const content = choices[0].logprobs!.content!;
    const bytes = content.flatMap(({ bytes }) => bytes!);
    expect(Buffer.from(bytes).toString('utf8').trim()).toBe(`${ANSWER}</s>`);
    for (const { logprob, token, top_logprobs: top } of content) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top).toHaveLength(2);
      expect([top[0].token, top[0].logprob]).toEqual([token, logprob]); // greedy
    }
  });

  it('writes JSON of a schema', async () => {
    const { choices } = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'Who is Mira?' }],
      seed: 1,
      response_format: { type: 'json_schema', json_schema: { name: 'person', schema: SCHEMA } },
    });
    const person = JSON.parse(choices[0].message.content!);
    expect([typeof person.name, Number.isInteger(person.age)]).toEqual(['string', true]);
  });

  it('completes texts and ids, with echo', async () => {
    const { choices } = await client.completions.create({
      model: MODEL,
      prompt: [
        [1, 300, 301],
        [1, 302],
      ],
      echo: true,
      logprobs: 1,
      max_tokens: 1,
      temperature: 0,
    });
    expect(choices.map(({ logprobs }) => logprobs!.token_logprobs!.length)).toEqual([4, 3]);
    expect(choices[0].logprobs!.token_logprobs![0]).toBeNull();
  });

  it('stops the computation when a stream is left, or a signal says so', async () => {
    const endless = { model: MODEL, prompt: 'Mira', seed: 1, logit_bias: { 1: -100, 2: -100 } };
    const stream = await client.completions.create({ ...endless, stream: true });
    for await (const _ of stream) break;
    await idle(server);
    const leaving = new AbortController();
    const whole = client.completions.create(endless, { signal: leaving.signal });
    setTimeout(() => leaving.abort(), 100);
    await expect(whole).rejects.toBeInstanceOf(APIUserAbortError);
    await idle(server);
    const cancelled = server.lines.all.filter(line => line.cancelled);
    expect(cancelled.map(({ status }) => status)).toEqual([499, 499]);
  });

  it('throws its own errors, with param, code and the id of the request', async () => {
    const failing = (body: object) =>
      client.chat.completions.create({ model: MODEL, messages, ...body }).catch(error => error);
    const wrong = await failing({ temperature: 3 });
    expect(wrong).toBeInstanceOf(BadRequestError);
    expect(wrong).toMatchObject({
      status: 400,
      param: 'temperature',
      code: 'invalid_value',
      type: 'invalid_request_error',
      requestID: expect.stringMatching(/^req_/),
    });
    expect(await failing({ model: 'gpt-4' })).toBeInstanceOf(NotFoundError);
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'no', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(AuthenticationError);
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    expect(await failing({ tools })).toMatchObject({ code: 'unsupported_parameter' });
  });

  it('throws its own errors where the server is at fault, or has no room', async () => {
    const failing = (url: string) =>
      new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 }).chat.completions
        .create({ model: MODEL, messages })
        .catch(error => error);
    const broken = await startFailing();
    const failed = await failing(broken.url);
    expect(failed).toBeInstanceOf(InternalServerError);
    expect(failed).toMatchObject({ status: 500, type: 'server_error', code: 'internal_error' });
    expect(broken.lines.all).toMatchObject([
      { request_id: failed.requestID, err: { message: 'boom' } },
    ]);
    const refused = await failing((await startBusy()).url);
    expect(refused).toBeInstanceOf(RateLimitError);
    expect(refused).toMatchObject({ status: 429, type: 'rate_limit_error', code: 'queue_full' });
    expect(refused.headers.get('retry-after')).toBe('2');
  });
});
