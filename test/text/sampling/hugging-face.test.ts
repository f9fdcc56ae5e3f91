import { describe, expect, test } from 'vitest';
import {
  type HuggingFaceOptions,
  huggingFaceOptions,
  MODEL_CARD_SNIPPET,
} from '../../../src/text/sampling/hugging-face.js';

const config = { eosTokenIds: [2] };
const from = (options: HuggingFaceOptions) => huggingFaceOptions(options, config);

test("the card's call is greedy: only penalty and length count", () => {
  expect(from(MODEL_CARD_SNIPPET)).toEqual({
    options: { temperature: 0, repetitionPenalty: 1.1, maxLength: 128, stopTokenIds: [2] },
    ignored: ['temperature', 'top_k', 'top_p'],
  });
});

test('with do_sample they all count', () => {
  expect(from({ ...MODEL_CARD_SNIPPET, do_sample: true })).toEqual({
    options: {
      temperature: 0.7,
      topK: 50,
      topP: 0.7,
      minP: 0,
      typicalP: 1,
      repetitionPenalty: 1.1,
      maxLength: 128,
      stopTokenIds: [2],
    },
    ignored: [],
  });
});

describe('defaults', () => {
  test('nothing given: greedy, 20 new tokens', () => {
    expect(from({}).options).toEqual({
      temperature: 0,
      repetitionPenalty: 1,
      maxNewTokens: 20,
      stopTokenIds: [2],
    });
  });
  test('do_sample alone has top_k 50', () => {
    expect(from({ do_sample: true }).options).toMatchObject({
      temperature: 1,
      topK: 50,
      topP: 1,
      minP: 0,
    });
    expect(from({ do_sample: true, top_k: 0 }).options).toMatchObject({ topK: 0 });
  });
  test('None is absent', () => {
    expect(from({ do_sample: null, top_k: null, max_length: null })).toEqual(from({}));
  });
});

test('max_new_tokens wins over max_length', () => {
  const { options, ignored } = from({ max_new_tokens: 5, max_length: 128 });
  expect(options).toMatchObject({ maxNewTokens: 5 });
  expect(options).not.toHaveProperty('maxLength');
  expect(ignored).toEqual(['max_length']);
});

test('biases and bans have the names of ours, and count when greedy too', () => {
  const given = {
    sequence_bias: [
      [[5], -2.5],
      [[7], 1],
    ] as const,
    no_repeat_ngram_size: 3,
    bad_words_ids: [[5], [6, 7]],
    min_length: 4,
  };
  expect(from(given).options).toMatchObject({
    temperature: 0,
    logitBias: { 5: -2.5, 7: 1 },
    noRepeatNgramSize: 3,
    badWordsIds: [[5], [6, 7]],
    minLength: 4,
  });
  const { options, ignored } = from({ ...given, min_new_tokens: 2 });
  expect(options).toMatchObject({ minNewTokens: 2 });
  expect(options).not.toHaveProperty('minLength');
  expect(ignored).toEqual(['min_length']);
});

test('typical_p is ignored when greedy, a bias of several tokens is refused', () => {
  expect(from({ typical_p: 0.5 }).ignored).toEqual(['typical_p']);
  expect(() => from({ sequence_bias: [[[5, 6], 1]] })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTION', option: 'sequence_bias' }),
  );
});

test('eos_token_id is one or several', () => {
  expect(from({ eos_token_id: 7 }).options.stopTokenIds).toEqual([7]);
  expect(from({ eos_token_id: [7, 0] }).options.stopTokenIds).toEqual([7, 0]);
});

test('what is not implemented is refused by name', () => {
  const beams = { num_beams: 4 } as HuggingFaceOptions;
  expect(() => from(beams)).toThrow(
    expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringContaining('num_beams') }),
  );
  const zero = expect.objectContaining({
    code: 'BAD_OPTION',
    message: expect.stringContaining('temperature is 0'),
  });
  expect(() => from({ do_sample: true, temperature: 0 })).toThrow(zero);
  expect(() => from({ do_sample: 1 as unknown as boolean })).toThrow('do_sample is 1');
});
