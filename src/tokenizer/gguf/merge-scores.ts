/**
 * Scores of pieces that stand for the merges of a tokenizer.json: the inverse of
 * `mergesFromScores`, for formats that have scores. The first piece to be merged has the highest.
 *
 * There are such scores if the list has all cuts of a piece one after the other, as transformers
 * writes it: a tokenizer.json that was made of scores.
 */
import { check, show } from '../../base/errors.js';
import { cuts, type MergeTable } from '../model/merge-table.js';
import type { Vocabulary } from '../model/vocabulary.js';

/**
 * By id; pieces that no merge makes have the lowest score.
 * @throws {LlamaError} UNSUPPORTED if the list stands for no scores.
 */
export function scoresFromMerges(vocabulary: Vocabulary, { merged, rank }: MergeTable): number[] {
  const inOrder = [...merged.keys()].sort((a, b) => rank[a] - rank[b]).map(merge => merged[merge]);
  const counts = new Map<number, number>(); // by piece, in the order of the list
  inOrder.forEach((id, place) => {
    const count = counts.get(id) ?? 0;
    refuseUnless(count === 0 || inOrder[place - 1] === id, vocabulary, id);
    counts.set(id, count + 1);
  });
  const scores = vocabulary.pieces.map(() => -counts.size);
  [...counts].forEach(([id, count], place) => {
    const isMerged = ([left, right]: [number, number]) =>
      [left, right].every(part => vocabulary.pieces[part].type !== 'user-defined');
    const all = cuts(vocabulary, vocabulary.pieces[id].text).filter(isMerged); // not added tokens
    refuseUnless(count === all.length, vocabulary, id);
    scores[id] = -place;
  });
  return scores;
}

function refuseUnless(holds: boolean, { pieces }: Vocabulary, id: number): void {
  check(holds, 'UNSUPPORTED', () => {
    return (
      `the merges of ${show(pieces[id].text)} in tokenizer.json are not those that scores of ` +
      'pieces stand for, which a GGUF file needs; put tokenizer.model beside it'
    );
  });
}
