import Together, {
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'together-ai';
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

const client = new Together({ baseURL: `${server.url}/v1`, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: 'user', content: QUESTION } as const];

/** What the model card advises. */
const CARD = { temperature: 0.7, top_p: 0.7, top_k: 50, repetition_penalty: 1.1, stop: ['[INST]'] };

describe('together-ai', () => {
  it('chats', async () => {
    const { choices, usage } = await client.chat.completions.create({
      model: MODEL,
      messages,
      temperature: 0,
      context_length_exceeded_behavior: 'error',
    });
    expect(choices[0].message!.content).toBe(ANSWER);
    expect(usage).toMatchObject({ total_tokens: PROMPT_TOKENS + ANSWER_TOKENS });
  });

  it('chats with the settings of the model card, and any seed repeats', async () => {
    const body = { model: MODEL, messages, ...CARD, min_p: 0.01, seed: 5, max_tokens: 20 };
    const texts = [
      await client.chat.completions.create(body),
      await client.chat.completions.create(body),
    ].map(({ choices }) => choices[0].message!.content);
    expect(texts[0]).toBe(texts[1]);
  });

  it('streams', async () => {
    let text = '';
    const body = { model: MODEL, messages, temperature: 0, stream: true } as const;
    for await (const { choices } of await client.chat.completions.create(body))
      text += choices[0]?.delta.content ?? '';
    expect(text).toBe(ANSWER);
  });

  it('completes, with log-probabilities', async () => {
    const { choices } = await client.completions.create({
      model: MODEL,
      prompt: 'Mira went',
      max_tokens: 3,
      logprobs: 1,
      temperature: 0,
    });
    expect(choices[0].logprobs!.token_logprobs).toHaveLength(3);
  });

  it('has log-probabilities of a chat by a number, in its own form besides', async () => {
    const body = { model: MODEL, messages, temperature: 0, logprobs: 1 };
    const { choices } = await client.chat.completions.create(body);
    const { tokens, token_logprobs, token_ids } = choices[0].logprobs!;
    expect(tokens!.join('').trim()).toBe(`${ANSWER}</s>`);
    expect(token_logprobs).toHaveLength(tokens!.length);
    expect(token_ids).toHaveLength(tokens!.length);
  });

  it('writes JSON of a schema', async () => {
    const { choices } = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'Who is Mira?' }],
      seed: 1,
      response_format: { type: 'json_schema', json_schema: { name: 'person', schema: SCHEMA } },
    });
    const person = JSON.parse(choices[0].message!.content!);
    expect([typeof person.name, Number.isInteger(person.age)]).toEqual(['string', true]);
  });

  it('has the prompt, if it asks for it', async () => {
    const body = { model: MODEL, messages, temperature: 0, echo: true, logprobs: 1 };
    const { prompt } = await client.chat.completions.create(body);
    expect(prompt[0].text).toContain(QUESTION);
    expect(prompt[0].logprobs!.token_logprobs).toHaveLength(PROMPT_TOKENS);
    expect(prompt[0].logprobs!.token_logprobs![0]).toBeNull();
  });

  it('stops the computation when a stream is left', async () => {
    const body = { model: MODEL, prompt: 'Mira', seed: 1, logit_bias: { 2: -100 } };
    for await (const _ of await client.completions.create({ ...body, stream: true })) break;
    await idle(server);
  });

  it('throws its own errors', async () => {
    const wrong = client.chat.completions.create({ model: MODEL, messages, n: 99 });
    await expect(wrong).rejects.toBeInstanceOf(BadRequestError);
    const missing = client.chat.completions.create({ model: 'other', messages });
    await expect(missing).rejects.toBeInstanceOf(NotFoundError);
    const failing = (url: string) =>
      new Together({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 }).chat.completions
        .create({ model: MODEL, messages })
        .catch(error => error);
    expect(await failing((await startFailing()).url)).toBeInstanceOf(InternalServerError);
    expect(await failing((await startBusy()).url)).toBeInstanceOf(RateLimitError);
  });
});
