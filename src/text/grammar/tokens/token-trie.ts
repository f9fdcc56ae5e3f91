/**
 * The tokens of a vocabulary by their bytes, as a tree: tokens that begin alike share the way from
 * the root. It is an array, each node followed by all that is below it, so that what begins with
 * bytes that cannot come is passed over at once.
 */

import { commonLength } from '../../../base/common-length.js';

/** What this needs of a tokenizer; `src/tokenizer` is one. */
export interface ByteTokenizer {
  readonly vocabSize: number;
  /** The bytes that the token adds to a text; none for what is not shown. */
  bytesOf(id: number): Uint8Array;
}

export interface TokenTrie {
  readonly vocabSize: number;
  /** By node: the byte that leads to it, how many bytes lead there, the node behind all below. */
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Uint32Array;
  /** Tokens at the nodes before `i`, in `ids`: those of `i` are from there to `firstId[i + 1]`. */
  readonly firstId: Uint32Array;
  readonly ids: Uint32Array;
  /** Of the deepest. */
  readonly maxDepth: number;
  bytesOf(id: number): Uint8Array;
}

const TRIES = new WeakMap<ByteTokenizer, TokenTrie>();

/** The tree of a tokenizer, made once. */
export function tokenTrieOf(tokenizer: ByteTokenizer): TokenTrie {
  const known = TRIES.get(tokenizer);
  if (known !== undefined) return known;
  const trie = buildTrie(tokenizer);
  TRIES.set(tokenizer, trie);
  return trie;
}

interface Token {
  readonly id: number;
  readonly bytes: Uint8Array;
}

function buildTrie(tokenizer: ByteTokenizer): TokenTrie {
  const { vocabSize } = tokenizer;
  const all = Array.from({ length: vocabSize }, (_, id) => ({ id, bytes: tokenizer.bytesOf(id) }));
  const tokens = all.filter(({ bytes }) => bytes.length > 0).sort(compareBytes);
  const nodes = tokens.map(
    ({ bytes }, i) => bytes.length - commonLength(tokens[i - 1]?.bytes ?? [], bytes),
  );
  const count = nodes.reduce((sum, added) => sum + added, 0);
  const trie = {
    vocabSize,
    bytes: new Uint8Array(count),
    depths: new Uint16Array(count),
    ends: new Uint32Array(count),
    firstId: new Uint32Array(count + 1),
    ids: Uint32Array.from(tokens, ({ id }) => id),
    maxDepth: tokens.reduce((most, { bytes }) => Math.max(most, bytes.length), 0),
    bytesOf: (id: number) => all[id]?.bytes ?? new Uint8Array(),
  };
  fill(trie, tokens, nodes);
  return trie;
}

/** `added[i]`: how many nodes token i has that those before it have not. */
function fill(
  { bytes, depths, ends, firstId }: TokenTrie,
  tokens: readonly Token[],
  added: readonly number[],
): void {
  const open: number[] = [];
  let node = 0;
  tokens.forEach((token, i) => {
    const shared = token.bytes.length - added[i];
    while (open.length > shared) ends[open.pop()!] = node;
    for (const byte of token.bytes.subarray(shared)) {
      bytes[node] = byte;
      depths[node] = open.length;
      firstId[node] = i;
      open.push(node++);
    }
    firstId[node] = i + 1;
  });
  while (open.length > 0) ends[open.pop()!] = node;
}

function compareBytes(a: Token, b: Token): number {
  const shared = commonLength(a.bytes, b.bytes);
  return (a.bytes[shared] ?? -1) - (b.bytes[shared] ?? -1);
}
