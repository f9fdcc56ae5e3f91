import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../../src/base/errors.js';
import { openGguf } from '../../../src/files/gguf/gguf.js';
import type { GgufValue } from '../../../src/files/gguf/values.js';
import { memorySource } from '../../../src/files/source.js';
import { openTokenizerModel } from '../../../src/load/tokenizer.js';
import {
  ggufTokenizerMetadata,
  readGgufTokenizer,
} from '../../../src/tokenizer/gguf/gguf-tokenizer.js';
import { MergeTable } from '../../../src/tokenizer/model/merge-table.js';
import { sentencePieceSpaces } from '../../../src/tokenizer/model/space-rule.js';
import { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { goldenPath } from '../../support/golden.js';
import { errorOf, fromModel, scored, TYPE, vectors } from '../support.js';

const PIECES = scored({ '▁': -1, a: -2, b: -3, ab: -4, '▁ab': -5, '\ufeff': -6 });
const TYPES = { ...TYPE } as Record<string, number>;
const texts = (...value: string[]): GgufValue => ({ type: 'array', of: 'string', value });
const floats = (...value: number[]): GgufValue => ({
  type: 'array',
  of: 'f32',
  value: Float32Array.from(value),
});
const integers = (...value: number[]): GgufValue => ({
  type: 'array',
  of: 'i32',
  value: Int32Array.from(value),
});
const u32 = (value: number): GgufValue => ({ type: 'u32', value });
const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
const string = (value: string): GgufValue => ({ type: 'string', value });

const METADATA: Readonly<Record<string, GgufValue>> = {
  'general.architecture': string('llama'),
  'tokenizer.ggml.model': string('llama'),
  'tokenizer.ggml.tokens': texts(...PIECES.map(({ text }) => text)),
  'tokenizer.ggml.scores': floats(...PIECES.map(({ score }) => score)),
  'tokenizer.ggml.token_type': integers(...PIECES.map(({ type }) => TYPES[type])),
};

/** With `changes`; undefined takes a key away. */
function read(changes: Readonly<Record<string, GgufValue | undefined>> = {}): Tokenizer {
  const entries = Object.entries({ ...METADATA, ...changes }).filter(
    ([, value]) => value !== undefined,
  );
  return new Tokenizer(readGgufTokenizer(new Map(entries as [string, GgufValue][])));
}

it('is the tokenizer of the tokenizer.model that the file was converted from', async () => {
  const { metadata } = await openGguf(memorySource(readFileSync(goldenPath('gguf/mha-f32.gguf'))));
  const tokenizer = new Tokenizer(readGgufTokenizer(metadata));
  const ids = Array.from({ length: 331 }, (_, i) => i);
  expect(tokenizer.pieces(ids)).toEqual(fromModel.pieces(ids));
  for (const { text, ids: expected } of vectors.encode)
    expect(tokenizer.encode(text), text).toEqual(expected);
  for (const { ids: given, text } of vectors.decode) expect(tokenizer.decode(given)).toBe(text);
});

it('merges by scores, and knows a byte order mark', () => {
  const tokenizer = read();
  expect(tokenizer.pieces(tokenizer.encode('ab'))).toEqual(['▁ab']);
  expect(tokenizer.pieces(tokenizer.encode('\ufeffa'))).toEqual(['▁', '\ufeff', 'a']);
  expect(tokenizer).toMatchObject({ bosId: 1, eosId: 2, unkId: 0 });
});

it('puts no space in front if the file says so', () => {
  const tokenizer = read({ 'tokenizer.ggml.add_space_prefix': bool(false) });
  expect(tokenizer.pieces(tokenizer.encode('ab'))).toEqual(['ab']);
});

it('takes <unk> as unknown also where a converter made it a control piece', () => {
  const types = PIECES.map(({ type }) => TYPES[type]).with(0, TYPE.control);
  expect(read({ 'tokenizer.ggml.token_type': integers(...types) }).unkId).toBe(0);
});

it('is not changed by what is for prompts and other tokenizers', () => {
  const changes = {
    'tokenizer.ggml.add_bos_token': bool(false),
    'tokenizer.ggml.pre': string('default'),
    'tokenizer.ggml.padding_token_id': u32(0),
    'tokenizer.ggml.remove_extra_whitespaces': bool(false),
    'tokenizer.chat_template': string('x'),
  };
  expect(read(changes).encode('ab  a')).toEqual(read().encode('ab  a'));
  expect(read(changes).notes).toEqual([
    expect.stringContaining('tokenizer.ggml.add_bos_token is false'),
  ]);
});

it('may be made of the merges of a tokenizer.json, with the same ids', async () => {
  const plain = { spaces: sentencePieceSpaces(true), addedTokens: [] };
  const model = await openTokenizerModel(goldenPath('saved-tokenizers/5'));
  const { vocabulary } = model;
  const file = new Map([
    ...ggufTokenizerMetadata(model, vocabulary.pieces.length),
    ['tokenizer.ggml.bos_token_id', u32(1)] as const,
  ]);
  const again = new Tokenizer({ ...readGgufTokenizer(file), ...plain });
  const tokenizer = new Tokenizer({ ...model, ...plain });
  const { texts: all } = JSON.parse(readFileSync(goldenPath('saved-tokenizers/ids.json'), 'utf8'));
  const added = /word|<tool>|I am|PAD|im_|<.?s>|<unk>/;
  const others = all.filter((text: string) => !added.test(text));
  expect(others.length).toBeGreaterThan(500);
  for (const text of others) expect(again.encode(text), text).toEqual(tokenizer.encode(text));
  const merges = new MergeTable(vocabulary, [
    { left: 300, right: 300, merged: 301, rank: 0 },
    { left: 300, right: 301, merged: 302, rank: 1 },
    { left: 301, right: 300, merged: 301, rank: 2 },
  ]);
  const error = errorOf('UNSUPPORTED', () => ggufTokenizerMetadata({ ...model, merges }, 2048));
  expect(error.message).toContain('put tokenizer.model beside it');
});

describe('refuses', () => {
  const with7 = PIECES.map(({ type }) => TYPES[type]).with(-1, 7);
  const same = floats(...PIECES.map(() => -1000));
  it.each<[LlamaErrorCode, Record<string, GgufValue | undefined>, string]>([
    ['BAD_TOKENIZER', { 'tokenizer.ggml.model': undefined }, 'the file has no tokenizer'],
    [
      'UNSUPPORTED',
      { 'tokenizer.ggml.model': string('bert') },
      'tokenizer.ggml.model is "bert"; only "llama" and "gpt2" are implemented',
    ],
    [
      'UNSUPPORTED',
      { 'tokenizer.ggml.remove_extra_whitespaces': bool(true) },
      'remove_extra_whitespaces is true',
    ],
    [
      'UNSUPPORTED',
      { 'tokenizer.ggml.precompiled_charsmap': integers(1, 2) },
      'precompiled_charsmap is an array of 8 bytes, which may change the ids',
    ],
    [
      'UNSUPPORTED',
      { 'tokenizer.ggml.split_words': bool(true) },
      'tokenizer.ggml.split_words is true',
    ],
    ['BAD_TOKENIZER', { 'tokenizer.ggml.tokens': undefined }, 'tokenizer.ggml.tokens is missing'],
    [
      'BAD_TOKENIZER',
      { 'tokenizer.ggml.tokens': integers(1) },
      'tokenizer.ggml.tokens is {"0":1}, not an array',
    ],
    ['BAD_TOKENIZER', { 'tokenizer.ggml.tokens': texts() }, 'tokenizer.ggml.tokens is []'],
    ['BAD_TOKENIZER', { 'tokenizer.ggml.scores': undefined }, 'tokenizer.ggml.scores is missing'],
    [
      'BAD_TOKENIZER',
      { 'tokenizer.ggml.scores': floats(1, 2) },
      '265 tokens, but 2 values of tokenizer.ggml.scores',
    ],
    [
      'BAD_TOKENIZER',
      { 'tokenizer.ggml.token_type': string('x') },
      'tokenizer.ggml.token_type is "x"',
    ],
    ['BAD_TOKENIZER', { 'tokenizer.ggml.token_type': integers(1) }, '265 tokens, but 1 values'],
    [
      'UNSUPPORTED',
      { 'tokenizer.ggml.token_type': integers(...with7) },
      'piece 264, "\ufeff", has type 7',
    ],
    ['BAD_TOKENIZER', { 'tokenizer.ggml.scores': same }, 'all pieces have the score -1000'],
    [
      'BAD_TOKENIZER',
      { 'tokenizer.ggml.bos_token_id': string('<s>') },
      'bos_token_id is "<s>", not an integer',
    ],
    [
      'BAD_TOKENIZER',
      { 'tokenizer.ggml.eos_token_id': u32(300) },
      'the eos id is 300, which is no piece',
    ],
    [
      'BAD_TOKENIZER',
      { 'tokenizer.ggml.add_space_prefix': u32(1) },
      'add_space_prefix is 1, not true or false',
    ],
  ])('%s %#', (code, changes, message) => {
    expect(errorOf(code, () => read(changes)).message).toContain(message);
  });
});
