/** Which tokens a state of an automaton allows: a bit for each of the vocabulary. */
import type { State } from '../automaton/automaton.js';
import type { TokenTrie } from './token-trie.js';

/** Bit i % 32 of number i / 32 is set if token i can come. */
export type TokenMask = Uint32Array;

/**
 * Walks over the tree with the automaton: a node is reached if its bytes can come, and what is
 * below one that is not, is passed over.
 */
export function computeMask(trie: TokenTrie, start: State): TokenMask {
  const { bytes, depths, ends, firstId, ids } = trie;
  const mask = new Uint32Array(Math.ceil(trie.vocabSize / 32));
  const states: State[] = new Array(trie.maxDepth + 1).fill(start);
  let node = 0;
  while (node < bytes.length) {
    const depth = depths[node];
    const state = states[depth].next(bytes[node]);
    if (state === undefined) {
      node = ends[node];
      continue;
    }
    states[depth + 1] = state;
    for (let at = firstId[node]; at < firstId[node + 1]; at++) mask[ids[at] >>> 5] |= 1 << ids[at];
    node++;
  }
  return mask;
}

/** Removes the tokens that are not in the mask, and those that have no bit; whether any is left. */
export function applyMask(scores: Float32Array, mask: TokenMask): boolean {
  let any = 0;
  for (let word = 0; word < mask.length; word++) {
    const bits = mask[word];
    any |= bits;
    if (bits === 0xffffffff) continue;
    const start = 32 * word;
    const end = Math.min(start + 32, scores.length);
    for (let id = start; id < end; id++) if (((bits >>> id) & 1) === 0) scores[id] = -Infinity;
  }
  scores.fill(-Infinity, Math.min(32 * mask.length, scores.length));
  return any !== 0;
}
