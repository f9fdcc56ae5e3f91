/**
 * Which two neighbours may merge into which piece, and how urgently: the learned part of byte-pair
 * encoding.
 *
 * SentencePiece and GGUF score pieces: any two neighbours merge if they read like a piece, the
 * highest score first. Hugging Face lists pairs, the first to be merged first. Both are a rank per
 * pair here; pairs may share one, and then the leftmost goes first.
 */
import { check, show } from '../../base/errors.js';
import type { PieceType, Vocabulary } from './vocabulary.js';

/** What `find` answers for a pair that does not merge. */
export const NO_MERGE = -1;

/** What text is merged into. */
export const MERGING: ReadonlySet<PieceType> = new Set(['normal', 'user-defined', 'unused']);

export class MergeTable {
  /** By merge: the id that the pair becomes. */
  readonly merged: Int32Array;
  /** By merge: its rank; the lowest is merged first. */
  readonly rank: Int32Array;
  readonly #vocabSize: number;
  readonly #merges = new Map<number, number>();

  /** @throws {LlamaError} BAD_TOKENIZER if a pair comes twice. */
  constructor(vocabulary: Vocabulary, merges: readonly Merge[]) {
    this.#vocabSize = vocabulary.pieces.length;
    this.merged = Int32Array.from(merges, ({ merged }) => merged);
    this.rank = Int32Array.from(merges, ({ rank }) => rank);
    merges.forEach(({ left, right }, merge) => {
      const key = this.#key(left, right);
      check(!this.#merges.has(key), 'BAD_TOKENIZER', () => {
        return (
          `the merge of ${show(vocabulary.pieces[left].text)} and ` +
          `${show(vocabulary.pieces[right].text)} comes twice`
        );
      });
      this.#merges.set(key, merge);
    });
  }

  /**
   * The merge of two symbols that stand side by side, or NO_MERGE. Negative symbols are characters
   * that have no piece.
   */
  find(left: number, right: number): number {
    if (left < 0 || right < 0) return NO_MERGE;
    return this.#merges.get(this.#key(left, right)) ?? NO_MERGE;
  }

  /** All pairs that merge, the first to be merged first. */
  pairs(): [left: number, right: number][] {
    const inOrder = [...this.#merges].sort(([, a], [, b]) => this.rank[a] - this.rank[b]);
    return inOrder.map(([key]) => [Math.floor(key / this.#vocabSize), key % this.#vocabSize]);
  }

  #key(left: number, right: number): number {
    return left * this.#vocabSize + right;
  }
}

export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly merged: number;
  readonly rank: number;
}

/**
 * The merges that a list of pairs stands for, the first to be merged first.
 * @throws {LlamaError} BAD_TOKENIZER unless both parts of each pair, and both together, are pieces.
 */
export function mergesFromPairs(
  vocabulary: Vocabulary,
  pairs: readonly (readonly [left: string, right: string])[],
): MergeTable {
  const merges = pairs.map(([left, right], rank): Merge => {
    const id = (text: string) => {
      const found = vocabulary.idOf(text);
      check(found !== undefined, 'BAD_TOKENIZER', () => {
        return `merge ${rank} needs ${show(text)}, which is no piece`;
      });
      return found;
    };
    return { left: id(left), right: id(right), merged: id(left + right), rank };
  });
  return new MergeTable(vocabulary, merges);
}

/**
 * The merges that scores stand for: each way to cut a piece into two; pieces that are not text,
 * such as control pieces, have no part in it.
 *
 * @param scores by id; those of pieces that do not merge play no part
 * @throws {LlamaError} BAD_TOKENIZER for a score that is not finite. Also for a piece with a
 * character that is no piece: the character would merge and be spelled in bytes, too, and
 * SentencePiece never writes such a model.
 */
export function mergesFromScores(vocabulary: Vocabulary, scores: ArrayLike<number>): MergeTable {
  const ranks = rankScores(vocabulary, scores);
  const merges = vocabulary.pieces.flatMap(({ text, type }, merged) => {
    if (!MERGING.has(type)) return [];
    if (type === 'normal') checkCharacters(vocabulary, text);
    return cuts(vocabulary, text).map(([left, right]) => ({
      left,
      right,
      merged,
      rank: ranks.get(scores[merged])!,
    }));
  });
  return new MergeTable(vocabulary, merges);
}

/** Equal scores share a rank. */
function rankScores({ pieces }: Vocabulary, scores: ArrayLike<number>): Map<number, number> {
  const used = pieces.flatMap(({ type }, id) => (MERGING.has(type) ? [scores[id]] : []));
  const bad = used.find(score => !Number.isFinite(score));
  check(
    bad === undefined,
    'BAD_TOKENIZER',
    () => `a piece has the score ${bad}; scores must be finite`,
  );
  const falling = [...new Set(used)].sort((a, b) => b - a);
  return new Map(falling.map((score, rank) => [score, rank]));
}

function checkCharacters(vocabulary: Vocabulary, text: string): void {
  for (const character of text) {
    check(mergingId(vocabulary, character) !== undefined, 'BAD_TOKENIZER', () => {
      return (
        `the piece ${show(text)} has the character ${show(character)}, which is not itself a ` +
        'piece'
      );
    });
  }
}

function mergingId(vocabulary: Vocabulary, text: string): number | undefined {
  const id = vocabulary.idOf(text);
  return id !== undefined && MERGING.has(vocabulary.pieces[id].type) ? id : undefined;
}

/** The ways to cut `text` into two pieces that merge. */
export function cuts(vocabulary: Vocabulary, text: string): [number, number][] {
  const pairs: [number, number][] = [];
  for (let at = 1; at < text.length; at++) {
    const left = mergingId(vocabulary, text.slice(0, at));
    const right = mergingId(vocabulary, text.slice(at));
    if (left !== undefined && right !== undefined) pairs.push([left, right]);
  }
  return pairs;
}
