/**
 * Lookup decoding changes nothing but how many passes a text takes: whatever is asked for, tokens
 * come as if one came at a time.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { complete, generate } from '../../../src/text/generate.js';
import { Generation } from '../../../src/text/generation.js';
import type { GenerateOptions } from '../../../src/text/options.js';
import { advance, type GenerateModel } from '../../../src/text/pass.js';
import type { TokenConstraint } from '../../../src/text/sampling/constraint.js';
import { uniform } from '../../../src/text/sampling/philox.js';
import { TokenSequence } from '../../../src/text/token-sequence.js';
import { BOS, bytesOf, byteTokenizer, EOS, FakeModel, saying } from '../../support/fake-model.js';

/** Logits that depend on the last two tokens only, so that texts repeat themselves. */
const stammering = (favour = 4) =>
  new FakeModel(tokens => {
    const seed = tokens.slice(-2).reduce((hash, token) => (hash * 31 + token) % 2 ** 32, 7);
    return Float32Array.from({ length: 259 }, (_, id) =>
      id < 2 || id > 12 ? -9 : favour * uniform(seed, id) - (id === EOS ? 3 : 0),
    );
  }, 400);

/** All that a text says, and what ended it: steps without times and tallies. */
async function follow(model: FakeModel, prompt: readonly number[], options: GenerateOptions) {
  const said: object[] = [];
  try {
    for await (const { result, ...step } of generate(model, byteTokenizer, prompt, options)) {
      const { timings, lookup, ...rest } = result ?? {};
      said.push({ ...step, ...rest });
    }
    return { said, error: undefined };
  } catch (error) {
    return { said, error };
  }
}

/** At most four of one token in a row; cannot be asked twice, and so shows wrong turns. */
function atMostFour(last = -1, times = 0): TokenConstraint {
  return {
    isComplete: true,
    forbid: scores => {
      if (times >= 4) scores[last] = -Infinity;
    },
    advance: token => {
      [last, times] = [token, token === last ? times + 1 : 1];
      if (times > 4) throw new Error('a fifth');
    },
    fork: () => atMostFour(last, times),
  };
}

const options = fc.record(
  {
    maxNewTokens: fc.integer({ min: 1, max: 80 }),
    temperature: fc.constantFrom(0, 0.3, 1),
    seed: fc.nat(50),
    repetitionPenalty: fc.constantFrom(1, 1.05),
    frequencyPenalty: fc.constantFrom(0, 0.02),
    presencePenalty: fc.constantFrom(0, 0.3),
    noRepeatNgramSize: fc.constantFrom(0, 12),
    minNewTokens: fc.nat(1),
    logprobs: fc.nat(3),
    promptLogprobs: fc.nat(3),
    stop: fc.constantFrom([], ['\x03\x04'], ['\x01', '\x05\x05\x05']),
    logitBias: fc.constantFrom({}, { 4: 1, 5: -Infinity }),
    chunkSize: fc.integer({ min: 1, max: 30 }),
    constraint: fc.constantFrom(undefined, atMostFour()),
  },
  { requiredKeys: ['maxNewTokens'] },
);

test('any options: the same steps and results with it and without', async () => {
  let accepted = 0;
  const property = fc.asyncProperty(
    fc.array(fc.integer({ min: 3, max: 8 }), { minLength: 1, maxLength: 40 }),
    options,
    async (prompt, { temperature = 0, ...others }) => {
      const settings = { ...others, temperature, seed: others.seed ?? 1 } as GenerateOptions;
      const model = stammering();
      const { said, error } = await follow(model, prompt, settings);
      const alone = await follow(stammering(), prompt, { ...settings, lookup: false });
      expect(said).toEqual(alone.said);
      expect(error).toEqual(alone.error);
      accepted += Math.max(0, said.length + Math.ceil(prompt.length) - model.rowsPerPass.length);
    },
  );
  await fc.assert(property, { numRuns: 300 });
  expect(accepted).toBeGreaterThan(1000);
});

describe('passes', () => {
  /** A document, and then the beginning of it: the model quotes it. */
  const DOCUMENT = 'The quick brown fox jumps over the lazy dog, and then it sleeps. ';
  const prompt = [BOS, ...bytesOf(`${DOCUMENT}The q`)];
  const quoting = () => saying(DOCUMENT.slice(5), prompt.length, 500);

  test('a quotation takes few, each with as many rows as were accepted before', async () => {
    const model = quoting();
    const result = await complete(model, byteTokenizer, prompt);
    expect(result.text).toBe(DOCUMENT.slice(5));
    expect(model.rowsPerPass).toEqual([71, 3, 5, 9, 17, 17, 17]);
    expect(result.lookup).toEqual({ proposed: 62, accepted: 54 });
    expect(result.tokens).toEqual((await complete(quoting(), byteTokenizer, prompt)).tokens);
  });

  test('without it there is one for each token', async () => {
    const model = quoting();
    const { lookup } = await complete(model, byteTokenizer, prompt, { lookup: false });
    expect(new Set(model.rowsPerPass.slice(1))).toEqual(new Set([1]));
    expect(lookup).toEqual({ proposed: 0, accepted: 0 });
  });

  test('what was refused is forgotten: a sequence that is kept has the text', async () => {
    const model = stammering();
    const sequence = new TokenSequence(model);
    const sampled = { temperature: 1, seed: 3, maxNewTokens: 60, sequence };
    const { tokens, lookup } = await complete(model, byteTokenizer, [BOS, 5, 6], sampled);
    expect(lookup.proposed).toBeGreaterThan(lookup.accepted);
    expect(sequence.tokens).toEqual([BOS, 5, 6, ...tokens.slice(0, -1)]);
    expect(model.sequences[0].tokens).toEqual(sequence.tokens);
  });

  test('a pass gives no more rows than it may, and none ahead where it may not', () => {
    const model = saying([3, 4, 5, 6, 7], 1, 500);
    const ids = [...Array.from({ length: 30 }, (_, i) => 20 + i), 20, 21, 22];
    const generation = new Generation(model, byteTokenizer, ids);
    generation.rows();
    generation.accept(Float32Array.from({ length: 259 }, (_, id) => Number(id === 23)));
    expect(generation.rows().map(({ token }) => token)).toEqual([23, 24, 25]);
    expect(generation.rows(2).map(({ token }) => token)).toEqual([23, 24]);
    expect(generation.rows(9, 0).map(({ token }) => token)).toEqual([23]);
    expect(generation.logitsFor).toEqual([0]);
  });
});

describe('what goes wrong goes wrong where it would without', () => {
  test('rows of a proposal that fail, as with NaN, end nothing', async () => {
    const model = stammering(9);
    let failures = 0;
    const forwardBatch: GenerateModel['forwardBatch'] = async (rows, options) => {
      const [{ sequence, position }] = rows;
      if (rows.length === 1 || position === 0)
        return { logits: await model.forward(rows, options), failures: new Map() };
      failures += 1;
      const data = new Float32Array(options.logitsFor.length * 259).fill(NaN);
      return { logits: { data }, failures: new Map([[sequence, new Error('not finite')]]) };
    };
    const settings = { maxNewTokens: 60 };
    const { said, error } = await follow(Object.assign(model, { forwardBatch }), [3, 4], settings);
    expect(error).toBeUndefined();
    expect(said).toEqual(
      (await follow(stammering(9), [3, 4], { ...settings, lookup: false })).said,
    );
    expect(failures).toBeGreaterThan(0);
  });

  test('a pass that fails because of a proposal is done again without', async () => {
    const model = stammering(9);
    const forward = model.forward.bind(model);
    let failures = 0;
    model.forward = (rows, options) => {
      if (rows.length === 1 || rows[0].position === 0) return forward(rows, options);
      failures += 1;
      return Promise.reject(new Error('no room for so many'));
    };
    const settings = { maxNewTokens: 60 };
    const { said, error } = await follow(model, [3, 4], settings);
    expect(error).toBeUndefined();
    expect(said).toEqual(
      (await follow(stammering(9), [3, 4], { ...settings, lookup: false })).said,
    );
    expect(failures).toBeGreaterThan(0);
  });

  test('an error that is not of a proposal is thrown', async () => {
    const model = stammering(9);
    model.forward = () => Promise.reject(new Error('broken'));
    const generation = new Generation(model, byteTokenizer, [3, 4]);
    await expect(advance(model, [generation])).rejects.toThrow('broken');
  });

  test('a callback that throws at a token: those before it come first', async () => {
    for (const at of [5, 20, 33, 34, 35, 36, 40]) {
      const onProgress = ({ stage, done }: { stage: string; done: number }) => {
        if (stage === 'decode' && done === at) throw new Error(`at ${at}`);
      };
      const settings = { maxNewTokens: 60, onProgress };
      const with_ = await follow(stammering(9), [3, 4], settings);
      const without = await follow(stammering(9), [3, 4], { ...settings, lookup: false });
      expect(with_).toEqual(without);
      expect(with_.said).toHaveLength(at - 1);
    }
  });
});
