/** A constraint in the sampler, and in a text that is written. */
import { describe, expect, test } from 'vitest';
import { complete, generate } from '../../../src/text/generate.js';
import type { TokenConstraint } from '../../../src/text/sampling/constraint.js';
import { createSampler } from '../../../src/text/sampling/sampler.js';
import { BOS, babbling, bytesOf, byteTokenizer, EOS } from '../../support/fake-model.js';

const refused = (code: string, ...parts: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(parts.join('.*')) });

/** The text must be one of these; none is another's beginning. */
class OneOf implements TokenConstraint {
  texts: readonly (readonly number[])[];
  length: number;

  constructor(texts: readonly (readonly number[])[], length = 0) {
    this.texts = texts;
    this.length = length;
  }

  get isComplete(): boolean {
    return this.texts.some(text => text.length === this.length);
  }

  forbid(scores: Float32Array): void {
    const allowed = new Set(this.texts.map(text => text[this.length]));
    for (const id of scores.keys()) if (!allowed.has(id)) scores[id] = -Infinity;
  }

  advance(token: number): void {
    const rest = this.texts.filter(text => text[this.length] === token);
    if (rest.length === 0) throw new Error(`token ${token} cannot come`);
    this.texts = rest;
    this.length += 1;
  }

  fork(): TokenConstraint {
    return new OneOf(this.texts, this.length);
  }
}

const oneOf = (...texts: string[]) => new OneOf(texts.map(bytesOf));

describe('in the sampler', () => {
  const scores = new Float32Array([5, 4, 3, 2]);
  const text = { stopTokenIds: [0] };

  test('only what it allows is chosen, and a stop token only where the text is complete', () => {
    const sampler = createSampler({}, text);
    expect(sampler.sample(scores, [], new OneOf([[2, 3]]))).toBe(2);
    expect(sampler.sample(scores, [], new OneOf([[2, 3]], 1))).toBe(3);
    expect(sampler.sample(scores, [], new OneOf([[2, 3]], 2))).toBe(0);
    expect(sampler.sample(scores, [], new OneOf([[0, 3], [3]]))).toBe(3);
  });

  test('bias and penalties come before it, and cannot bring back what it forbids', () => {
    const sampler = createSampler({ logitBias: { 1: 100, 3: 2 } }, text);
    expect(sampler.sample(scores, [], new OneOf([[2], [3]]))).toBe(3);
  });

  test('filters come after it: top-k keeps the likeliest of what it allows', () => {
    for (let seed = 0; seed < 20; seed++) {
      const sampler = createSampler({ temperature: 1, topK: 1, seed }, text);
      expect(sampler.sample(scores, [], new OneOf([[2], [3]]))).toBe(2);
    }
  });

  test('options that ban all it allows are refused', () => {
    const sampler = createSampler({ badWordsIds: [[2]] }, text);
    expect(() => sampler.sample(scores, [], new OneOf([[2]]))).toThrow(
      refused('BAD_OPTION', 'ban every token that the constraint allows'),
    );
  });
});

describe('in a text', () => {
  const options = { temperature: 1, maxNewTokens: 50 };

  test('the text is what the constraint says, and ends there', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const constraint = oneOf('cat', 'dog!', 'cow');
      const result = await complete(babbling(), byteTokenizer, [BOS], {
        ...options,
        seed,
        constraint,
        stopTokenIds: [EOS],
      });
      expect(result).toMatchObject({ finishReason: 'eos', stoppedBy: EOS });
      expect(constraint.length, 'a fork was used').toBe(0);
      seen.add(result.text);
    }
    expect([...seen].sort()).toEqual(['cat', 'cow', 'dog!']);
  });

  test("its tokens' log-probabilities stay the model's own", async () => {
    const logprobs: number[] = [];
    for (const constraint of [undefined, oneOf('z')]) {
      const model = babbling();
      const steps = generate(model, byteTokenizer, [BOS], {
        maxNewTokens: 1,
        logprobs: 1,
        constraint,
      });
      for await (const step of steps) logprobs.push(step.topLogprobs![0].logprob);
    }
    expect(logprobs[1]).toBe(logprobs[0]);
  });

  test('without a stop token it could not end', async () => {
    await expect(
      complete(babbling(), byteTokenizer, [BOS], { constraint: oneOf('a'), stopTokenIds: [] }),
    ).rejects.toThrow(refused('BAD_OPTION', 'stopTokenIds is \\[\\]'));
  });

  test('what is no constraint is refused', async () => {
    const constraint = {} as TokenConstraint;
    await expect(complete(babbling(), byteTokenizer, [BOS], { constraint })).rejects.toThrow(
      refused('BAD_OPTION', 'constraint is', 'TokenConstraint'),
    );
  });
});
