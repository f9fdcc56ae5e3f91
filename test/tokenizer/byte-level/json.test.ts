/** Byte-level tokenizers in a tokenizer.json: what is read, and what is refused by name. */
import { describe, expect, it } from 'vitest';
import { readTokenizerJson } from '../../../src/tokenizer/json/tokenizer-json.js';
import { writeTokenizerJson } from '../../../src/tokenizer/json/writer.js';
import type { ByteLevelModel } from '../../../src/tokenizer/model/tokenizer-model.js';
import { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { errorOf } from '../support.js';
import { jsonOf, modelOf, NAMES, texts } from './support.js';

// biome-ignore lint/suspicious/noExplicitAny: a file to be changed anywhere
type Json = any;

function change(name: string, edit: (file: Json) => void): string {
  const file = JSON.parse(jsonOf(name));
  edit(file);
  return JSON.stringify(file);
}

const read = (name: string, edit: (file: Json) => void) =>
  readTokenizerJson(change(name, edit)) as ByteLevelModel;

it('begins texts with what the template has, and ends none', () => {
  expect(new Tokenizer(modelOf('llama3'))).toMatchObject({ addsBos: true, eosId: undefined });
  expect(new Tokenizer(modelOf('llama3')).bosId).toBe(
    modelOf('llama3').vocabulary.idOf('<|start|>'),
  );
  expect(new Tokenizer(modelOf('gpt2'))).toMatchObject({ addsBos: false, bosId: undefined });
  for (const name of NAMES) expect(modelOf(name).notes).toEqual([]);
});

it.each(NAMES)('%s.json is written again, with the same ids', name => {
  const model = modelOf(name);
  const again = new Tokenizer(readTokenizerJson(writeTokenizerJson(model)));
  const tokenizer = new Tokenizer(model);
  expect(again).toMatchObject({ addsBos: tokenizer.addsBos, bosId: tokenizer.bosId });
  for (const text of texts.slice(0, 500))
    expect(again.encode(text, { special: true })).toEqual(
      tokenizer.encode(text, { special: true }),
    );
});

it('may have merges as "a b", a normalizer of no steps, and digits together', () => {
  const model = read('smollm2', file => {
    file.model.merges = file.model.merges.map((pair: string[]) => pair.join(' '));
    file.normalizer = { type: 'Sequence', normalizers: [] };
  });
  expect(new Tokenizer(model).encode('a 12 the')).toEqual(
    new Tokenizer(modelOf('smollm2')).encode('a 12 the'),
  );
  const together = read('smollm2', file => {
    file.pre_tokenizer.pretokenizers[0].individual_digits = false;
  });
  expect(together.rule.splits[0].pattern).toBe('\\p{N}+');
});

it('may have pieces that read like bytes of SentencePiece, which are text here', () => {
  const model = read('gpt2', file => (file.model.vocab['<0x41>'] = 600));
  expect(new Tokenizer(model).decode([600])).toBe('<0x41>');
});

describe('another kind is refused by name', () => {
  const first = (file: Json) => file.pre_tokenizer.pretokenizers[0];
  it.each<[string, (file: Json) => void]>([
    ['normalizer is {"type":"Lowercase"}', file => (file.normalizer = { type: 'Lowercase' })],
    ['normalizer is {"type":"NFKC"}', file => (file.normalizer = { type: 'NFKC' })],
    ['pre_tokenizer is null', file => (file.pre_tokenizer = null)],
    ['pre_tokenizer is {"type":"Sequence"', file => file.pre_tokenizer.pretokenizers.reverse()],
    [
      'a component of pre_tokenizer is {"type":"Punctuation"',
      file => file.pre_tokenizer.pretokenizers.unshift({ type: 'Punctuation' }),
    ],
    ['Split.behavior is "Apart"', file => (first(file).behavior = 'Apart')],
    ['unknown key "limit" in Split', file => (first(file).limit = 3)],
    ['has \\b, which is not implemented', file => (first(file).pattern = { Regex: '\\bx' })],
    ['model.byte_fallback is true', file => (file.model.byte_fallback = true)],
    ['unknown key "trim" in decoder', file => (file.decoder.trim = true)],
    ['unknown key "trim" in pre_tokenizer', file => (file.pre_tokenizer.pretokenizers[1].trim = 1)],
  ])('%s', (message, edit) => {
    expect(errorOf('UNSUPPORTED', () => read('llama3', edit)).message).toContain(message);
  });

  it.each<[string, (file: Json) => void]>([
    ['Split.pattern is {}, neither', file => (first(file).pattern = {})],
    ['Split.pattern is {"String":""}', file => (first(file).pattern = { String: '' })],
    ['Split.invert is 1', file => (first(file).invert = 1)],
    ['model.ignore_merges is 1', file => (file.model.ignore_merges = 1)],
    ['ids must be 0, 1, 2', file => (file.model.vocab.the_ = 5000)],
    ['merge 0 needs "zzz"', file => (file.model.merges[0] = ['zzz', 'a'])],
    ['model.unk_token is "<x>", which is no piece', file => (file.model.unk_token = '<x>')],
  ])('%s', (message, edit) => {
    expect(errorOf('BAD_TOKENIZER', () => read('llama3', edit)).message).toContain(message);
  });
});
