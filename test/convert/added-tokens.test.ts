/** Added tokens in other forms: found as before, or what is lost is said. */
import { cp, readFile, rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { convertModel } from '../../src/convert/convert.js';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { goldenPath } from '../support/golden.js';
import { temporaryDirectory, wideModel } from './support.js';

const { at } = temporaryDirectory();
const ALL = ['<tool>', 'word', 'I am', '[PAD]', '<|im_start|>', '<|im_end|>'];

/** A model of 4,500 tokens with a tokenizer of golden/saved-tokenizers. */
async function tunedModel(name: string): Promise<void> {
  await wideModel(at('model'));
  await rm(at('model', 'tokenizer.model'));
  await cp(goldenPath(`saved-tokenizers/${name}`), at('model'), { recursive: true });
}

it('to a GGUF file and back: the same ids where its flags and rule have a place', async () => {
  await tunedModel('4');
  await convertModel(at('model'), at('model.gguf'));
  await convertModel(at('model.gguf'), at('back'));
  const [before, gguf, back] = await Promise.all(
    ['model', 'model.gguf', 'back'].map(name => openTokenizer(at(name))),
  );
  expect(back).toMatchObject({ bosId: before.bosId, eosId: before.eosId, unkId: before.unkId });
  const kinds = ({ addedTokens }: typeof before) =>
    addedTokens.map(({ id, content, special }) => [id, content, special]);
  expect(kinds(back)).toEqual(kinds(before));
  const { texts } = JSON.parse(await readFile(goldenPath('saved-tokenizers/ids.json'), 'utf8'));
  const plain = texts.filter((text: string) => !/word|I am|\[PAD\]|<\|im_end\|>/.test(text));
  const signs = plain.filter((text: string) => /<\|im_start\|>|<tool>|<\/?s>/.test(text));
  expect([plain.length > 1000, signs.length > 300]).toEqual([true, true]);
  for (const special of ['added', true, false] as const)
    for (const text of plain) {
      const ids = before.encode(text, { special });
      expect(gguf.encode(text, { special }), text).toEqual(ids);
      expect(back.encode(text, { special }), text).toEqual(ids);
    }
  for (const text of texts)
    expect(back.encode(text, { special: 'added' })).toEqual(
      gguf.encode(text, { special: 'added' }),
    );
});

it('what a GGUF file has no place for is in a note', async () => {
  await tunedModel('5');
  const { notes } = await convertModel(at('model'), at('model.gguf'));
  expect(notes).toHaveLength(2);
  expect(notes[0]).toContain('no place for lstrip, rstrip, single_word and normalized');
  for (const token of ALL)
    expect([token, notes[0].includes(`"${token}"`)]).toEqual([
      token,
      !['<tool>', '<|im_start|>'].includes(token),
    ]);
  expect(notes[1]).toContain('rule of "▁"');
  expect((await convertModel(at('model.gguf'), at('again.gguf'))).notes).toEqual([]);
});

it('what is behind the vocabulary of the model is named, and left out', async () => {
  await cp(goldenPath('tiny-32k'), at('model'), { recursive: true });
  await rm(at('model', 'tokenizer.model'));
  await cp(goldenPath('saved-tokenizers/4'), at('model'), { recursive: true });
  const { notes } = await convertModel(at('model'), at('model.gguf'));
  expect(notes[0]).toContain('left out: "<tool>", "word", "I am", "[PAD]", "<|im_start|>"');
  expect(notes[0]).toContain('vocab_size is 2048');
  const tokenizer = await openTokenizer(at('model.gguf'));
  expect([tokenizer.vocabSize, tokenizer.idOf('<tool>')]).toEqual([2048, undefined]);
});
