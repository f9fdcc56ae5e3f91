/**
 * What SentencePiece and Hugging Face make of the same texts and ids:
 * `reference/make_tokenizer.py`, and published vectors.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readSentencePieceModel, Tokenizer } from '../../src/tokenizer/index.js';
import { fromJson, fromMetaspace, fromModel, vectors } from './support.js';

const all = Object.entries({
  'tokenizer.model': fromModel,
  'tokenizer.json': fromJson,
  'tokenizer-metaspace.json': fromMetaspace,
});

describe.each(all)('%s', (name, tokenizer) => {
  it('encodes like SentencePiece, or like Hugging Face where its form differs', () => {
    for (const { text, ids, metaspace } of vectors.encode) {
      const expected = name === 'tokenizer-metaspace.json' ? (metaspace ?? ids) : ids;
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(expected);
    }
  });

  it('encodes the continuation of a text like SentencePiece without a dummy prefix', () => {
    for (const { text, continuation } of vectors.encode) {
      expect(tokenizer.encode(text, { continuation: true }), JSON.stringify(text)).toEqual(
        continuation,
      );
    }
  });

  it('decodes like SentencePiece', () => {
    for (const { ids, text, continuation } of vectors.decode) {
      expect(tokenizer.decode(ids), `${ids}`).toBe(text);
      expect(tokenizer.decode(ids, { continuation: true }), `${ids}`).toBe(continuation);
    }
  });
});

it('the vectors cover what is difficult', () => {
  expect(vectors.encode.length).toBeGreaterThan(250);
  expect(vectors.decode.length).toBeGreaterThan(350);
  expect(vectors.encode.filter(({ metaspace }) => metaspace).length).toBeGreaterThan(10);
  expect(
    vectors.encode.filter(({ ids, continuation }) => ids.length !== continuation.length).length,
  ).toBeGreaterThan(10);
  expect(vectors.decode.filter(({ text }) => text.includes('\ufffd')).length).toBeGreaterThan(100);
});

it('HF decodes otherwise only non-UTF-8, interrupted bytes and a leading space', () => {
  const isByte = (id: number) => id >= 3 && id < 259;
  for (const { ids, text, hf } of vectors.decode) {
    if (hf === undefined) continue;
    const shown = ids.filter(id => id > 2);
    expect(text.includes('\ufffd') || (isByte(shown[0]) && text.startsWith(' ')), `${ids}`).toBe(
      true,
    );
  }
});

const llama2 = fileURLToPath(new URL('../../../shared/tokenizers/llama2/', import.meta.url));
const isThere = existsSync(`${llama2}tokenizer.model`);
if (!isThere)
  console.warn(
    'SKIPPED: the vectors of the real Llama 2 tokenizer, which need ../shared/tokenizers/llama2',
  );

describe.skipIf(!isThere)('the real Llama 2 tokenizer (needs ../shared/tokenizers/llama2)', () => {
  const open = () =>
    new Tokenizer(readSentencePieceModel(readFileSync(`${llama2}tokenizer.model`)));

  it('encodes all published vectors, and decodes them to the text', () => {
    const tokenizer = open();
    const published: { text: string; ids: number[] }[] = JSON.parse(
      readFileSync(`${llama2}vectors.json`, 'utf8'),
    ).vectors;
    expect(published).toHaveLength(90);
    for (const { text, ids } of published) {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text.replaceAll('▁', ' '));
    }
  });

  it('decodes as published', () => {
    const tokenizer = open();
    const cases: [number[], string][] = [
      [[29871], ''],
      [[259], ' '],
      [[29871, 15043], ' Hello'],
      [[869], '.'],
      [[1, 15043], 'Hello'],
      [[243, 162], '\ufffd\ufffd'],
      [[228, 15043], '\ufffd Hello'],
    ];
    for (const [ids, text] of cases) expect(tokenizer.decode(ids), `${ids}`).toBe(text);
    expect(tokenizer.decode([1, 15043], { skipSpecial: false })).toBe('<s> Hello');
  });

  it('continues the prompt of the card: no ▁ before the first word of the reply', () => {
    const tokenizer = open();
    expect(tokenizer.encode('Cats', { continuation: true })).toEqual([29907, 1446]);
    expect(tokenizer.encode('Cats')).toEqual([315, 1446]);
  });
});
