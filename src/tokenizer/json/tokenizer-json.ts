/**
 * tokenizer.json: what Hugging Face's `tokenizers` saves (github.com/huggingface/tokenizers), for
 * Llama. It has a BPE model, whose merges are a list of pairs, first things first; a rule of "▁"
 * (`space-rule.ts`) or of cuts and bytes (`byte-level.ts`); and added tokens. Anything else that
 * would change the ids or the text is refused by name, and so is a key that nobody has looked at.
 *
 * Not followed, because it changes no id of a text, but noted (`model/notes.ts`): the
 * post_processor, which puts BOS and EOS around it; truncation and padding, left over from a run.
 */

import { check, show } from '../../base/errors.js';
import { parseJson } from '../../base/json.js';
import type { AddedToken } from '../model/added-tokens.js';
import { mergesFromPairs } from '../model/merge-table.js';
import { settingNotes } from '../model/notes.js';
import type { TokenizerModel } from '../model/tokenizer-model.js';
import {
  ABSENT,
  type BytePieces,
  isBytePiece,
  type Piece,
  type PieceType,
  Vocabulary,
} from '../model/vocabulary.js';
import { readAddedToken, readId } from './added-token.js';
import { isByteLevel, readByteLevelRule } from './byte-level.js';
import { array, boolean, expectJson, type Json, object, refuseUnknownKeys } from './fields.js';
import { readPostProcessor } from './post-processor.js';
import { readSpaceRule } from './space-rule.js';

const FILE_KEYS = [
  ...['version', 'truncation', 'padding', 'added_tokens', 'normalizer', 'pre_tokenizer'],
  ...['post_processor', 'decoder', 'model'],
];
const MODEL_KEYS = [
  ...['type', 'dropout', 'unk_token', 'continuing_subword_prefix', 'end_of_word_suffix'],
  ...['fuse_unk', 'byte_fallback', 'ignore_merges', 'vocab', 'merges'],
];
const UNK = '<unk>';
const BOS = '<s>';
const EOS = '</s>';

/**
 * Reads the content of a tokenizer.json.
 * @throws {LlamaError} BAD_TOKENIZER if it is broken; UNSUPPORTED, naming the component, if it is
 * not of Llama's kind.
 */
export function readTokenizerJson(text: string): TokenizerModel {
  const file = object(parseJson(text, 'the content', 'BAD_TOKENIZER'), 'the content');
  refuseUnknownKeys(file, FILE_KEYS, 'tokenizer.json');
  expectJson(file.version ?? '1.0', '1.0', 'version');
  const model = object(file.model, 'model');
  checkModel(model);
  const kind = isByteLevel(file)
    ? ({ kind: 'byte-level', rule: readByteLevelRule(file) } as const)
    : ({ kind: 'sentencepiece', spaces: readSpaceRule(file) } as const);
  const addedTokens = array(file.added_tokens ?? [], 'added_tokens').map(entry => {
    return readAddedToken(entry, object(entry, 'an entry of added_tokens').id, 'added_tokens');
  });
  const { first, notes } = readPostProcessor(file.post_processor, kind.kind);
  const vocabulary = readVocabulary(model, addedTokens, bytePieces(model, kind.kind), first);
  return {
    ...kind,
    vocabulary,
    merges: mergesFromPairs(vocabulary, array(model.merges, 'model.merges').map(readPair)),
    addedTokens,
    fusesUnknown: boolean(model.fuse_unk ?? false, 'model.fuse_unk'),
    addsBos: kind.kind === 'sentencepiece' || first !== undefined,
    notes: [...settingNotes(file), ...notes],
  };
}

function checkModel(model: Json): void {
  refuseUnknownKeys(model, MODEL_KEYS, 'model');
  expectJson(model.type, 'BPE', 'model.type');
  expectJson(model.dropout || null, null, 'model.dropout'); // 0 is none
  expectJson(model.continuing_subword_prefix || null, null, 'model.continuing_subword_prefix');
  expectJson(model.end_of_word_suffix || null, null, 'model.end_of_word_suffix');
}

function bytePieces(model: Json, kind: TokenizerModel['kind']): BytePieces {
  if (kind === 'byte-level') return 'alphabet';
  expectJson(model.ignore_merges ?? false, false, 'model.ignore_merges');
  return boolean(model.byte_fallback ?? false, 'model.byte_fallback') ? 'fallback' : 'none';
}

function readVocabulary(
  model: Json,
  added: readonly AddedToken[],
  bytes: BytePieces,
  first: string | undefined,
): Vocabulary {
  const own = new Map<string, number>();
  for (const [text, id] of Object.entries(object(model.vocab, 'model.vocab')))
    own.set(text, readId(id, `the id of ${show(text)}`));
  const { unk_token: unkToken } = model;
  // transformers 5 writes null: with a piece for every byte, nothing is unknown.
  const noUnk = bytes === 'alphabet' ? undefined : UNK;
  const unk = typeof unkToken === 'string' ? unkToken : noUnk;
  const pieces: Piece[] = [];
  const ownType = (text: string) => (bytes !== 'alphabet' && isBytePiece(text) ? 'byte' : 'normal');
  place(pieces, own, added, unk, ownType);
  checkGaps(pieces, Math.max(...own.values()));
  const idOf = (text: string | undefined) => {
    const id = pieces.findIndex(piece => piece.text === text);
    return id === -1 ? undefined : id;
  };
  check(typeof unkToken !== 'string' || idOf(unk) !== undefined, 'BAD_TOKENIZER', () => {
    return `model.unk_token is ${show(unk)}, which is no piece`;
  });
  const ids = { unkId: idOf(unk), bosId: idOf(first) ?? idOf(BOS), eosId: idOf(EOS) };
  return new Vocabulary(pieces, ids, bytes);
}

/** Puts the pieces of model.vocab and the added tokens where their ids say. */
function place(
  pieces: Piece[],
  own: ReadonlyMap<string, number>,
  added: readonly AddedToken[],
  unk: string | undefined,
  ownType: (text: string) => PieceType,
): void {
  const special = new Set(added.flatMap(token => (token.special ? [token.content] : [])));
  const put = (text: string, id: number, type: Piece['type'], where: string) => {
    const there = pieces[id]?.text ?? text;
    check(there === text, 'BAD_TOKENIZER', () => {
      return `piece ${show(text)} of ${where} has id ${id}, and so has ${show(there)}`;
    });
    pieces[id] ??= { text, type: text === unk ? 'unknown' : special.has(text) ? 'control' : type };
  };
  for (const [text, id] of own) put(text, id, ownType(text), 'model.vocab');
  for (const { content, id } of added) {
    const inModel = own.get(content) ?? id;
    check(inModel === id, 'BAD_TOKENIZER', () => {
      return `${show(content)} has id ${inModel} in model.vocab, ${id} in added_tokens`;
    });
    put(content, id, 'user-defined', 'added_tokens');
  }
}

/** Among the added tokens, ids may be left out; up to `last`, they are the model's. */
function checkGaps(pieces: Piece[], last: number): void {
  for (let id = 0; id < pieces.length; id++) {
    check(pieces[id] !== undefined || id > last, 'BAD_TOKENIZER', () => {
      return `no piece has id ${id}; ids must be 0, 1, 2, …, and ${id} is next`;
    });
    pieces[id] ??= ABSENT;
  }
}

/** "a b" in files until 2024, ["a", "b"] since. */
function readPair(merge: unknown, rank: number): [string, string] {
  const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
  const isPair =
    Array.isArray(pair) && pair.length === 2 && pair.every(part => typeof part === 'string');
  check(isPair, 'BAD_TOKENIZER', () => `merge ${rank} is ${show(merge)}, not a pair of pieces`);
  return pair as [string, string];
}
