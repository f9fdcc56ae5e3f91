import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, Output, streamText } from 'ai';
import { describe, expect, it } from 'vitest';
import {
  ANSWER,
  idle,
  KEY,
  MODEL,
  PROMPT_TOKENS,
  QUESTION,
  SCHEMA,
  startServer,
} from './support.js';

const server = await startServer();

const provider = createOpenAICompatible({
  name: 'llama-32k',
  baseURL: `${server.url}/v1`,
  apiKey: KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
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
});
