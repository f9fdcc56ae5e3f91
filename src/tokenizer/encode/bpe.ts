/**
 * Byte-pair encoding (Sennrich et al., arXiv:1508.07909, §3.2) as SentencePiece runs it:
 *
 *     while two neighbours can merge: merge the pair of lowest rank, of several the leftmost
 *
 * Time O(n log n): the pairs wait in a queue, the symbols are a linked list. A pair whose symbols
 * have merged with others stays in the queue; it is known by its rank, which is no longer that of
 * the pair now standing there. (If it is, then the pair standing there has the same claim, and is
 * merged in its stead.)
 */

import { type MergeTable, NO_MERGE } from '../model/merge-table.js';
import { MergeQueue } from './merge-queue.js';

/**
 * Merges until nothing merges.
 * @param symbols ids of pieces; negative for what never merges. Overwritten.
 * @returns what is left, a part of `symbols`
 */
export function mergeSymbols(symbols: Int32Array, merges: MergeTable): Int32Array {
  const n = symbols.length;
  const next = countFrom(n, 1); // n after the last
  const previous = countFrom(n, -1); // −1 before the first
  const found = findMerges(symbols, merges); // by symbol: its merge with the next one
  const queue = new MergeQueue(found, merges);

  const look = (left: number): void => {
    found[left] = next[left] < n ? merges.find(symbols[left], symbols[next[left]]) : NO_MERGE;
    if (found[left] !== NO_MERGE) queue.push(merges.rank[found[left]], left);
  };
  while (queue.pop()) {
    const left = queue.position;
    const merge = found[left];
    if (merge === NO_MERGE || merges.rank[merge] !== queue.rank) continue;
    const right = next[left];
    symbols[left] = merges.merged[merge];
    found[right] = NO_MERGE;
    next[left] = next[right];
    if (next[left] < n) previous[next[left]] = left;
    look(left);
    if (left > 0) look(previous[left]);
  }
  return collect(symbols, next);
}

/** first, first + 1, … */
function countFrom(length: number, first: number): Int32Array {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = first + i;
  return numbers;
}

function findMerges(symbols: Int32Array, merges: MergeTable): Int32Array {
  const found = new Int32Array(symbols.length).fill(NO_MERGE);
  for (let i = 0; i + 1 < symbols.length; i++) found[i] = merges.find(symbols[i], symbols[i + 1]);
  return found;
}

/** The symbols of the list, moved to the front. */
function collect(symbols: Int32Array, next: Int32Array): Int32Array {
  let count = 0;
  for (let i = 0; i < symbols.length; i = next[i]) symbols[count++] = symbols[i];
  return symbols.subarray(0, count);
}
