import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { complete, generate } from '../../src/text/generate.js';
import { GENERATION, type GenerateOptions, type GenerateProgress } from '../../src/text/options.js';
import type { GenerationStep } from '../../src/text/result.js';
import {
  type HuggingFaceOptions,
  huggingFaceOptions,
} from '../../src/text/sampling/hugging-face.js';
import {
  BOS,
  babbling,
  bytesOf,
  byteTokenizer,
  EOS,
  type FakeModel,
  saying,
} from '../support/fake-model.js';
import { goldenPath, openGolden } from '../support/golden.js';

const PROMPT = 'Hi'; // BOS and two bytes
const PROMPT_TOKENS = 3;

const says = (output: string | readonly number[], maxPositionEmbeddings?: number) =>
  saying(output, PROMPT_TOKENS, maxPositionEmbeddings);

async function allSteps(model: FakeModel, options?: GenerateOptions): Promise<GenerationStep[]> {
  const steps: GenerationStep[] = [];
  for await (const step of generate(model, byteTokenizer, PROMPT, options)) steps.push(step);
  return steps;
}

const end = (model: FakeModel, options?: GenerateOptions) =>
  complete(model, byteTokenizer, PROMPT, options);

const refused = (code: string, ...parts: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(parts.join('.*')) });

describe('how it ends', () => {
  test('at end of text: the token is in tokens, not in text', async () => {
    const result = await end(says('yes'));
    expect(result).toMatchObject({
      text: 'yes',
      tokens: [...bytesOf('yes'), EOS],
      finishReason: 'eos',
      stoppedBy: EOS,
    });
    expect(result).toMatchObject({ promptTokens: PROMPT_TOKENS, seed: undefined });
  });

  test('at BOS too, unless told otherwise', async () => {
    const script = [...bytesOf('a'), BOS, ...bytesOf('b')];
    expect(await end(says(script))).toMatchObject({ text: 'a', stoppedBy: BOS });
    const { text, stoppedBy } = await end(says('abc'), { stopTokenIds: bytesOf('c') });
    expect({ text, stoppedBy }).toEqual({ text: 'ab', stoppedBy: bytesOf('c')[0] });
  });

  test('at a stop string, which is not shown', async () => {
    const result = await end(says('one\n[INST]two'), { stop: ['two', '\n[INST]'] });
    expect(result).toMatchObject({ text: 'one', finishReason: 'stop', stoppedBy: '\n[INST]' });
    expect(result.tokens).toEqual(bytesOf('one\n[INST]'));
  });

  test('after maxNewTokens', async () => {
    expect(await end(says('abcdef'), { maxNewTokens: 4 })).toMatchObject({
      text: 'abcd',
      finishReason: 'length',
    });
    expect(await end(says('abcdef'), { maxNewTokens: 1 })).toMatchObject({
      text: 'a',
      stoppedBy: undefined,
    });
  });

  test('at maxLength, which counts the prompt; the smaller of both holds', async () => {
    expect(await end(says('abcdef'), { maxLength: PROMPT_TOKENS + 2 })).toMatchObject({
      text: 'ab',
    });
    expect(
      await end(says('abcdef'), { maxLength: PROMPT_TOKENS + 2, maxNewTokens: 1 }),
    ).toMatchObject({ text: 'a' });
    expect(
      await end(says('abcdef'), { maxLength: PROMPT_TOKENS + 2, maxNewTokens: 3 }),
    ).toMatchObject({ text: 'ab' });
  });

  test('at the end of the context', async () => {
    const result = await end(says('abcdef', PROMPT_TOKENS + 5));
    expect(result).toMatchObject({ text: 'abcde', finishReason: 'length' });
  });

  test('a stop in the last token allowed is a stop', async () => {
    expect(await end(says('ab'), { maxNewTokens: 3 })).toMatchObject({ finishReason: 'eos' });
    expect(await end(says('ab'), { maxNewTokens: 2, stop: ['b'] })).toMatchObject({
      finishReason: 'stop',
      text: 'a',
    });
  });
});

describe('text', () => {
  const texts = (steps: GenerationStep[]) => steps.map(({ text }) => text);

  test('comes when a character is complete, and as U+FFFD if it never is', async () => {
    expect(texts(await allSteps(says('é!')))).toEqual(['', 'é', '!', '']);
    expect(texts(await allSteps(says('é!'), { maxNewTokens: 1 }))).toEqual(['\ufffd']);
  });

  test('held back for a stop string comes with the last token', async () => {
    expect(texts(await allSteps(says('a[IN'), { stop: ['[INST]'] }))).toEqual([
      'a',
      '',
      '',
      '',
      '[IN',
    ]);
    expect(texts(await allSteps(says('a[IN'), { stop: ['[INST]'], maxNewTokens: 3 }))).toEqual([
      'a',
      '',
      '[I',
    ]);
  });

  test('held back for a stop string comes before an incomplete character after it', async () => {
    const options = { stop: ['[INST]'], maxNewTokens: 4 };
    expect(texts(await allSteps(says('[INé'), options))).toEqual(['', '', '', '[IN\ufffd']);
    const { text, finishReason } = await end(says('[INé'), options);
    expect({ text, finishReason }).toEqual({ text: '[IN\ufffd', finishReason: 'length' });
  });

  test('of the steps adds up to that of the result, which only the last one has', async () => {
    const steps = await allSteps(says('naïve [INS] 😀[INST]'), { stop: ['[INST]'] });
    expect(texts(steps).join('')).toBe('naïve [INS] 😀');
    expect(steps.map(({ result }) => result?.text)).toEqual([
      ...steps.slice(1).map(() => undefined),
      'naïve [INS] 😀',
    ]);
    expect(steps.map(({ token }) => token)).toEqual(steps.at(-1)!.result!.tokens);
  });
});

describe('prompt and output read as one text', async () => {
  const tokenizer = await openTokenizer(goldenPath('tokenizer'));

  test.each([
    { prompt: 'The capital is', output: ' Paris, é.', text: ' Paris, é.' },
    { prompt: '[INST]\nHi\n[/INST]\n\n', output: 'Hello there', text: 'Hello there' },
    { prompt: '', output: ' Once upon', text: ' Once upon' },
    { prompt: '', output: 'Once upon', text: 'Once upon' },
  ])('$prompt|$output', async ({ prompt, output, text }) => {
    const begun = tokenizer.encode(prompt, { bos: true });
    const said = tokenizer.encode(output, { continuation: prompt !== '' });
    const model = saying(said, begun.length, 64, tokenizer.vocabSize);
    expect((await complete(model, tokenizer, prompt)).text).toBe(text);
    expect(tokenizer.decode([...begun, ...said])).toBe(prompt + text);
  });
});

describe('the model is asked', () => {
  test('for the prompt in chunks, then for one token at a time, never for the last', async () => {
    const model = says('abc');
    const progress: GenerateProgress[] = [];
    await end(model, { chunkSize: 2, maxNewTokens: 3, onProgress: step => progress.push(step) });
    expect(model.rowsPerPass).toEqual([2, 1, 1, 1]);
    expect(model.logitsFor).toEqual([-1, -1, -1]); // nothing of the first chunk
    expect(model.sequences[0].tokens).toEqual([BOS, ...bytesOf('Hiab')]);
    expect(progress).toEqual([
      { stage: 'prefill', done: 2, total: 3, reused: 0 },
      { stage: 'prefill', done: 3, total: 3, reused: 0 },
      { stage: 'decode', done: 1, total: 3 },
      { stage: 'decode', done: 2, total: 3 },
      { stage: 'decode', done: 3, total: 3 },
    ]);
  });

  test('for token ids as they are given', async () => {
    const model = saying('x', 2);
    await complete(model, byteTokenizer, [9, 9], { maxNewTokens: 1 });
    expect(model.sequences[0].tokens).toEqual([9, 9]);
  });

  test('and timed', async () => {
    const { timings } = await end(says('abc'));
    expect(timings.prefillSeconds).toBeGreaterThan(0);
    expect(timings.decodeSeconds).toBeGreaterThan(0);
  });
});

describe('sampling', () => {
  const options = { temperature: 1, topP: 0.9, repetitionPenalty: 1.1, maxNewTokens: 20 };
  const run = async (more: GenerateOptions) =>
    (await end(babbling(), { ...options, ...more })).tokens;

  test('the seed decides, the chunk size does not', async () => {
    expect(await run({ seed: 5, chunkSize: 1 })).toEqual(await run({ seed: 5 }));
    expect(await run({ seed: 5 })).not.toEqual(await run({ seed: 6 }));
  });

  test('a random seed is reported, and repeats the text', async () => {
    const first = await end(babbling(), options);
    expect(first.seed).toBeTypeOf('number');
    expect(await run({ seed: first.seed })).toEqual(first.tokens);
  });

  test('a text continued from a part of it is the same text', async () => {
    const tokens = await run({ seed: 5 });
    const begun = [BOS, ...bytesOf(PROMPT), ...tokens.slice(0, 8)];
    const rest = await complete(babbling(), byteTokenizer, begun, {
      ...options,
      seed: 5,
      maxNewTokens: 12,
    });
    expect(rest.tokens).toEqual(tokens.slice(8));
  });

  test('the penalty sees prompt, BOS and output', async () => {
    const flat = saying([], 0);
    const { tokens } = await complete(flat, byteTokenizer, [EOS, BOS], {
      repetitionPenalty: 1e6, // end of text has 5, all others 0
      stopTokenIds: [],
      maxNewTokens: 1,
    });
    expect(tokens).toEqual([EOS]); // 5e-6 is still the largest
    const negative = await complete(babbling(), byteTokenizer, PROMPT, {
      repetitionPenalty: 1e6,
      maxNewTokens: 20,
    });
    // nothing comes twice
    expect(new Set([...negative.tokens, BOS, ...bytesOf(PROMPT)]).size).toBe(23);
  });
});

describe('what is held back', () => {
  test('a stop token comes after minNewTokens and minLength, whichever is later', async () => {
    const model = () => says('');
    expect((await end(model(), { minNewTokens: 3 })).tokens).toEqual([0, 0, 0, EOS]);
    expect((await end(model(), { minLength: PROMPT_TOKENS + 2 })).tokens).toEqual([0, 0, EOS]);
    const { tokens } = await end(model(), { minNewTokens: 1, minLength: PROMPT_TOKENS + 2 });
    expect(tokens).toEqual([0, 0, EOS]);
  });

  test('frequency and presence count the output, not the prompt', async () => {
    const prompt = [...bytesOf('a'), ...bytesOf('b')];
    const model = saying('aaaa', 2);
    const options = { presencePenalty: 6, maxNewTokens: 2 };
    const { tokens } = await complete(model, byteTokenizer, prompt, options);
    expect(tokens).toEqual([bytesOf('a')[0], 0]);
  });
});

describe('logprobs', () => {
  test('are those of the model, before penalty and temperature', async () => {
    const options = {
      logprobs: 2,
      temperature: 0.01,
      repetitionPenalty: 3,
      seed: 1,
      maxNewTokens: 1,
    };
    const [{ token, logprob, topLogprobs }] = await allSteps(says('a'), options);
    const expected = 5 - Math.log(Math.exp(5) + 258);
    expect(token).toBe(bytesOf('a')[0]);
    expect(logprob).toBeCloseTo(expected, 12);
    expect(topLogprobs).toEqual([
      { token, logprob },
      { token: 0, logprob: expect.closeTo(expected - 5, 12) },
    ]);
  });

  test('only if asked for; 0 is without alternatives', async () => {
    expect((await allSteps(says('a')))[0]).toEqual({ token: bytesOf('a')[0], text: 'a' });
    expect((await allSteps(says('a'), { logprobs: 0 }))[0].topLogprobs).toEqual([]);
  });
});

describe('leaving early', () => {
  test('break disposes the sequence', async () => {
    const model = says('abcdef');
    for await (const { text } of generate(model, byteTokenizer, PROMPT)) if (text === 'b') break;
    expect(model.sequences.map(({ disposed }) => disposed)).toEqual([true]);
    expect(model.rowsPerPass).toEqual([3, 1]);
  });

  test('so does the end, and an error', async () => {
    const model = says('a');
    await end(model);
    const broken = says([]);
    broken.forward = () => Promise.reject(new Error('no power'));
    await expect(end(broken)).rejects.toThrow('no power');
    expect([...model.sequences, ...broken.sequences].every(({ disposed }) => disposed)).toBe(true);
  });

  test('an aborted signal rejects with its reason: before, in prefill, in decode', async () => {
    const reason = new Error('enough');
    await expect(end(says('a'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    for (const stage of ['prefill', 'decode'] as const) {
      const model = says('abcdef');
      const aborter = new AbortController();
      const onProgress = (progress: GenerateProgress) => {
        if (progress.stage === stage) aborter.abort(reason);
      };
      await expect(end(model, { signal: aborter.signal, chunkSize: 1, onProgress })).rejects.toBe(
        reason,
      );
      expect(model.rowsPerPass.length).toBe(stage === 'prefill' ? 1 : 3);
      expect(model.sequences[0].disposed).toBe(true);
    }
  });

  test('a signal that comes during a pass ends it, even if the model does not look', async () => {
    const model = says('a');
    const aborter = new AbortController();
    const forward = model.forward.bind(model);
    model.forward = (...args) => {
      aborter.abort();
      return forward(...args);
    };
    await expect(end(model, { signal: aborter.signal, maxNewTokens: 1 })).rejects.toThrow(
      'aborted',
    );
  });

  test('the signal reaches the model', async () => {
    const model = says('a');
    const { signal } = new AbortController();
    const signals: (AbortSignal | undefined)[] = [];
    const forward = model.forward.bind(model);
    model.forward = (rows, options) => {
      signals.push(options.signal);
      return forward(rows, options);
    };
    await end(model, { signal });
    expect(signals).toEqual([signal, signal]);
  });
});

describe('is refused at once, before anything is computed', () => {
  const start = (options: object, prompt: string | number[] = PROMPT) => {
    return () => generate(says('a', 8), byteTokenizer, prompt, options);
  };

  test.each<[string, unknown]>([
    ['maxNewTokens', 0],
    ['maxNewTokens', 1.5],
    ['maxLength', 0],
    ['logprobs', 21],
    ['logprobs', -1],
    ['chunkSize', 0],
    ['stop', '[INST]'],
    ['stopTokenIds', 2],
    ['temperature', -1],
    ['typicalP', 0],
    ['logitBias', [1]],
    ['logitBias', { 5: 'much' }],
    ['logitBias', { five: 1 }],
    ['minNewTokens', -1],
    ['signal', 5],
    ['onAbort', 'stop'],
    ['onProgress', 'loud'],
  ])('%s %j', (name, value) => {
    expect(start({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        option: name,
        message: expect.stringMatching(`^${name} is .*; it must be `),
      }),
    );
  });

  test.each<[string, object]>([
    ['stop', { stop: ['a', 5] }],
    ['badWordsIds', { badWordsIds: [[5], []] }],
    ['badWordsIds', { badWordsIds: [[5], [5, 259]] }],
    ['logitBias', { logitBias: { 259: 1 } }],
    ['stopTokenIds', { stopTokenIds: [5, -1] }],
    ['stopTokenIds', { stopTokenIds: [5, 259] }],
    ['minLength', { minLength: 10, maxLength: 9 }],
    ['minNewTokens', { minNewTokens: 10, maxNewTokens: 9 }],
  ])('%s in %j, naming what is wrong in it', (option, options) => {
    expect(start(options)).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        option,
        message: expect.stringMatching(`^${option} (has|is) `),
      }),
    );
  });

  test('an empty stop string, an unknown option', () => {
    expect(start({ stop: [''] })).toThrow(refused('BAD_OPTION', 'stop has ""'));
    expect(start({ max_length: 10 })).toThrow(
      refused('BAD_OPTION', '"max_length" is not an option; there are: .*maxLength'),
    );
    for (const name of Object.keys(GENERATION)) {
      expect(start({ maxNewToken: 5 })).toThrow(refused('BAD_OPTION', '"maxNewToken"', name));
    }
  });

  test('a prompt that does not fit, with both numbers', () => {
    expect(start({}, '1234567')).toThrow(
      refused('CONTEXT_OVERFLOW', '8 tokens', 'has 8 positions'),
    );
    expect(start({}, '12345678')).toThrow(refused('CONTEXT_OVERFLOW', '9 tokens'));
    expect(start({}, '123456')).not.toThrow();
    expect(start({ maxLength: 3 })).toThrow(
      refused('CONTEXT_OVERFLOW', '3 tokens', '3 is maxLength'),
    );
  });

  test('no token at all, or one outside the vocabulary', () => {
    expect(start({}, [])).toThrow(refused('BAD_INPUT', 'BOS'));
    expect(start({}, [1, 259])).toThrow(refused('BAD_INPUT', '259'));
    expect(start({}, [1, 0.5])).toThrow(refused('BAD_INPUT', '0.5'));
    expect(start({}, '')).not.toThrow();
  });
});

describe('golden: the tokens of transformers generate()', () => {
  interface Case {
    prompt: number[];
    options: HuggingFaceOptions;
    tokens: number[];
  }
  const ids = {
    vocabSize: 1000,
    encode: () => [],
    streamDecoder: () => ({ push: (id: number) => ` ${id}`, flush: () => '' }),
  };

  test.each(['gqa', 'mha', 'tied', 'llama3'])('%s', async name => {
    const { cases }: { cases: Case[] } = JSON.parse(
      readFileSync(goldenPath(`${name}/greedy.json`), 'utf8'),
    );
    const model = await openGolden(name, 'f64');
    for (const { prompt, options, tokens } of cases) {
      const { text, ...result } = await complete(
        model,
        ids,
        prompt,
        huggingFaceOptions(options, model.config).options,
      );
      expect(result.tokens).toEqual(tokens);
      expect(text).toBe(tokens.map(token => ` ${token}`).join(''));
    }
    await model.close();
  });
});
