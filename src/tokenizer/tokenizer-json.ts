/**
 * tokenizer.json: what Hugging Face's `tokenizers` saves (github.com/huggingface/tokenizers), for
 * Llama. Two forms of it:
 *
 *     until transformers 4   normalizer Prepend("▁"), Replace(" " → "▁")
 *     since (legacy=False)   pre_tokenizer Metaspace: the same, but no "▁" in front of a text that
 *                            begins with a space
 *
 * Both have a BPE model whose merges are a list of pairs, first things first, and a decoder that
 * undoes "▁" and bytes. Anything else would change the ids or the text, and is refused by name.
 *
 * Not followed: the post_processor, a template that only puts BOS in front, and how added tokens
 * are found in texts: here they are not. A key that nobody has looked at is refused, as in
 * config.json: it might change the ids.
 */

import { check, LlamaError, show } from '../base/errors.js';
import { parseJson } from '../base/json.js';
import { type Merge, MergeTable } from './merge-table.js';
import type { DummyPrefix, TokenizerModel } from './tokenizer-model.js';
import { isBytePiece, type Piece, type PieceType, Vocabulary } from './vocabulary.js';

type Json = Readonly<Record<string, unknown>>;

const FILE_KEYS = [
  ...['version', 'truncation', 'padding', 'added_tokens', 'normalizer', 'pre_tokenizer'],
  ...['post_processor', 'decoder', 'model'],
];
const MODEL_KEYS = [
  ...[
    'type',
    'dropout',
    'unk_token',
    'continuing_subword_prefix',
    'end_of_word_suffix',
    'fuse_unk',
    'byte_fallback',
  ],
  ...['ignore_merges', 'vocab', 'merges'],
];
const POST_PROCESSOR_KEYS = ['type', 'single', 'pair', 'special_tokens'];

const BOS = '<s>';
const EOS = '</s>';

/**
 * Reads the content of a tokenizer.json.
 * @throws {LlamaError} BAD_TOKENIZER if it is broken; UNSUPPORTED, naming the component, if it is
 * not one of Llama's two forms.
 */
export function readTokenizerJson(text: string): TokenizerModel {
  const file = object(parseJson(text, 'the content', 'BAD_TOKENIZER'), 'the content');
  refuseUnknownKeys(file, FILE_KEYS, 'tokenizer.json');
  expectJson(file.version ?? '1.0', '1.0', 'version');
  for (const setting of ['truncation', 'padding']) {
    expectJson(file[setting] ?? null, null, `${setting}, left over from a run`);
  }
  const dummyPrefix = readDummyPrefix(file);
  checkDecoder(file.decoder, dummyPrefix);
  checkPostProcessor(file.post_processor ?? null);
  const model = object(file.model, 'model');
  checkModel(model);
  const vocabulary = readVocabulary(model, readAddedTokens(file.added_tokens ?? []));
  return {
    vocabulary,
    merges: new MergeTable(vocabulary, readMerges(model.merges, vocabulary)),
    dummyPrefix,
  };
}

const PREPEND = { type: 'Prepend', prepend: '▁' };
const ESCAPE = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };

function readDummyPrefix({
  normalizer = null,
  pre_tokenizer: preTokenizer = null,
}: Json): DummyPrefix {
  if (preTokenizer !== null) {
    expectJson(normalizer, null, 'normalizer beside a pre_tokenizer');
    return readMetaspace(object(preTokenizer, 'pre_tokenizer'));
  }
  if (matches(normalizer, { type: 'Sequence', normalizers: [PREPEND, ESCAPE] })) return 'always';
  if (matches(normalizer, { type: 'Sequence', normalizers: [ESCAPE] })) return 'never';
  throw unsupported('normalizer', normalizer, 'Sequence of Prepend("▁") and Replace(" ", "▁")');
}

function readMetaspace({ prepend_scheme: scheme, ...others }: Json): DummyPrefix {
  expectJson(others, { type: 'Metaspace', replacement: '▁', split: false }, 'pre_tokenizer');
  // "first" means: not behind a special token within the text, and there is none here.
  if (scheme === 'first' || scheme === 'always') return 'unless-space';
  if (scheme === 'never') return 'never';
  throw unsupported('pre_tokenizer.prepend_scheme', scheme, '"first", "always" or "never"');
}

function checkDecoder(decoder: unknown, dummyPrefix: DummyPrefix): void {
  const spaces = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  const steps = [
    spaces,
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(dummyPrefix === 'never' ? [] : [strip]),
  ];
  expectJson(decoder, { type: 'Sequence', decoders: steps }, 'decoder');
}

/**
 * One of another type could split or change texts; a template can only put special tokens around
 * them, which `encode` does.
 */
function checkPostProcessor(postProcessor: unknown): void {
  if (postProcessor === null) return;
  const template = object(postProcessor, 'post_processor');
  expectJson(template.type, 'TemplateProcessing', 'post_processor.type');
  refuseUnknownKeys(template, POST_PROCESSOR_KEYS, 'post_processor');
}

function checkModel(model: Json): void {
  refuseUnknownKeys(model, MODEL_KEYS, 'model');
  expectJson(model.type, 'BPE', 'model.type');
  expectJson(model.byte_fallback, true, 'model.byte_fallback');
  expectJson(model.dropout ?? null, null, 'model.dropout');
  expectJson(model.continuing_subword_prefix || null, null, 'model.continuing_subword_prefix');
  expectJson(model.end_of_word_suffix || null, null, 'model.end_of_word_suffix');
  expectJson(model.ignore_merges ?? false, false, 'model.ignore_merges');
  // Either will do: with a piece for every byte nothing is unknown, so there is nothing to fuse.
  const { fuse_unk: fuseUnk = false } = model;
  check(
    typeof fuseUnk === 'boolean',
    'BAD_TOKENIZER',
    () => `model.fuse_unk is ${show(fuseUnk)}, not true or false`,
  );
}

/** By text: the ids of the special tokens. */
function readAddedTokens(added: unknown): Map<string, number> {
  const specials = new Map<string, number>();
  for (const entry of array(added, 'added_tokens')) {
    const { id, content, special } = object(entry, 'an entry of added_tokens');
    check(
      typeof content === 'string',
      'BAD_TOKENIZER',
      () => 'an entry of added_tokens has no content',
    );
    // One that is not special would be found in texts and decoded.
    expectJson(special, true, `added_tokens: special of ${show(content)}`);
    specials.set(content, integer(id, `added_tokens: id of ${show(content)}`));
  }
  return specials;
}

function readVocabulary(model: Json, specials: ReadonlyMap<string, number>): Vocabulary {
  const ids = readIds(model.vocab, specials);
  const typeOf = (text: string): PieceType => {
    if (text === model.unk_token) return 'unknown';
    if (specials.has(text)) return 'control';
    return isBytePiece(text) ? 'byte' : 'normal';
  };
  const pieces: Piece[] = [];
  for (const [text, id] of [...ids].sort(([, a], [, b]) => a - b)) {
    const next = pieces.length;
    check(id === next, 'BAD_TOKENIZER', () => {
      return `piece ${show(text)} has id ${id}; ids must be 0, 1, 2, …, and ${next} is next`;
    });
    pieces.push({ text, type: typeOf(text) });
  }
  const idOf = (text: unknown) => ids.get(text as string) ?? -1;
  return new Vocabulary(pieces, {
    unkId: idOf(model.unk_token),
    bosId: idOf(BOS),
    eosId: idOf(EOS),
  });
}

/**
 * By text: the ids of all pieces. Special tokens may be among those of the model, or come on top.
 */
function readIds(vocab: unknown, specials: ReadonlyMap<string, number>): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [text, id] of Object.entries(object(vocab, 'model.vocab'))) {
    ids.set(text, integer(id, `the id of ${show(text)}`));
  }
  for (const [text, id] of specials) {
    const inModel = ids.get(text) ?? id;
    check(
      inModel === id,
      'BAD_TOKENIZER',
      () => `${show(text)} has id ${inModel} in model.vocab, ${id} in added_tokens`,
    );
    ids.set(text, id);
  }
  return ids;
}

function readMerges(merges: unknown, vocabulary: Vocabulary): Merge[] {
  return array(merges, 'model.merges').map((merge, rank) => {
    const [left, right] = readPair(merge, rank);
    const id = (text: string) => {
      const found = vocabulary.idOf(text);
      check(found !== undefined, 'BAD_TOKENIZER', () => {
        return `merge ${rank} needs ${show(text)}, which is not a normal piece`;
      });
      return found;
    };
    return { left: id(left), right: id(right), merged: id(left + right), rank };
  });
}

/** "a b" in files until 2024, ["a", "b"] since. */
function readPair(merge: unknown, rank: number): [string, string] {
  const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
  const isPair =
    Array.isArray(pair) && pair.length === 2 && pair.every(part => typeof part === 'string');
  check(isPair, 'BAD_TOKENIZER', () => `merge ${rank} is ${show(merge)}, not a pair of pieces`);
  return pair as [string, string];
}

function object(value: unknown, name: string): Json {
  check(
    typeof value === 'object' && value !== null && !Array.isArray(value),
    'BAD_TOKENIZER',
    () => `${name} is ${show(value)}, not an object`,
  );
  return value as Json;
}

function array(value: unknown, name: string): readonly unknown[] {
  check(Array.isArray(value), 'BAD_TOKENIZER', () => `${name} is ${show(value)}, not an array`);
  return value;
}

function integer(value: unknown, name: string): number {
  check(
    Number.isSafeInteger(value),
    'BAD_TOKENIZER',
    () => `${name} is ${show(value)}, not an integer`,
  );
  return value as number;
}

function refuseUnknownKeys(value: Json, known: readonly string[], name: string): void {
  const key = Object.keys(value).find(each => !known.includes(each));
  check(key === undefined, 'UNSUPPORTED', () => {
    return (
      `unknown key ${show(key)} in ${name} (value ${show(value[key!])}): it may change the ids. ` +
      'If it does not, delete it from the file, and please report it so that it is known next time'
    );
  });
}

function expectJson(value: unknown, expected: unknown, name: string): void {
  if (!matches(value, expected)) throw unsupported(name, value, show(expected));
}

function unsupported(name: string, value: unknown, expected: string): LlamaError {
  const given = value === undefined ? 'missing' : show(value);
  return new LlamaError(
    'UNSUPPORTED',
    `${name} is ${given}; only ${expected}, as Llama has it, is implemented, and the ids would ` +
      'be others',
  );
}

/** The same JSON, in whatever order the keys are. */
function matches(value: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return value === expected;
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) !== Array.isArray(expected)
  )
    return false;
  const keys = Object.keys(expected);
  if (keys.length !== Object.keys(value).length) return false;
  return keys.every(key => matches((value as Json)[key], (expected as Json)[key]));
}
