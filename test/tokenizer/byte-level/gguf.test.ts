/** Byte-level tokenizers in the metadata of GGUF files. */
import { describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../../src/base/errors.js';
import { parseGgufConfig } from '../../../src/files/gguf/config.js';
import type { GgufMetadata, GgufValue } from '../../../src/files/gguf/values.js';
import {
  KNOWN_RULES,
  nameOfRule,
  ruleNamed,
} from '../../../src/tokenizer/byte-level/known-rules.js';
import { compileSplit } from '../../../src/tokenizer/byte-level/splitter.js';
import {
  ggufTokenizerMetadata,
  ggufTokenizerNotes,
  readGgufTokenizer,
} from '../../../src/tokenizer/gguf/gguf-tokenizer.js';
import { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { errorOf } from '../support.js';
import { modelOf, texts } from './support.js';

const string = (value: string): GgufValue => ({ type: 'string', value });
const u32 = (value: number): GgufValue => ({ type: 'u32', value });
const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
const strings = (...value: string[]): GgufValue => ({ type: 'array', of: 'string', value });

const key = (name: string) => `tokenizer.ggml.${name}`;

/** What is written of golden/byte-level/`name`.json, with `changes`; undefined takes a key away. */
function metadataOf(
  name: string,
  changes: Readonly<Record<string, GgufValue | undefined>> = {},
): GgufMetadata {
  const model = modelOf(name);
  const metadata = new Map(ggufTokenizerMetadata(model, model.vocabulary.pieces.length));
  for (const [changed, value] of Object.entries(changes)) {
    if (value === undefined) metadata.delete(key(changed));
    else metadata.set(key(changed), value);
  }
  return metadata;
}

const read = (name: string, changes: Readonly<Record<string, GgufValue | undefined>> = {}) =>
  new Tokenizer(readGgufTokenizer(metadataOf(name, changes)));

describe.each([
  ['gpt2', 'gpt-2'],
  ['smollm2', 'smollm'],
  ['llama3', 'llama-bpe'],
  ['deepseek', 'deepseek-coder'],
])('golden/byte-level/%s.json', (name, pre) => {
  it('is written as gpt2, and read again with the same ids', () => {
    const metadata = metadataOf(name);
    expect(metadata.get(key('model'))).toEqual(string('gpt2'));
    expect(metadata.get(key('pre'))).toEqual(string(pre));
    const model = modelOf(name);
    const [before, after] = [new Tokenizer(model), read(name)];
    expect(ggufTokenizerNotes(model, before.vocabSize)).toEqual([]);
    expect(after.vocabSize).toBe(before.vocabSize);
    for (const text of texts.slice(0, 2000)) {
      for (const special of [true, false])
        expect(after.encode(text, { special }), text).toEqual(before.encode(text, { special }));
    }
    const ids = Array.from({ length: before.vocabSize }, (_, id) => id);
    expect(after.pieces(ids)).toEqual(before.pieces(ids));
    expect(after.decode(ids, { skipSpecial: false })).toBe(
      before.decode(ids, { skipSpecial: false }),
    );
  });
});

it('has padding for ids without a piece, and reads it as none', () => {
  const metadata = ggufTokenizerMetadata(modelOf('gpt2'), 610);
  const tokens = metadata.get(key('tokens')) as { value: readonly string[] };
  expect([tokens.value.length, tokens.value[609]]).toEqual([610, '[PAD609]']);
  expect(new Tokenizer(readGgufTokenizer(metadata)).vocabSize).toBe(600);
});

it('begins prompts with BOS as the file says, or else as llama.cpp does', () => {
  const addsBos = (name: string, value: GgufValue | undefined) =>
    read(name, { add_bos_token: value }).addsBos;
  expect([addsBos('llama3', undefined), addsBos('smollm2', undefined)]).toEqual([true, false]);
  expect([addsBos('llama3', bool(false)), addsBos('smollm2', bool(true))]).toEqual([false, true]);
  expect(read('smollm2', { add_bos_token: bool(true) }).notes).toEqual([]);
  expect(metadataOf('llama3').get(key('add_bos_token'))).toEqual(bool(true));
  expect(metadataOf('gpt2').get(key('add_bos_token'))).toEqual(bool(false));
});

it('has the ids of BOS and EOS that the file gives, and no others', () => {
  expect(read('smollm2', { bos_token_id: u32(1), eos_token_id: u32(0) })).toMatchObject({
    ...{ bosId: 1, eosId: 0, unkId: undefined },
  });
  expect(read('smollm2')).toMatchObject({ bosId: undefined, eosId: undefined });
});

it('the configuration has no ids either that the file does not give', () => {
  const config = (changes: Readonly<Record<string, GgufValue>>) => {
    const sizes = Object.entries({
      ...{ block_count: 1, embedding_length: 8, feed_forward_length: 8, context_length: 8 },
      'attention.head_count': 2,
    }).map(([name, value]) => [`llama.${name}`, u32(value)] as const);
    const entries = Object.entries(changes).map(([name, value]) => [key(name), value] as const);
    const metadata = new Map<string, GgufValue>([
      ['general.architecture', string('llama')],
      ['llama.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-5 }],
      ['llama.vocab_size', u32(600)],
      ...sizes,
      ...entries,
    ]);
    return parseGgufConfig(metadata, true);
  };
  expect(config({ model: string('llama') })).toMatchObject({ bosTokenId: 1, eosTokenIds: [2] });
  expect(config({})).toMatchObject({ bosTokenId: 1, eosTokenIds: [2] });
  expect(config({ model: string('gpt2') })).toMatchObject({
    ...{ bosTokenId: undefined, eosTokenIds: [] },
  });
  expect(
    config({ model: string('gpt2'), bos_token_id: u32(3), eot_token_id: u32(4) }),
  ).toMatchObject({ bosTokenId: 3, eosTokenIds: [4] });
});

it('takes a file without a word for its rule as llama.cpp does, and says so', () => {
  const { notes, ...tokenizer } = read('gpt2', { pre: undefined });
  expect(notes).toEqual([expect.stringContaining('tokenizer.ggml.pre is missing')]);
  expect(tokenizer).toBeDefined();
  const [missing, named] = [
    read('gpt2', { pre: undefined }),
    read('gpt2', { pre: string('default') }),
  ];
  for (const text of ['a<=b', '1234567', "it's", '{}[]<>|', ' \n x'])
    expect(missing.encode(text)).toEqual(named.encode(text));
  expect(named.pieces(named.encode('a1234567'))).toEqual(['a', '1', '23', '45', '6', '7']);
});

it('says where to name the BOS that texts shall begin with', () => {
  const changes = {
    add_bos_token: { type: 'bool', value: true },
    bos_token_id: undefined,
  } as const;
  const { message } = errorOf('BAD_TOKENIZER', () =>
    read('gpt2', changes).encode('', { bos: true }),
  );
  expect(message).toContain('tokenizer_config.json (bos_token)');
  expect(message).toContain('the GGUF file (tokenizer.ggml.bos_token_id)');
});

it('knows each word once, and how to cut by it', () => {
  const names = KNOWN_RULES.flatMap(known => known.names);
  expect(new Set(names).size).toBe(names.length);
  for (const {
    names: [first],
    rule,
  } of KNOWN_RULES) {
    expect(ruleNamed(first)?.rule).toBe(rule);
    expect(nameOfRule(rule)).toBe(first);
    for (const split of rule.splits) expect(compileSplit(split)('a 1').join('')).toBe('a 1');
  }
});

describe('refuses', () => {
  it.each<[LlamaErrorCode, Readonly<Record<string, GgufValue | undefined>>, string]>([
    ['UNSUPPORTED', { pre: string('kimi-k2') }, 'tokenizer.ggml.pre is "kimi-k2", and how it cuts'],
    ['UNSUPPORTED', { pre: u32(1) }, 'tokenizer.ggml.pre is 1'],
    ['UNSUPPORTED', { pre: string('x') }, 'use the model as a directory with tokenizer.json'],
    ['UNSUPPORTED', { add_space_prefix: bool(true) }, 'tokenizer.ggml.add_space_prefix is true'],
    ['UNSUPPORTED', { split_words: bool(true) }, 'tokenizer.ggml.split_words is true'],
    ['BAD_TOKENIZER', { merges: undefined }, 'tokenizer.ggml.merges is missing'],
    ['BAD_TOKENIZER', { merges: strings('ab') }, 'merge 0 of tokenizer.ggml.merges is "ab"'],
    ['BAD_TOKENIZER', { merges: strings('a ') }, 'merge 0 of tokenizer.ggml.merges is "a "'],
    ['BAD_TOKENIZER', { merges: strings('a zq') }, 'merge 0 needs "zq", which is no piece'],
    ['BAD_TOKENIZER', { tokens: strings('a') }, 'there are 1 tokens, but 600 values'],
    ['BAD_TOKENIZER', { bos_token_id: u32(700) }, 'the bos id is 700, which is no piece'],
    ['BAD_TOKENIZER', { add_bos_token: u32(1) }, 'add_bos_token is 1, not true or false'],
  ])('%s %#', (code, changes, message) => {
    expect(errorOf(code, () => read('gpt2', changes)).message).toContain(message);
  });

  it('to write a rule that there is no word for', () => {
    const { message } = errorOf('UNSUPPORTED', () => ggufTokenizerMetadata(modelOf('rest'), 605));
    expect(message).toContain('tokenizer.ggml.pre has no word');
    expect(message).toContain('convert to a directory instead');
  });
});
