/** Byte-level tokenizers of five forms against Hugging Face's `tokenizers`: golden/byte-level. */
import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { blockHashes, golden, lists, modelOf, NAMES, texts } from './support.js';

it('the texts are those of the reference, and cover what is difficult', () => {
  expect(texts).toHaveLength(20_000);
  for (const atom of golden.atoms)
    expect(texts.filter(text => text.includes(atom)).length, atom).toBeGreaterThan(50);
  expect(Math.max(...texts.map(({ length }) => length))).toBeGreaterThan(1000);
});

describe.each(NAMES)('golden/byte-level/%s.json', name => {
  const tokenizer = new Tokenizer(modelOf(name));
  const expected = golden.tokenizers[name];
  const encode = (text: string) => tokenizer.encode(text, { special: true });

  it('gives the ids that tokenizers gives, for 20,000 texts', () => {
    expected.ids.forEach((ids, i) => {
      expect(encode(texts[i]).join(' '), JSON.stringify(texts[i])).toBe(ids);
    });
    expect(blockHashes(texts.map(encode))).toEqual(expected.encoded);
  });

  it('reads them again as tokenizers does', () => {
    expect(blockHashes(texts.map(text => tokenizer.decode(encode(text))))).toEqual(
      expected.ofTexts,
    );
  });

  it('reads any ids as tokenizers does, with special tokens and without', () => {
    const inside = lists.map(ids => ids.map(id => id % tokenizer.vocabSize));
    const decode = (skipSpecial: boolean) =>
      blockHashes(inside.map(ids => tokenizer.decode(ids, { skipSpecial })));
    expect(decode(true)).toEqual(expected.decoded);
    expect(decode(false)).toEqual(expected.decodedWithSpecial);
  });

  it('gives piece by piece, joined, what decoding all ids at once does', () => {
    for (const ids of lists.slice(0, 1000)) {
      const decoder = tokenizer.streamDecoder();
      const parts = [...ids.map(id => decoder.push(id)), decoder.flush()];
      expect(parts.join('')).toBe(tokenizer.decode(ids));
      for (const part of parts) expect(part).not.toMatch(/\p{Surrogate}/u);
    }
  });

  it('never makes a special token of text where they are not wanted', () => {
    const special = new Set(tokenizer.specialTokens.map(({ id }) => id));
    const unknown = tokenizer.unkId;
    for (const text of texts.slice(0, 2000)) {
      const found = tokenizer.encode(text).filter(id => special.has(id) && id !== unknown);
      expect(found, text).toEqual([]);
    }
  });

  it('tells of no text more tokens than it has', () => {
    for (const text of texts.slice(0, 2000))
      expect(tokenizer.leastTokens(text), text).toBeLessThanOrEqual(tokenizer.encode(text).length);
  });
});
