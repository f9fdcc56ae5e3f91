/** What each kind of tokenizer file is read into, and `Tokenizer` made from. */
import { type AddedToken, plainToken } from './added-tokens.js';
import type { ByteLevelRule } from './byte-level-rule.js';
import { type MergeTable, mergesFromScores } from './merge-table.js';
import type { SpaceRule } from './space-rule.js';
import { ABSENT, type Piece, type PieceType, type SpecialIds, Vocabulary } from './vocabulary.js';

/** What all tokenizers are made of: a vocabulary and the order of its merges. */
interface CommonModel {
  readonly vocabulary: Vocabulary;
  readonly merges: MergeTable;
  /** Those that the files list as such; each is a piece of the vocabulary, too. */
  readonly addedTokens: readonly AddedToken[];
  /**
   * Whether a run of unknown characters is one unknown token, as in SentencePiece. Default true.
   */
  readonly fusesUnknown?: boolean;
  /** Whether the model was trained on texts that begin with BOS: prompts then do. Default true. */
  readonly addsBos?: boolean;
  /** What the files say besides, and changes no id: a sentence each. */
  readonly notes: readonly string[];
}

/** Pieces of characters: Llama's, until the third. */
export interface SentencePieceModel extends CommonModel {
  readonly kind: 'sentencepiece';
  readonly spaces: SpaceRule;
  /**
   * By id, as SentencePiece and GGUF have them; undefined from a tokenizer.json, which has none.
   */
  readonly scores?: readonly number[];
}

/** Pieces of bytes: GPT-2's and, since the third, Llama's. */
export interface ByteLevelModel extends CommonModel {
  readonly kind: 'byte-level';
  readonly rule: ByteLevelRule;
}

/** What a tokenizer is made of. */
export type TokenizerModel = SentencePieceModel | ByteLevelModel;

/** A piece of a vocabulary, and the score by which pieces are merged. */
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
 * The text of the piece that llama.cpp's converter makes for an id without one, of type unused: its
 * files have as many pieces as the model has rows.
 */
const paddingText = (id: number): string => `[PAD${id}]`;

/** What such pieces stand for: ids without a piece. At the end of the list, nothing. */
export function withoutPadding(pieces: readonly Piece[]): Piece[] {
  const isPadding = ({ text, type }: Piece, id: number) =>
    type === 'unused' && text === paddingText(id);
  const end = pieces.findLastIndex((piece, id) => !isPadding(piece, id)) + 1;
  return pieces.slice(0, end).map((piece, id) => (isPadding(piece, id) ? ABSENT : piece));
}

/** Of what a tokenizer.json or tokenizer_config.json added: such as llama.cpp's converter gives. */
const ADDED_SCORE = -1000;

/**
 * The pieces for ids 0 to `count` − 1 as other formats have them: padding where there is none,
 * added tokens by their kind.
 */
export function scoredPieces(
  { vocabulary, addedTokens }: TokenizerModel,
  scores: readonly number[],
  count: number,
): ScoredPiece[] {
  const kinds = new Map(addedTokens.map(({ id, special }) => [id, special]));
  return Array.from({ length: count }, (_, id): ScoredPiece => {
    const { text, type } = vocabulary.pieces[id] ?? ABSENT;
    if (type === 'absent') return { text: paddingText(id), type: 'unused', score: ADDED_SCORE };
    const score = scores[id] ?? ADDED_SCORE;
    const isSign = type === 'unknown' || type === 'control' || !kinds.has(id);
    if (isSign) return { text, type, score };
    return { text, type: kinds.get(id) ? 'control' : 'user-defined', score };
  });
}

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
): SentencePieceModel {
  const present = withoutPadding(pieces);
  const vocabulary = new Vocabulary(present, ids, byteFallback ? 'fallback' : 'none');
  const scores = present.map((_, id) => pieces[id].score);
  return {
    kind: 'sentencepiece',
    vocabulary,
    merges: mergesFromScores(vocabulary, scores),
    spaces,
    addedTokens: [],
    scores,
    notes: [],
  };
}
