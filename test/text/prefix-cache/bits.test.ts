/** Texts that go on from what others computed, in both engines: the bits that they have alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Llama } from '../../../src/model/llama.js';
import type { Sequence } from '../../../src/model/sequence.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import { continuing } from '../../support/golden.js';
import { loadTiny } from '../../support/tiny-model.js';

const tokensOf = (length: number, seed = 1) =>
  Array.from({ length }, (_, i) => 14 + ((i * 7 + seed * 5) % 40));

describe.each(['exact', 'wasm'] as const)('%s', name => {
  let model: Llama;
  beforeAll(async () => {
    model = await loadTiny(name, 64 * 40);
  });
  afterAll(() => model.close());

  /** Logits after the last token, and the sequence. */
  async function compute(sequence: Sequence, tokens: readonly number[]): Promise<number[]> {
    const rows = continuing(sequence, tokens.slice(sequence.length));
    return [...(await model.forward(rows)).data];
  }

  async function alone(tokens: readonly number[]): Promise<number[]> {
    const sequence = model.createSequence();
    const logits = await compute(sequence, tokens);
    sequence.dispose();
    return logits;
  }

  it('a text, and those that begin with 1, 63, 64, 65, 100, 128 or 199 tokens of it', async () => {
    const cache = new PrefixCache(model);
    const whole = tokensOf(200);
    const first = model.createSequence();
    await compute(first, whole);
    cache.keep(whole, first);
    for (const common of [1, 63, 64, 65, 100, 128, 199]) {
      const tokens = [...whole.slice(0, common), 54, 55, 56].slice(0, 200);
      const { sequence, length } = await cache.take(tokens);
      expect(length).toBe(common);
      expect(await compute(sequence, tokens)).toEqual(await alone(tokens));
      cache.keep(tokens, sequence);
      sequence.dispose();
    }
    const rest = tokensOf(30, 3); // the first goes on, and nobody wrote into what it holds
    expect(await compute(first, [...whole, ...rest])).toEqual(await alone([...whole, ...rest]));
    first.dispose();
    cache.clear();
  });

  it('what is kept stays as it is while the text is computed, truncated and computed', async () => {
    const cache = new PrefixCache(model);
    const sequence = model.createSequence();
    const tokens = tokensOf(100);
    await compute(sequence, tokens);
    cache.keep(tokens, sequence);
    await compute(sequence, [...tokens, ...tokensOf(50, 2)]);
    sequence.truncate(90);
    await compute(sequence, [...tokens.slice(0, 90), ...tokensOf(50, 4)]);
    const { sequence: taken, length } = await cache.take([...tokens, 20]);
    expect(length).toBe(100);
    expect(await compute(taken, [...tokens, 20])).toEqual(await alone([...tokens, 20]));
    for (const each of [taken, sequence]) each.dispose();
    cache.clear();
  });

  it('many at once, which share what they have in common and nothing else', async () => {
    const cache = new PrefixCache(model);
    const common = tokensOf(70);
    const first = model.createSequence();
    await compute(first, common);
    cache.keep(common, first);
    first.dispose();
    const texts = [1, 2, 3, 4].map(seed => [...common, ...tokensOf(10 * seed, seed)]);
    const taken = await Promise.all(texts.map(tokens => cache.take(tokens)));
    expect(taken.map(({ length }) => length)).toEqual([70, 70, 70, 70]);
    const rows = texts.map((tokens, i) => continuing(taken[i].sequence, tokens.slice(70)));
    const ends = rows.map((_, i) => rows.slice(0, i + 1).flat().length - 1);
    const { data } = await model.forward(rows.flat(), { logitsFor: ends });
    const together = texts.map((_, i) => [...data.slice(i * 60, (i + 1) * 60)]);
    expect(together).toEqual(await Promise.all(texts.map(alone)));
    for (const { sequence } of taken) sequence.dispose();
    cache.clear();
  });
});
