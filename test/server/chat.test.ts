import { afterAll, describe, expect, it } from 'vitest';
import { complete } from '../../src/text/generate.js';
import { formatPrompt } from '../../src/text/prompt.js';
import { Client, type Json, loaded, serverWith } from './support.js';

const server = serverWith();
const client = new Client(server);
afterAll(async () => {
  await server.close();
  await loaded.close();
});

const QUESTION = 'What are the opposites of loud and clean?';
const messages = [{ role: 'user', content: QUESTION }];

const contentOf = (events: readonly Json[], index = 0): string =>
  events
    .flatMap(({ choices }) => choices)
    .filter(choice => choice.index === index)
    .map(({ delta }) => delta.content ?? '')
    .join('');

describe('POST /v1/chat/completions', () => {
  it('answers with what generate says alone', async () => {
    const { choices, usage } = await client.ask('/v1/chat/completions', {
      model: 'tiny-32k',
      messages,
      temperature: 0,
    });
    const prompt = formatPrompt([{ role: 'user', content: QUESTION }]);
    const { text, tokens } = await complete(loaded.model, loaded.tokenizer, prompt);
    expect(choices).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 22, completion_tokens: tokens.length });
  });

  it('streams the same: role first, then text, then the reason, then usage', async () => {
    const body = { messages, temperature: 1, seed: 7, max_tokens: 20 };
    const whole = await client.ask('/v1/chat/completions', body);
    const events = await client.events('/v1/chat/completions', {
      ...body,
      stream_options: { include_usage: true },
    });
    expect(contentOf(events)).toBe(whole.choices[0].message.content);
    expect(events[0].choices[0].delta).toEqual({ role: 'assistant', content: '' });
    expect(events.at(-2)!.choices[0]).toMatchObject({
      delta: {},
      finish_reason: whole.choices[0].finish_reason,
    });
    // All of the prompt but its last token is known by now.
    const cached_tokens = whole.usage.prompt_tokens - 1;
    const usage = { ...whole.usage, prompt_tokens_details: { cached_tokens } };
    expect(events.at(-1)).toMatchObject({ choices: [], usage });
    for (const { usage } of events.slice(0, -1)) expect(usage).toBeNull();
    expect(new Set(events.map(({ id }) => id)).size).toBe(1);
  });

  it('gives choice i what seed + i draws alone', async () => {
    const body = { messages, seed: 3, max_tokens: 8 };
    const { choices } = await client.ask('/v1/chat/completions', { ...body, n: 3 });
    for (const { index, message } of choices) {
      const alone = await client.ask('/v1/chat/completions', { ...body, seed: 3 + index });
      expect(message).toEqual(alone.choices[0].message);
    }
  });

  it('takes fields that ask for what is done anyway', async () => {
    const neutral = { tools: [], tool_choice: 'none', parallel_tool_calls: false, functions: [] };
    const more = {
      ...{ function_call: 'none', modalities: ['text'], reasoning_effort: 'none' },
      ...{ reasoning: { enabled: false }, chat_template_kwargs: {} },
    };
    const body = { messages, temperature: 0 };
    const plain = await client.ask('/v1/chat/completions', body);
    const { choices } = await client.ask('/v1/chat/completions', { ...body, ...neutral, ...more });
    expect(choices).toEqual(plain.choices);
  });

  it('says that the model is not told who speaks, wherever a conversation is read', async () => {
    const named = [{ ...messages[0], name: 'Mira' }];
    const asked = [
      ['/v1/chat/completions', { temperature: 0 }],
      ['/tokenize', {}],
      ['/apply-template', {}],
    ] as const;
    for (const [path, more] of asked) {
      const plain = await client.ask(path, { ...more, messages });
      expect(plain).not.toHaveProperty('warnings');
      const { warnings, ...answer } = await client.ask(path, { ...more, messages: named });
      expect(warnings).toEqual([expect.stringMatching(/^messages\[0\]\.name is not told/)]);
      for (const field of ['choices', 'tokens']) expect(answer[field], path).toEqual(plain[field]);
    }
  });

  it('echoes the prompt, with the log-probabilities that /v1/completions has of it', async () => {
    const asked = { messages, temperature: 0, n: 2, echo: true };
    const plain = await client.ask('/v1/chat/completions', { ...asked, echo: false });
    expect(plain).not.toHaveProperty('prompt');
    const body = { prompt: formatPrompt([{ role: 'user', content: QUESTION }]), max_tokens: 0 };
    const { choices } = await client.ask('/v1/completions', { ...body, echo: true, logprobs: 0 });
    const { text, logprobs } = choices[0];
    const { tokens, token_logprobs } = logprobs;
    const echoing = await client.ask('/v1/chat/completions', asked);
    expect(echoing.prompt).toEqual([{ text }]);
    const scoring = await client.ask('/v1/chat/completions', { ...asked, logprobs: 0 });
    expect(scoring.prompt).toEqual([
      { text, logprobs: expect.objectContaining({ tokens, token_logprobs }) },
    ]);
    for (const answer of [echoing, scoring])
      expect(answer.choices[1].message).toEqual(plain.choices[1].message);
    const [first, ...others] = await client.events('/v1/chat/completions', asked);
    expect(first.prompt).toEqual([{ text }]);
    for (const event of others) expect(event).not.toHaveProperty('prompt');
  });

  it('joins the parts of a message by newlines', async () => {
    const parts = ['What are', 'they?'].map(text => ({ type: 'text', text }));
    const asked = async (content: unknown) =>
      (await client.ask('/apply-template', { messages: [{ role: 'user', content }] })).prompt;
    expect(await asked(parts)).toBe(await asked('What are\nthey?'));
  });

  it('holds the answer to response_format, and names what a schema may not have', async () => {
    const json = { messages, seed: 2, response_format: { type: 'json_object' }, max_tokens: 300 };
    const { choices } = await client.ask('/v1/chat/completions', {
      ...json,
      logit_bias: { [loaded.tokenizer.idOf('<0x7D>')!]: 20 },
    });
    expect(typeof JSON.parse(choices[0].message.content)).toBe('object');
    const schema = { type: 'object', dependentRequired: {} };
    const response = await client.post('/v1/chat/completions', {
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
    });
    expect(await response.json()).toMatchObject({
      error: {
        code: 'unsupported_value',
        param: 'response_format.json_schema.schema',
        message: expect.stringContaining('dependentRequired'),
      },
    });
  });
});
