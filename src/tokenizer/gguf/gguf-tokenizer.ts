/**
 * The tokenizer in the metadata of a GGUF file, to read and to write: what tokenizer.model has, in
 * arrays. Only Llama's kind, `tokenizer.ggml.model` "llama", which is SentencePiece's byte-pair
 * encoding; a key of `tokenizer.ggml` that nobody has looked at is refused: it might change the
 * ids.
 *
 * Not followed, but noted: `add_bos_token` and `add_eos_token`, as with tokenizer_config.json: the
 * caller says what a prompt begins with.
 */

import { check, show } from '../../base/errors.js';
import { type GgufMetadata, type GgufValue, plainValues } from '../../files/gguf/values.js';
import type { AddedToken } from '../model/added-tokens.js';
import { settingNotes } from '../model/notes.js';
import { hasPrefix, type SpaceRule, sentencePieceSpaces } from '../model/space-rule.js';
import {
  addedTokensOf,
  modelFromScores,
  PIECE_NUMBERS,
  PIECE_TYPES,
  type ScoredPiece,
  scoredPieces,
  type TokenizerModel,
} from '../model/tokenizer-model.js';
import type { PieceType } from '../model/vocabulary.js';
import { scoresFromMerges } from './merge-scores.js';

type Fields = Readonly<Record<string, unknown>>;

const PREFIX = 'tokenizer.ggml.';

const KEYS_READ: ReadonlySet<string> = new Set([
  ...[
    'model',
    'tokens',
    'scores',
    'token_type',
    'bos_token_id',
    'eos_token_id',
    'unknown_token_id',
    'add_space_prefix',
  ],
]);

/** Keys that change the ids, with the values for which they do not. */
const IMPLEMENTED_VALUES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['remove_extra_whitespaces', false],
]);

/** For prompts, for other kinds of tokenizers, and ids that no text becomes. */
const HARMLESS_KEYS: ReadonlySet<string> = new Set([
  ...['add_bos_token', 'add_eos_token', 'add_sep_token', 'pre', 'merges', 'token_type_count'],
  ...[
    'eot_token_id',
    'eom_token_id',
    'padding_token_id',
    'seperator_token_id',
    'mask_token_id',
    'cls_token_id',
  ],
  ...[
    'fim_pre_token_id',
    'fim_suf_token_id',
    'fim_mid_token_id',
    'fim_pad_token_id',
    'fim_rep_token_id',
  ],
  ...['fim_sep_token_id', 'prefix_token_id', 'suffix_token_id', 'middle_token_id'],
]);

/**
 * Reads the tokenizer of a GGUF file.
 * @throws {LlamaError} BAD_TOKENIZER if it is broken or not there; UNSUPPORTED, naming the setting,
 * if it is not Llama's kind.
 */
export function readGgufTokenizer(metadata: GgufMetadata): TokenizerModel {
  const all = Object.entries(plainValues(metadata)).filter(([key]) => key.startsWith(PREFIX));
  const fields = Object.fromEntries(all.map(([key, value]) => [key.slice(PREFIX.length), value]));
  checkKeys(fields);
  const ids = { bosId: id(fields, 'bos_token_id', 1), eosId: id(fields, 'eos_token_id', 2) };
  const unkId = id(fields, 'unknown_token_id', 0);
  const pieces = readPieces(fields, unkId);
  const addSpacePrefix = fields.add_space_prefix ?? true;
  check(typeof addSpacePrefix === 'boolean', 'BAD_TOKENIZER', () => {
    return `${PREFIX}add_space_prefix is ${show(addSpacePrefix)}, not true or false`;
  });
  const hasBytes = pieces.some(({ type }) => type === 'byte');
  const spaces = sentencePieceSpaces(addSpacePrefix);
  const model = modelFromScores(pieces, { ...ids, unkId }, spaces, hasBytes);
  const notes = settingNotes(fields).map(note => `${PREFIX}${note}`);
  return { ...model, addedTokens: addedTokensOf(pieces, type => ADDED.has(type)), notes };
}

/** llama.cpp finds all of these in a text, if special ones are wanted. */
const ADDED: ReadonlySet<PieceType> = new Set(['unknown', 'control', 'user-defined']);

function checkKeys(fields: Fields): void {
  check(
    fields.model !== undefined,
    'BAD_TOKENIZER',
    () => `${PREFIX}model is missing: the file has no tokenizer`,
  );
  check(fields.model === 'llama', 'UNSUPPORTED', () => {
    return (
      `${PREFIX}model is ${show(fields.model)}; only "llama" is implemented, and the ids would ` +
      'be others'
    );
  });
  for (const [key, value] of Object.entries(fields)) {
    const isKnown =
      KEYS_READ.has(key) ||
      HARMLESS_KEYS.has(key) ||
      IMPLEMENTED_VALUES.get(key) === value ||
      (ArrayBuffer.isView(value) && value.byteLength === 0);
    check(
      isKnown,
      'UNSUPPORTED',
      () => `${PREFIX}${key} is ${named(value)}, which may change the ids; it is not implemented`,
    );
  }
}

/** Arrays, such as the rules of a normalizer, by their size. */
function named(value: unknown): string {
  return ArrayBuffer.isView(value) ? `an array of ${value.byteLength} bytes` : show(value);
}

function readPieces(fields: Fields, unkId: number): ScoredPiece[] {
  const tokens = list(fields, 'tokens', text => typeof text === 'string') as ArrayLike<string>;
  const scores = list(fields, 'scores', isNumber) as ArrayLike<number>;
  const types = list(fields, 'token_type', isNumber) as ArrayLike<number>;
  for (const [name, values] of Object.entries({ scores, token_type: types })) {
    check(values.length === tokens.length, 'BAD_TOKENIZER', () => {
      return `there are ${tokens.length} tokens, but ${values.length} values of ${PREFIX}${name}`;
    });
  }
  const pieces = Array.from(tokens, (text, piece) => {
    const type = PIECE_TYPES.get(types[piece]);
    check(type !== undefined, 'UNSUPPORTED', () => {
      return `piece ${piece}, ${show(text)}, has type ${types[piece]}; there are types 1 to 6`;
    });
    // Converters that saw <unk> among the special tokens of tokenizer_config.json made it a control
    // piece.
    return {
      text,
      score: scores[piece],
      type: piece === unkId && type === 'control' ? 'unknown' : type,
    };
  });
  checkScores(pieces);
  return pieces;
}

/**
 * Converters that had only tokenizer.json gave all pieces the same score, because it has none:
 * which merge comes first is lost.
 */
function checkScores(pieces: readonly ScoredPiece[]): void {
  const merged = pieces.filter(({ text, type }) => type === 'normal' && text.length > 1);
  const isLost = merged.length > 1 && merged.every(({ score }) => score === merged[0].score);
  check(!isLost, 'BAD_TOKENIZER', () => {
    return (
      `all pieces have the score ${merged[0].score}: it was made without tokenizer.model, and ` +
      'the ids would be others; convert it again with that file'
    );
  });
}

const isNumber = (value: unknown): boolean => typeof value === 'number';

function list(
  fields: Fields,
  key: string,
  isRight: (value: unknown) => boolean,
): ArrayLike<unknown> {
  const values = fields[key];
  const isList = Array.isArray(values) || ArrayBuffer.isView(values);
  check(isList && isRight((values as unknown as ArrayLike<unknown>)[0]), 'BAD_TOKENIZER', () => {
    return (
      `${PREFIX}${key} is ` +
      `${values === undefined ? 'missing' : `${show(values)}, not an array of the right kind`}`
    );
  });
  return values as unknown as ArrayLike<unknown>;
}

function id(fields: Fields, key: string, fallback: number): number {
  const value = fields[key] ?? fallback;
  check(
    Number.isInteger(value),
    'BAD_TOKENIZER',
    () => `${PREFIX}${key} is ${show(value)}, not an integer`,
  );
  return value as number;
}

/**
 * The metadata that `readGgufTokenizer` makes the tokenizer `model` of, with a piece for each of
 * the `vocabSize` tokens of the language model, and no more. Ids of BOS and EOS are not in it: a
 * GGUF file has one of each, and they are those of the configuration. What has no place in the
 * format, `ggufTokenizerNotes` says.
 *
 * @throws {LlamaError} UNSUPPORTED if it comes from a tokenizer.json whose merges stand for no
 * scores.
 */
export function ggufTokenizerMetadata(model: TokenizerModel, vocabSize: number): GgufMetadata {
  const { merges, spaces, vocabulary } = model;
  const scores = model.scores ?? scoresFromMerges(vocabulary, merges);
  const pieces = scoredPieces(model, scores, vocabSize);
  const numbers = pieces.map(({ type }) => PIECE_NUMBERS.get(type)!);
  const values: [string, GgufValue][] = [
    ['model', { type: 'string', value: 'llama' }],
    ['pre', { type: 'string', value: 'default' }],
    ['tokens', { type: 'array', of: 'string', value: pieces.map(({ text }) => text) }],
    ['scores', { type: 'array', of: 'f32', value: pieces.map(({ score }) => score) }],
    ['token_type', { type: 'array', of: 'i32', value: numbers }],
    ['add_bos_token', { type: 'bool', value: true }],
    ['add_eos_token', { type: 'bool', value: false }],
    ['add_space_prefix', { type: 'bool', value: hasPrefix(spaces) }],
  ];
  const { unkId } = vocabulary;
  if (unkId !== undefined) values.push(['unknown_token_id', { type: 'u32', value: unkId }]);
  return new Map(values.map(([key, value]) => [`${PREFIX}${key}`, value]));
}

/** What `ggufTokenizerMetadata` leaves out, and changes the ids of some texts: a sentence each. */
export function ggufTokenizerNotes(model: TokenizerModel, vocabSize: number): string[] {
  const { addedTokens, spaces } = model;
  const left = addedTokens.filter(({ id }) => id >= vocabSize);
  const flagged = addedTokens.filter(token => token.id < vocabSize && isFlagged(token));
  const notes: [boolean, string][] = [
    [
      left.length > 0,
      `left out: ${contents(left)}, for which the model has no rows (vocab_size is ${vocabSize})`,
    ],
    [
      flagged.length > 0,
      'a GGUF file has no place for lstrip, rstrip, single_word and normalized: with it, ' +
        `${contents(flagged)} are found wherever they are spelled out, and take no space along`,
    ],
    [
      !isSentencePieces(spaces),
      'a GGUF file has no place for this tokenizer\'s rule of "▁": with it, ids are those of ' +
        'SentencePiece behind special tokens, and where a text begins with a space',
    ],
  ];
  return notes.flatMap(([holds, text]) => (holds ? [text] : []));
}

const contents = (tokens: readonly AddedToken[]): string =>
  tokens.map(({ content }) => show(content)).join(', ');

const isFlagged = ({ lstrip, rstrip, singleWord, normalized }: AddedToken): boolean =>
  lstrip || rstrip || singleWord || normalized;

function isSentencePieces(spaces: SpaceRule): boolean {
  const { normalizer, prefix } = sentencePieceSpaces(hasPrefix(spaces));
  return spaces.normalizer === normalizer && spaces.prefix === prefix;
}
