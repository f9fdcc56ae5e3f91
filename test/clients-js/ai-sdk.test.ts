import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, Output, streamText } from 'ai';
import { describe, expect, it } from 'vitest';
import type { Json } from '../server/support.js';
import {
  ANSWER,
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
  name: 'llama-32k',
  baseURL: `${server.url}/v1`,
  apiKey: KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
};
const provider = createOpenAICompatible(settings);
const model = provider(MODEL);

describe('ai with @ai-sdk/openai-compatible', () => {
  it('generates text', async () => {
    const { text, usage, finishReason } = await generateText({
      model,
      prompt: QUESTION,
      temperature: 0,
    });
    expect([text, finishReason, usage.outputTokens]).toEqual([ANSWER, 'stop', 9]);
  });

  it('streams text', async () => {
    const result = streamText({ model, prompt: QUESTION, temperature: 0 });
    let text = '';
    for await (const part of result.textStream) text += part;
    expect(text).toBe(ANSWER);
    expect((await result.usage).inputTokens).toBe(PROMPT_TOKENS);
  });

  it('completes', async () => {
    const { text } = await generateText({
      model: provider.completionModel(MODEL),
      prompt: 'Mira went',
      maxOutputTokens: 3,
    });
    expect(text).not.toBe('');
  });

  it('generates an object of a schema', async () => {
    const { output } = await generateText({
      model,
      prompt: 'Who is Mira?',
      seed: 1,
      output: Output.object({ schema: jsonSchema<{ name: string; age: number }>(SCHEMA) }),
    });
    expect([typeof output.name, Number.isInteger(output.age)]).toEqual(['string', true]);
  });

  it('has log-probabilities, by its ways to send and to read what is not its own', async () => {
    const extractMetadata = async ({ parsedBody }: { parsedBody: unknown }) => {
      const { choices } = parsedBody as Json;
      return { 'llama-32k': { logprobs: choices[0].logprobs } };
    };
    const createStreamExtractor = () => ({ processChunk() {}, buildMetadata: () => undefined });
    const scoring = createOpenAICompatible({
      ...settings,
      metadataExtractor: { extractMetadata, createStreamExtractor },
    });
    const { providerMetadata } = await generateText({
      model: scoring(MODEL),
      prompt: QUESTION,
      temperature: 0,
      providerOptions: { 'llama-32k': { logprobs: true, top_logprobs: 1 } },
    });
    const { content } = (providerMetadata as Json)['llama-32k'].logprobs;
    const tokens = content.map(({ token }: Json) => token);
    expect(tokens.join('').trim()).toBe(`${ANSWER}</s>`);
    for (const { logprob, top_logprobs: top } of content) expect(top[0].logprob).toBe(logprob);
  });

  it('stops the computation when it is aborted', async () => {
    const leaving = new AbortController();
    const result = streamText({
      model: provider.completionModel(MODEL),
      prompt: 'Mira',
      seed: 1,
      stopSequences: [],
      abortSignal: leaving.signal,
    });
    for await (const _ of result.textStream) {
      leaving.abort();
      break;
    }
    await idle(server);
  });

  it('throws its own error, with the message of ours', async () => {
    const wrong = generateText({ model, prompt: QUESTION, temperature: 3, maxRetries: 0 });
    const error = await wrong.catch(error => error);
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({
      statusCode: 400,
      message: 'temperature is 3; it must be at most 2',
      isRetryable: false,
    });
  });

  it('knows when to try again', async () => {
    const failing = (url: string) => {
      const provider = createOpenAICompatible({ ...settings, baseURL: `${url}/v1` });
      const answer = generateText({ model: provider(MODEL), prompt: QUESTION, maxRetries: 0 });
      return answer.catch(error => error);
    };
    const busy = await failing((await startBusy()).url);
    expect(busy).toMatchObject({ statusCode: 429, isRetryable: true });
    const broken = await failing((await startFailing()).url);
    expect(broken).toMatchObject({ statusCode: 500, isRetryable: true });
    expect(APICallError.isInstance(broken)).toBe(true);
  });
});
