/**
 * Texts of a megabyte, of the kinds that make a tokenizer quadratic: one long word, one long run,
 * nothing but bytes. Not a benchmark: each takes less than a second, and an algorithm that looks at
 * all pairs for every merge would take hours.
 */
import { expect, it } from 'vitest';
import { readSentencePieceModel, Tokenizer } from '../../src/tokenizer/index.js';
import { modelOf } from './byte-level/support.js';
import { fromModel, modelFile, pieces } from './support.js';

const LIMIT_MS = 20_000;

/**
 * Runs of every length merge, as the spaces of Llama do; the golden tokenizer has hardly any such
 * pieces.
 */
const runs = new Tokenizer(
  readSentencePieceModel(
    modelFile({
      pieces: pieces(
        Object.fromEntries(
          ['▁', 'a', '\n'].flatMap(character =>
            Array.from({ length: 16 }, (_, i) => [character.repeat(i + 1), -i - 1] as const),
          ),
        ),
      ),
    }),
  ),
);

const SENTENCE = "The old sailor's boat had 7 sails, and he told it: wind is what you make of it. ";
const texts: readonly [string, string][] = [
  ['English', SENTENCE.repeat(Math.ceil(1e6 / SENTENCE.length))],
  ['one letter', 'a'.repeat(1e6)],
  ['spaces', ' '.repeat(1e6)],
  ['newlines', '\n'.repeat(1e6)],
  ['newlines before a word', `${'\n'.repeat(1e6)}x`],
  ['apostrophes', "'".repeat(1e6)],
  ['emoji', '🦙'.repeat(250_000)],
];
const tokenizers: readonly [string, Tokenizer][] = [
  ['tokenizer.model', fromModel],
  ['runs', runs],
  ['pieces of bytes, as Llama 3 has them', new Tokenizer(modelOf('llama3'))],
];

it.each(
  texts.flatMap(([what, text]) =>
    tokenizers.map(([name, tokenizer]) => ({ what, text, name, tokenizer })),
  ),
)('a megabyte of $what with $name', ({ text, tokenizer }) => {
  const began = performance.now();
  const ids = tokenizer.encode(text);
  const decoded = tokenizer.decode(ids);
  expect(performance.now() - began).toBeLessThan(LIMIT_MS);
  expect(decoded === text).toBe(true); // toBe would print megabytes
});

it('a run becomes its longest pieces', () => {
  expect(runs.encode('a'.repeat(1e6), { continuation: true })).toHaveLength(1e6 / 16);
});
