import { ContextOverflowError, getRetryable } from '@langchain/core/errors';
import { ChatOpenAI, OpenAI } from '@langchain/openai';
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

const settings = {
  model: MODEL,
  apiKey: KEY,
  temperature: 0,
  maxRetries: 0,
  configuration: { baseURL: `${server.url}/v1` },
};
const chat = new ChatOpenAI(settings);

describe('@langchain/openai', () => {
  it('chats', async () => {
    const answer = await chat.invoke(QUESTION);
    expect(answer.content).toBe(ANSWER);
    expect(answer.usage_metadata).toMatchObject({
      input_tokens: PROMPT_TOKENS,
      output_tokens: ANSWER_TOKENS,
    });
  });

  it('streams', async () => {
    let text = '';
    for await (const chunk of await chat.stream(QUESTION)) text += chunk.content;
    expect(text).toBe(ANSWER);
  });

  it('completes', async () => {
    const text = await new OpenAI({ ...settings, maxTokens: 3 }).invoke('Mira went');
    expect(text).not.toBe('');
  });

  it('has log-probabilities', async () => {
    const answer = await new ChatOpenAI({ ...settings, logprobs: true }).invoke(QUESTION);
    expect(answer.response_metadata.logprobs).toMatchObject({ content: { length: 9 } });
  });

  it('writes an object of a schema', async () => {
    const structured = new ChatOpenAI({ ...settings, temperature: 1 }).withStructuredOutput(
      { title: 'person', ...SCHEMA },
      { method: 'jsonSchema' },
    );
    const person = await structured.invoke('Who is Mira?');
    expect([typeof person.name, Number.isInteger(person.age)]).toEqual(['string', true]);
  });

  it('stops the computation when it is aborted', async () => {
    const leaving = new AbortController();
    const endless = new OpenAI({ ...settings, maxTokens: 30_000, logitBias: { 2: -100 } });
    const stream = await endless.stream('Mira', { signal: leaving.signal });
    await expect(
      (async () => {
        for await (const _ of stream) leaving.abort();
      })(),
    ).rejects.toThrow();
    await idle(server);
  });

  it('throws an error with our code', async () => {
    const wrong = new ChatOpenAI({ ...settings, temperature: 3 }).invoke(QUESTION);
    await expect(wrong).rejects.toMatchObject({ status: 400, code: 'invalid_value' });
  });

  it('knows what is wrong, and whether to try again', async () => {
    const failing = (more: object, url = server.url, question = QUESTION) =>
      new ChatOpenAI({ ...settings, ...more, configuration: { baseURL: `${url}/v1` } })
        .invoke(question)
        .catch(error => error);
    const codes: [code: string, error: unknown][] = [
      ['MODEL_AUTHENTICATION', await failing({ apiKey: 'no' })],
      ['MODEL_NOT_FOUND', await failing({ model: 'other' })],
      ['MODEL_RATE_LIMIT', await failing({}, (await startBusy()).url)],
    ];
    for (const [code, error] of codes) expect(error).toMatchObject({ lc_error_code: code });
    expect(codes.map(([, error]) => getRetryable(error))).toEqual([false, false, true]);
    const long = await failing({}, server.url, 'lantern '.repeat(40_000));
    expect(ContextOverflowError.isInstance(long)).toBe(true);
    expect(await failing({}, (await startFailing()).url)).toMatchObject({ status: 500 });
  });
});
