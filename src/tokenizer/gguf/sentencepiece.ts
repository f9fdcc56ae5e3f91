/**
 * A tokenizer of SentencePiece's kind in a GGUF file, `tokenizer.ggml.model` "llama": what
 * tokenizer.model has, in arrays.
 */
import { check } from '../../base/errors.js';
import type { GgufValue } from '../../files/gguf/values.js';
import { settingNotes } from '../model/notes.js';
import { hasPrefix, type SpaceRule, sentencePieceSpaces } from '../model/space-rule.js';
import {
  addedTokensOf,
  modelFromScores,
  PIECE_NUMBERS,
  type ScoredPiece,
  type SentencePieceModel,
  scoredPieces,
} from '../model/tokenizer-model.js';
import type { PieceType } from '../model/vocabulary.js';
import {
  checkKeys,
  type Fields,
  numbers,
  PREFIX,
  readFlag,
  readId,
  readTypedPieces,
} from './fields.js';
import { scoresFromMerges } from './merge-scores.js';

const KNOWN = {
  keys: new Set(['scores', 'add_space_prefix', 'pre', 'merges']),
  implemented: new Map<string, unknown>([['remove_extra_whitespaces', false]]),
};

/** llama.cpp finds all of these in a text, if special ones are wanted. */
const ADDED: ReadonlySet<PieceType> = new Set(['unknown', 'control', 'user-defined']);

/** Throws what `readGgufTokenizer` throws. */
export function readSentencePiece(fields: Fields): SentencePieceModel {
  checkKeys(fields, KNOWN);
  const ids = {
    bosId: readId(fields, 'bos_token_id', 1),
    eosId: readId(fields, 'eos_token_id', 2),
    unkId: readId(fields, 'unknown_token_id', 0),
  };
  const pieces = readPieces(fields, ids.unkId);
  const addSpacePrefix = readFlag(fields, 'add_space_prefix', true);
  const hasBytes = pieces.some(({ type }) => type === 'byte');
  const model = modelFromScores(pieces, ids, sentencePieceSpaces(addSpacePrefix), hasBytes);
  return {
    ...model,
    addedTokens: addedTokensOf(pieces, type => ADDED.has(type)),
    notes: settingNotes(fields).map(note => `${PREFIX}${note}`),
  };
}

function readPieces(fields: Fields, unkId: number): ScoredPiece[] {
  const scores = numbers(fields, 'scores');
  const pieces = readTypedPieces(fields, { scores }).map(({ text, type }, piece): ScoredPiece => {
    // Converters that saw <unk> among the special tokens of tokenizer_config.json made it a control
    // piece.
    const isUnknown = piece === unkId && type === 'control';
    return { text, score: scores[piece], type: isUnknown ? 'unknown' : type };
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

/**
 * By key, what `readSentencePiece` makes the tokenizer `model` of.
 * @throws {LlamaError} UNSUPPORTED if it comes from a tokenizer.json whose merges stand for no
 * scores.
 */
export function sentencePieceFields(
  model: SentencePieceModel,
  vocabSize: number,
): [string, GgufValue][] {
  const { merges, spaces, vocabulary } = model;
  const scores = model.scores ?? scoresFromMerges(vocabulary, merges);
  const pieces = scoredPieces(model, scores, vocabSize);
  const types = pieces.map(({ type }) => PIECE_NUMBERS.get(type)!);
  const values: [string, GgufValue][] = [
    ['model', { type: 'string', value: 'llama' }],
    ['pre', { type: 'string', value: 'default' }],
    ['tokens', { type: 'array', of: 'string', value: pieces.map(({ text }) => text) }],
    ['scores', { type: 'array', of: 'f32', value: pieces.map(({ score }) => score) }],
    ['token_type', { type: 'array', of: 'i32', value: types }],
    ['add_bos_token', { type: 'bool', value: true }],
    ['add_eos_token', { type: 'bool', value: false }],
    ['add_space_prefix', { type: 'bool', value: hasPrefix(spaces) }],
  ];
  const { unkId } = vocabulary;
  if (unkId !== undefined) values.push(['unknown_token_id', { type: 'u32', value: unkId }]);
  return values;
}

/** What `sentencePieceFields` has no place for: a sentence each. */
export function sentencePieceLosses({ spaces }: SentencePieceModel): string[] {
  if (isSentencePieces(spaces)) return [];
  return [
    'a GGUF file has no place for this tokenizer\'s rule of "▁": with it, ids are those of ' +
      'SentencePiece behind special tokens, and where a text begins with a space',
  ];
}

function isSentencePieces(spaces: SpaceRule): boolean {
  const { normalizer, prefix } = sentencePieceSpaces(hasPrefix(spaces));
  return spaces.normalizer === normalizer && spaces.prefix === prefix;
}
