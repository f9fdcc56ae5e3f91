/** What each kind of tokenizer file is read into, and `Tokenizer` made from. */
import { type AddedToken, plainToken } from './added-tokens.js';
import { type MergeTable, mergesFromScores } from './merge-table.js';
import type { SpaceRule } from './space-rule.js';
import { type Piece, type PieceType, type SpecialIds, Vocabulary } from './vocabulary.js';

export interface TokenizerModel {
  readonly vocabulary: Vocabulary;
  readonly merges: MergeTable;
  readonly spaces: SpaceRule;
  /** Those that the files list as such; each is a piece of the vocabulary, too. */
  readonly addedTokens: readonly AddedToken[];
  /**
   * By id, as SentencePiece and GGUF have them; undefined from a tokenizer.json, which has none.
   */
  readonly scores?: readonly number[];
  /**
   * Whether a run of unknown characters is one unknown token, as in SentencePiece. Default true.
   */
  readonly fusesUnknown?: boolean;
}

export interface ScoredPiece extends Piece {
  readonly score: number;
}

/** The piece types as SentencePiece and GGUF number them. */
export const PIECE_TYPES: ReadonlyMap<number, PieceType> = new Map([
  [1, 'normal'],
  [2, 'unknown'],
  [3, 'control'],
  [4, 'user-defined'],
  [5, 'unused'],
  [6, 'byte'],
]);

/** The inverse of `PIECE_TYPES`. */
export const PIECE_NUMBERS: ReadonlyMap<PieceType, number> = new Map(
  [...PIECE_TYPES].map(([number, type]) => [type, number]),
);

/**
 * The pieces of the types that `isAdded`, as added tokens: user-defined ones are words, the others
 * special.
 */
export function addedTokensOf(
  pieces: readonly Piece[],
  isAdded: (type: PieceType) => boolean,
): AddedToken[] {
  return pieces.flatMap(({ text, type }, id) =>
    isAdded(type) ? [plainToken(id, text, type !== 'user-defined')] : [],
  );
}

/**
 * A model from scored pieces, as SentencePiece and GGUF have them, without added tokens. Throws
 * BAD_TOKENIZER as `Vocabulary` and `mergesFromScores` do.
 */
export function modelFromScores(
  pieces: readonly ScoredPiece[],
  ids: SpecialIds,
  spaces: SpaceRule,
  byteFallback = true,
): TokenizerModel {
  const vocabulary = new Vocabulary(pieces, ids, byteFallback);
  const scores = pieces.map(({ score }) => score);
  return {
    vocabulary,
    merges: mergesFromScores(vocabulary, scores),
    spaces,
    addedTokens: [],
    scores,
  };
}
