/**
 * A text as a state machine, driven by hand: alone, with others in one pass, and on a sequence that
 * holds a part of it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Llama } from '../../src/model/llama.js';
import { complete } from '../../src/text/generate.js';
import { Generation } from '../../src/text/generation.js';
import type { GenerateOptions } from '../../src/text/options.js';
import { advance } from '../../src/text/pass.js';
import type { GenerationResult } from '../../src/text/result.js';
import { TokenSequence } from '../../src/text/token-sequence.js';
import {
  BOS,
  babbling,
  bytesOf,
  byteTokenizer,
  EOS,
  FakeModel,
  saying,
} from '../support/fake-model.js';
import { openGolden } from '../support/golden.js';

const refused = (code: string, ...parts: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(parts.join('.*')) });

/** A tokenizer that knows ids only. */
const ids = {
  vocabSize: 300,
  encode: () => [],
  streamDecoder: () => ({ push: (id: number) => ` ${id}`, flush: () => '' }),
};

describe('driven by hand', () => {
  test('asks for chunks of the prompt, then for its last token', async () => {
    const model = saying('ab', 5);
    const generation = new Generation(model, byteTokenizer, [BOS, 9, 9, 9, 9], { chunkSize: 3 });
    const asked: [number[], readonly number[]][] = [];
    const shown: string[][] = [];
    while (!generation.isDone) {
      const rows = generation.rows();
      const { logitsFor } = generation;
      asked.push([rows.map(({ position }) => position), logitsFor]);
      const { data } = await model.forward(rows, { logitsFor });
      shown.push(generation.accept(data).map(({ text }) => text));
    }
    expect(asked).toEqual([
      [[0, 1, 2], []],
      [[3, 4], [1]],
      [[5], [0]],
      [[6], [0]],
    ]);
    expect(shown).toEqual([[], ['a'], ['b'], ['']]);
    expect(generation.rows()).toEqual([]);
  });

  test('asks for the same rows again after a pass that failed', async () => {
    const model = saying('ab', 3);
    const generation = new Generation(model, byteTokenizer, [BOS, 9, 9]);
    const first = generation.rows(2);
    expect(first.map(({ position }) => position)).toEqual([0, 1]);
    expect(generation.rows().map(({ position }) => position)).toEqual([0, 1, 2]);
  });

  test('wants the logits that it asked for', () => {
    const generation = new Generation(saying('a', 2), byteTokenizer, [BOS, 9]);
    generation.rows();
    expect(() => generation.accept()).toThrow(refused('BAD_INPUT', 'logits of 1 rows are needed'));
  });
});

describe('several in one pass have the tokens that each has alone', () => {
  let model: Llama;
  beforeAll(async () => {
    model = await openGolden('gqa', 'f32');
  });
  afterAll(() => model.close());

  const texts: { prompt: number[]; options: GenerateOptions }[] = [
    { prompt: [1, 5, 9, 30], options: { maxNewTokens: 9 } },
    { prompt: [1, 270, 280, 290, 300, 270, 270], options: { maxNewTokens: 6, chunkSize: 3 } },
    { prompt: [1], options: { maxNewTokens: 12, temperature: 1.5, seed: 7 } },
    {
      prompt: Array.from({ length: 40 }, (_, i) => 3 + ((i * 37) % 250)),
      options: { maxNewTokens: 4, chunkSize: 16, temperature: 0.8, topP: 0.9, seed: 1 },
    },
  ];

  test.each([Infinity, 17, 5, 1])('with at most %d rows a pass', async mostRows => {
    const wide = { ...ids, vocabSize: model.config.vocabSize };
    const generations = texts.map(
      ({ prompt, options }) =>
        new Generation(model, wide, prompt, { ...options, logprobs: 3, stopTokenIds: [] }),
    );
    const steps = new Map(generations.map(generation => [generation, [] as unknown[]]));
    const results = new Map<Generation, GenerationResult>();
    // Each begins a pass after the one before it, so that prompts and single tokens are mixed.
    for (let pass = 0; results.size < texts.length; pass++) {
      const active = generations.slice(0, pass + 1).filter(({ isDone }) => !isDone);
      for (const outcome of await advance(model, active, { mostRows })) {
        for (const { result, ...numbers } of outcome.steps) {
          steps.get(outcome.generation)!.push(numbers);
          if (result !== undefined) results.set(outcome.generation, result);
        }
      }
    }
    for (const [i, { prompt, options }] of texts.entries()) {
      const more = { ...options, logprobs: 3, stopTokenIds: [] };
      const alone = new Generation(model, wide, prompt, more);
      const expected: unknown[] = [];
      while (!alone.isDone) {
        const [outcome] = await advance(model, [alone]);
        for (const { result, ...numbers } of outcome.steps) {
          expected.push(numbers);
          if (result !== undefined)
            expect(results.get(generations[i])!.tokens).toEqual(result.tokens);
        }
      }
      // log-probabilities too, to the bit
      expect(steps.get(generations[i])).toEqual(expected);
    }
    for (const generation of generations) generation.dispose();
  });

  test('one that is disposed of has no step, and the others have their own logits', async () => {
    const model = babbling();
    const [first, second, alone] = [5, 9, 9].map(id => {
      const onProgress = () => expect(id).toBe(9); // what is disposed of is told nothing
      return new Generation(model, byteTokenizer, [BOS, id], { onProgress });
    });
    const pass = advance(model, [first, second]);
    first.dispose();
    const [ended, { steps }] = await pass;
    expect(ended).toEqual({ generation: first, steps: [] });
    const [{ steps: expected }] = await advance(babbling(), [alone]);
    expect(steps).toEqual(expected);
  });

  test('one that finds no token to choose does not stop the others', async () => {
    const impossible = new FakeModel(tokens => {
      const logits = new Float32Array(259).fill(tokens[1] === 66 ? -Infinity : 0);
      if (tokens[1] !== 66) logits[EOS] = 1;
      return logits;
    });
    const [bad, good] = [66, 67].map(id => new Generation(impossible, byteTokenizer, [BOS, id]));
    const [first, second] = await advance(impossible, [bad, good]);
    expect(first.error).toEqual(refused('NOT_FINITE', 'no token to choose'));
    expect(second.steps[0].result?.finishReason).toBe('eos');
  });
});

describe('a sequence that is kept', () => {
  const prompt = (text: string) => [BOS, ...bytesOf(text)];
  const OPTIONS = { maxNewTokens: 6, temperature: 1, seed: 3 };

  test('is used as far as the prompt begins alike; the tokens are those without it', async () => {
    const model = babbling();
    const sequence = new TokenSequence(model);
    const turns = ['one two', 'one two three', 'one tw', 'something else', 'something else'];
    const reused: number[] = [];
    for (const text of turns) {
      const result = await complete(model, byteTokenizer, text, { ...OPTIONS, sequence });
      expect(result.tokens).toEqual(
        (await complete(babbling(), byteTokenizer, text, OPTIONS)).tokens,
      );
      reused.push(result.reusedTokens);
    }
    expect(reused).toEqual([0, 8, 6, 1, 14]); // never the last token of the prompt
  });

  test('holds prompt and output, but for the last token, which was not computed', async () => {
    const model = saying('abc', 3);
    const sequence = new TokenSequence(model);
    await complete(model, byteTokenizer, 'Hi', { sequence });
    expect(sequence.tokens).toEqual(prompt('Hiabc'));
    expect(model.rowsPerPass).toEqual([3, 1, 1, 1]);
    await complete(model, byteTokenizer, 'Hiabc and', { sequence, maxNewTokens: 1 });
    expect(model.rowsPerPass.slice(4)).toEqual([4]);
    expect(model.sequences.map(({ disposed }) => disposed)).toEqual([false]);
    sequence.dispose();
    expect(model.sequences[0].disposed).toBe(true);
  });

  test('holds what was computed when a text ends early or a pass fails, and goes on', async () => {
    const model = babbling();
    const sequence = new TokenSequence(model);
    const forward = model.forward.bind(model);
    model.forward = async (...args) => {
      await forward(...args);
      throw new Error('after the pass');
    };
    const options = { ...OPTIONS, sequence };
    await expect(complete(model, byteTokenizer, 'Hi', options)).rejects.toThrow('after the pass');
    expect(sequence.tokens).toEqual([]);
    model.forward = forward;
    const alone = await complete(babbling(), byteTokenizer, 'Hi', OPTIONS);
    expect((await complete(model, byteTokenizer, 'Hi', options)).tokens).toEqual(alone.tokens);
  });

  test('progress begins where it ends', async () => {
    const model = saying('a', 3);
    const sequence = new TokenSequence(model);
    await complete(model, byteTokenizer, 'Hi', { sequence });
    const done: number[] = [];
    const onProgress = (progress: { stage: string; done: number }) => {
      if (progress.stage === 'prefill') done.push(progress.done);
    };
    await complete(model, byteTokenizer, 'Hi there', {
      sequence,
      onProgress,
      chunkSize: 4,
      maxNewTokens: 1,
    });
    expect(done).toEqual([7, 9]);
  });

  test('belongs to one text at a time', async () => {
    const model = saying('abc', 2);
    const sequence = new TokenSequence(model);
    const [first, second] = [1, 2].map(
      () => new Generation(model, byteTokenizer, [BOS, 9], { sequence }),
    );
    first.rows();
    expect(() => second.rows()).toThrow(refused('BAD_INPUT', 'in use by another text'));
    second.dispose(); // had no part in it
    expect(() => new Generation(model, byteTokenizer, [BOS], { sequence }).rows()).toThrow(
      'in use',
    );
    first.dispose();
    first.dispose();
    expect(second.rows()).toEqual([]);
    expect(new Generation(model, byteTokenizer, [BOS, 9], { sequence }).rows()).toHaveLength(2);
  });

  test('must be one', () => {
    const sequence = {} as TokenSequence;
    expect(() => new Generation(saying('', 1), byteTokenizer, [BOS], { sequence })).toThrow(
      refused('BAD_OPTION', 'sequence is {}', 'TokenSequence'),
    );
  });

  test('of a real model gives the same bits', async () => {
    const model = await openGolden('mha', 'f32');
    const wide = { ...ids, vocabSize: model.config.vocabSize };
    const options = { maxNewTokens: 5, logprobs: 1, stopTokenIds: [] };
    const sequence = new TokenSequence(model);
    for (const text of [
      [1, 5, 9, 30, 31, 32],
      [1, 5, 9, 40],
      [1, 5, 9, 40, 41],
    ]) {
      const kept = await complete(model, wide, text, { ...options, sequence });
      const alone = await complete(model, wide, text, options);
      expect(kept.tokens).toEqual(alone.tokens);
      expect(kept.reusedTokens).toBe(text.length === 6 ? 0 : text.length - 1);
    }
    await model.close();
  });
});

describe('ids beyond the tokenizer, padding of the embedding', () => {
  const padded = () =>
    new FakeModel(
      tokens => {
        const logits = new Float32Array(300);
        logits[280] = 9; // the best, and no text for it
        logits[tokens.length > 4 ? EOS : bytesOf('a')[0]] = 5;
        return logits;
      },
      64,
      300,
    );

  test.each([{}, { temperature: 1, seed: 4, topK: 1 }, { temperature: 0.2, seed: 4, minP: 0.5 }])(
    'are never sampled: %j',
    async options => {
      const { text, finishReason } = await complete(padded(), byteTokenizer, [BOS, 9], options);
      expect([text, finishReason]).toEqual(['aaa', 'eos']);
    },
  );
});
