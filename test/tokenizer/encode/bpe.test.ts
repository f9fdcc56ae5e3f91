/**
 * The fast merging against one that does what the definition says, on small alphabets where much is
 * tied.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeSymbols } from '../../../src/tokenizer/encode/bpe.js';
import {
  type MergeTable,
  mergesFromScores,
  NO_MERGE,
} from '../../../src/tokenizer/model/merge-table.js';
import { Vocabulary } from '../../../src/tokenizer/model/vocabulary.js';
import { errorOf, scored } from '../support.js';

/** Quadratic: look at all pairs, merge the leftmost of the lowest rank, begin again. */
function mergeNaively(symbols: readonly number[], merges: MergeTable): number[] {
  const result = [...symbols];
  for (;;) {
    let best = -1;
    let bestMerge = NO_MERGE;
    for (let i = 0; i + 1 < result.length; i++) {
      const merge = merges.find(result[i], result[i + 1]);
      if (merge === NO_MERGE) continue;
      if (bestMerge === NO_MERGE || merges.rank[merge] < merges.rank[bestMerge])
        [best, bestMerge] = [i, merge];
    }
    if (bestMerge === NO_MERGE) return result;
    result.splice(best, 2, merges.merged[bestMerge]);
  }
}

function build(normal: Readonly<Record<string, number>>): {
  vocabulary: Vocabulary;
  merges: MergeTable;
} {
  const list = scored(normal);
  const vocabulary = new Vocabulary(list, { unkId: 0, bosId: 1, eosId: 2 });
  return {
    vocabulary,
    merges: mergesFromScores(
      vocabulary,
      list.map(({ score }) => score),
    ),
  };
}

/** The pieces that `text` is cut into. */
function cut(normal: Readonly<Record<string, number>>, text: string): string[] {
  const { vocabulary, merges } = build(normal);
  const symbols = Int32Array.from([...text], character => vocabulary.idOf(character) ?? -1);
  return [...mergeSymbols(symbols, merges)].map(id => vocabulary.pieces[id]?.text ?? '?');
}

const letters = { a: 0, b: 0, c: 0 };

describe('mergeSymbols', () => {
  it('merges the highest score first, not the lowest id nor the longest piece', () => {
    expect(cut({ ...letters, ab: -2, bc: -1 }, 'abc')).toEqual(['a', 'bc']);
    expect(cut({ ...letters, ab: -1, bc: -2 }, 'abc')).toEqual(['ab', 'c']);
    expect(cut({ ...letters, ab: -1, bc: -2, abc: -3 }, 'abc')).toEqual(['abc']);
  });

  it('merges the leftmost of a tie first', () => {
    expect(cut({ a: 0, aa: -1 }, 'aaa')).toEqual(['aa', 'a']);
    expect(cut({ ...letters, ab: -1, ba: -1 }, 'ababa')).toEqual(['ab', 'ab', 'a']);
    // Spaces in Llama: all runs have the same score, so that the first one grows while it can.
    expect(cut({ a: 0, aa: -9, aaa: -9, aaaa: -9 }, 'a'.repeat(7))).toEqual(['aaaa', 'aaa']);
  });

  it('needs both halves: a piece that no two pieces make is never reached', () => {
    expect(cut({ ...letters, abc: -1 }, 'abc')).toEqual(['a', 'b', 'c']);
  });

  it('never merges characters that have no piece', () => {
    expect(cut({ ...letters, ab: -1 }, 'a?ab??b')).toEqual(['a', '?', 'ab', '?', '?', 'b']);
  });

  it('takes nothing, and one symbol', () => {
    expect(cut(letters, '')).toEqual([]);
    expect(cut(letters, 'a')).toEqual(['a']);
  });

  it('forgets a pair when one half of it has merged with something else', () => {
    // bc goes first; then ab (−1) is no more, and bcd (−3) comes before abc (−5).
    expect(cut({ ...letters, d: 0, bc: 0, ab: -1, bcd: -3, abc: -5 }, 'abcd')).toEqual([
      'a',
      'bcd',
    ]);
  });

  it('is what the definition says, whatever the pieces, scores and text', () => {
    // Two letters, so that most pairs can merge and most merges undo others.
    const unit = fc.constantFrom('a', 'b');
    const learned = fc.dictionary(
      fc.string({ unit, minLength: 2, maxLength: 4 }),
      fc.integer({ min: -12, max: 0 }),
      {
        minKeys: 8,
        noNullPrototype: true,
      },
    );
    const texts = fc.string({
      unit: fc.constantFrom('a', 'b', 'a', 'b', 'a', 'b', '?'),
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        learned,
        fc.array(texts, { minLength: 5, maxLength: 5 }),
        (normal, characters) => {
          const { vocabulary, merges } = build({ a: 0, b: 0, ...normal });
          for (const text of characters) {
            const symbols = [...text].map(character => vocabulary.idOf(character) ?? -1);
            expect([...mergeSymbols(Int32Array.from(symbols), merges)]).toEqual(
              mergeNaively(symbols, merges),
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('mergesFromScores', () => {
  it('refuses scores that are no numbers, and characters without a piece', () => {
    expect(errorOf('BAD_TOKENIZER', () => build({ a: Number.NaN })).message).toMatch(/score NaN/);
    expect(errorOf('BAD_TOKENIZER', () => build({ a: -Infinity })).message).toMatch(/-Infinity/);
    expect(errorOf('BAD_TOKENIZER', () => build({ a: 0, ax: -1 })).message).toMatch(
      /"ax" has the character "x"/,
    );
  });
});
