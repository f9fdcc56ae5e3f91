import { afterAll, describe, expect, it } from 'vitest';
import { complete, type GenerateOptions } from '../../src/index.js';
import { Client, type Json, loaded, serverWith } from './support.js';

const server = serverWith();
const client = new Client(server);
afterAll(async () => {
  await server.close();
  await loaded.close();
});

const PATH = '/v1/completions';
const ask = (body: Json): Promise<Json> => client.ask(PATH, body);
const alone = (prompt: string | number[], options: GenerateOptions) =>
  complete(loaded.model, loaded.tokenizer, prompt, options);

/** Of an object by pieces, in which those that are digits come first. */
const likeliestFirst = (logprobs: Record<string, number>): number[] =>
  Object.values(logprobs).sort((a, b) => b - a);

describe('POST /v1/completions', () => {
  it('continues a text, ids, and lists of either, as generate does', async () => {
    const ids = loaded.tokenizer.encode('Mira went', { bos: true });
    const other = loaded.tokenizer.encode('The lantern', { bos: true });
    const options = { maxNewTokens: 6 };
    const [first, second] = [await alone(ids, options), await alone(other, options)];
    const texts = async (prompt: unknown) => {
      const { choices } = await ask({ prompt, max_tokens: 6, temperature: 0 });
      expect(choices.map(({ index }: Json) => index)).toEqual([...choices.keys()]);
      return choices.map(({ text }: Json) => text);
    };
    expect(await texts('Mira went')).toEqual([first.text]);
    expect(await texts(ids)).toEqual([first.text]);
    expect(await texts(['Mira went', 'The lantern'])).toEqual([first.text, second.text]);
    expect(await texts([ids, other])).toEqual([first.text, second.text]);
  });

  it('gives n choices of each prompt, and counts each prompt once', async () => {
    const body = { prompt: ['Mira', 'The'], seed: 5, max_tokens: 4 };
    const { choices, usage } = await ask({ ...body, n: 2 });
    const [a, b] = [await ask({ ...body, n: 1 }), await ask({ ...body, seed: 6 })];
    expect(choices.map(({ text }: Json) => text)).toEqual([
      a.choices[0].text,
      b.choices[0].text,
      a.choices[1].text,
      b.choices[1].text,
    ]);
    expect(usage).toMatchObject({ prompt_tokens: a.usage.prompt_tokens, completion_tokens: 16 });
  });

  /** Each field of sampling, and what it is to `generate`. */
  const FIELDS: [fields: Json, options: GenerateOptions][] = [
    [{ temperature: 0 }, {}],
    [{ seed: 1 }, { temperature: 1, seed: 1 }],
    [
      { seed: 1, temperature: 0.5 },
      { temperature: 0.5, seed: 1 },
    ],
    [
      { seed: 1, top_p: 0.5 },
      { temperature: 1, seed: 1, topP: 0.5 },
    ],
    [
      { seed: 1, top_k: 3 },
      { temperature: 1, seed: 1, topK: 3 },
    ],
    [
      { seed: 1, top_k: -1 },
      { temperature: 1, seed: 1 },
    ],
    [
      { seed: 1, min_p: 0.3 },
      { temperature: 1, seed: 1, minP: 0.3 },
    ],
    [{ temperature: 0, top_p: 0.5, top_k: 3, min_p: 0.1 }, {}],
    [{ temperature: 0, repetition_penalty: 1.5 }, { repetitionPenalty: 1.5 }],
    [{ temperature: 0, frequency_penalty: 1 }, { frequencyPenalty: 1 }],
    [{ temperature: 0, presence_penalty: 2 }, { presencePenalty: 2 }],
    [{ temperature: 0, logit_bias: { 300: 100 } }, { logitBias: { 300: 100 } }],
    [{ temperature: 0, stop: ' the' }, { stop: [' the'] }],
    [{ temperature: 0, stop: [' xyz', ' the'] }, { stop: [' xyz', ' the'] }],
    [{ temperature: 0, stop_token_ids: [13] }, { stopTokenIds: [13] }],
  ];

  it.each(FIELDS)('%j says what generate says with %j', async (fields, options) => {
    const { text, finishReason } = await alone('Mira went to', { ...options, maxNewTokens: 12 });
    const { choices } = await ask({ prompt: 'Mira went to', max_tokens: 12, ...fields });
    const finish_reason = finishReason === 'length' ? 'length' : 'stop';
    expect(choices[0]).toMatchObject({ text, finish_reason });
  });

  it('takes null for a field that is left out, and ignores what is documented', async () => {
    const body = { prompt: 'Mira', temperature: 0, max_tokens: 3 };
    const nulls = {
      n: null,
      stop: null,
      seed: null,
      logprobs: null,
      logit_bias: null,
      top_p: null,
    };
    const ignored = { user: 'u', metadata: { a: 'b' }, store: true, service_tier: 'auto' };
    const neutral = { best_of: 1, suffix: null, numerics: 'bf16', logprobs_mode: 'raw' };
    const plain = await ask(body);
    const full = await ask({ ...body, ...nulls, ...ignored, ...neutral, stream: false });
    expect(full.choices).toEqual(plain.choices);
  });

  it('has the log-probabilities that generate has', async () => {
    const options = { maxNewTokens: 5, logprobs: 3 };
    const { choices } = await ask({ prompt: 'Mira', temperature: 0, max_tokens: 5, logprobs: 3 });
    const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0].logprobs;
    const steps = [];
    const { generate } = await import('../../src/index.js');
    for await (const step of generate(loaded.model, loaded.tokenizer, 'Mira', options))
      steps.push(step);
    expect(token_logprobs).toEqual(steps.map(({ logprob }) => logprob));
    expect(tokens.join('')).toBe(choices[0].text);
    expect(text_offset).toEqual(
      tokens.map((_: string, i: number) => tokens.slice(0, i).join('').length),
    );
    for (const [i, { topLogprobs }] of steps.entries()) {
      const logprobs = topLogprobs!.map(({ logprob }) => logprob);
      expect(likeliestFirst(top_logprobs[i])).toEqual(logprobs);
    }
  });

  it('has, if asked, those that tokens are drawn with; they are drawn as without', async () => {
    const temperature = 0.7;
    const most = { prompt: 'Mira', seed: 3, max_tokens: 6, logprobs: 20 };
    const body = { ...most, temperature, top_k: 5 };
    const raw = (await ask({ ...body, logprobs_mode: 'raw' })).choices[0];
    const processed = (await ask({ ...body, logprobs_mode: 'processed' })).choices[0];
    expect(processed.text).toBe(raw.text);
    for (const [i, all] of raw.logprobs.top_logprobs.entries()) {
      const scores = likeliestFirst(all).map(each => each / temperature);
      const sum = scores.slice(0, 5).reduce((total, score) => total + Math.exp(score), 0);
      const expected = scores.slice(0, 5).map(score => score - Math.log(sum));
      const told = likeliestFirst(processed.logprobs.top_logprobs[i]);
      expect(told).toHaveLength(5);
      for (const [j, logprob] of told.entries()) expect(logprob).toBeCloseTo(expected[j], 5);
      expect(told).toContain(processed.logprobs.token_logprobs[i]);
    }
  });

  it('names the token that was drawn, though it is not among the likeliest', async () => {
    const body = { prompt: 'Mira', temperature: 2, seed: 3, max_tokens: 8, logprobs: 1 };
    const { tokens, token_logprobs, top_logprobs } = (await ask(body)).choices[0].logprobs;
    expect(top_logprobs.some((top: Json) => Object.keys(top).length === 2)).toBe(true);
    for (const [i, top] of top_logprobs.entries()) expect(top[tokens[i]]).toBe(token_logprobs[i]);
  });

  it('echoes the prompt, and scores each of its tokens after those before it', async () => {
    const ids = loaded.tokenizer.encode('Mira went to the lantern', { bos: true });
    const { choices, usage } = await ask({ prompt: ids, max_tokens: 0, echo: true, logprobs: 2 });
    expect(choices[0]).toMatchObject({ text: 'Mira went to the lantern', finish_reason: 'length' });
    const { tokens, token_logprobs, top_logprobs, text_offset } = choices[0].logprobs;
    expect(tokens.join('')).toBe('<s> Mira went to the lantern');
    expect([token_logprobs[0], top_logprobs[0], text_offset[0]]).toEqual([null, null, 0]);
    expect(usage).toMatchObject({ prompt_tokens: ids.length, completion_tokens: 0 });
    for (const i of ids.keys()) {
      if (i === 0) continue;
      // The same token, drawn after the ones before it.
      const body = { prompt: ids.slice(0, i), max_tokens: 1, logprobs: 2, temperature: 0 };
      const next = (await ask({ ...body, logit_bias: { [ids[i]]: 100 } })).choices[0].logprobs;
      expect(next.tokens[0]).toBe(tokens[i]);
      expect(token_logprobs[i]).toBe(next.token_logprobs[0]);
      expect(top_logprobs[i]).toEqual(next.top_logprobs[0]);
    }
  });

  it('echoes with output behind it, as lm-evaluation-harness asks for it', async () => {
    const prompt = ['Mira went', 'The lantern'].map(text =>
      loaded.tokenizer.encode(text, { bos: true }),
    );
    const body = { prompt, max_tokens: 1, temperature: 0, echo: true, logprobs: 1, seed: 1234 };
    const { choices } = await ask(body);
    for (const [i, { text, logprobs }] of choices.entries()) {
      expect(logprobs.tokens).toHaveLength(prompt[i].length + 1);
      const output = (await alone(prompt[i], { maxNewTokens: 1 })).text;
      expect(text).toBe(loaded.tokenizer.decode(prompt[i]) + output);
      expect(logprobs.text_offset.at(-1)).toBe(loaded.tokenizer.decode(prompt[i]).length);
    }
  });

  it('echoes in a stream before the output', async () => {
    const events = await client.events(PATH, { prompt: 'Mira went', max_tokens: 2, echo: true });
    expect(events[0].choices[0].text).toBe('Mira went');
  });

  it('gives ids back if asked for, whole and streamed', async () => {
    const body = { prompt: 'Mira', temperature: 0, max_tokens: 4, return_token_ids: true };
    const { choices } = await ask(body);
    const { tokens } = await alone('Mira', { maxNewTokens: 4 });
    expect(choices[0]).toMatchObject({
      prompt_token_ids: loaded.tokenizer.encode('Mira', { bos: true }),
      token_ids: tokens,
    });
    const events = await client.events(PATH, body);
    const streamed = events.flatMap(({ choices }) => choices[0].token_ids ?? []);
    expect(streamed).toEqual(tokens);
    expect(events[0].choices[0].prompt_token_ids).toEqual(choices[0].prompt_token_ids);
  });
});
