/** What each kind of tokenizer file is read into, and `Tokenizer` made from. */
import { type MergeTable, mergesFromScores } from './merge-table.js';
import { type Piece, type PieceType, Vocabulary } from './vocabulary.js';

export interface TokenizerModel {
  readonly vocabulary: Vocabulary;
  readonly merges: MergeTable;
  readonly dummyPrefix: DummyPrefix;
  /**
   * By id, as SentencePiece and GGUF have them; undefined from a tokenizer.json, which has none.
   */
  readonly scores?: readonly number[];
}

/**
 * Whether a text gets a space in front, so that its first word reads like any other: always, but
 * not if it begins with a space (Hugging Face since `legacy=False`), or never.
 */
export type DummyPrefix = 'always' | 'unless-space' | 'never';

export interface ScoredPiece extends Piece {
  readonly score: number;
}

/**
 * The piece types as SentencePiece and GGUF number them. User-defined (4) and unused (5) pieces are
 * not implemented.
 */
export const PIECE_TYPES: ReadonlyMap<number, PieceType> = new Map([
  [1, 'normal'],
  [2, 'unknown'],
  [3, 'control'],
  [6, 'byte'],
]);

/** The inverse of `PIECE_TYPES`. */
export const PIECE_NUMBERS: ReadonlyMap<PieceType, number> = new Map(
  [...PIECE_TYPES].map(([number, type]) => [type, number]),
);

/**
 * A model from scored pieces, as SentencePiece and GGUF have them. Throws BAD_TOKENIZER as
 * `Vocabulary` and `mergesFromScores` do.
 */
export function modelFromScores(
  pieces: readonly ScoredPiece[],
  ids: { unkId: number; bosId: number; eosId: number },
  dummyPrefix: DummyPrefix,
): TokenizerModel {
  const vocabulary = new Vocabulary(pieces, ids);
  const scores = pieces.map(({ score }) => score);
  return { vocabulary, merges: mergesFromScores(vocabulary, scores), dummyPrefix, scores };
}
