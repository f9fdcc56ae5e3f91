/**
 * Texts that were computed, as a tree: a node is a page of 64 tokens, or the fewer ones at the end
 * of a text, and holds their keys and values; the path to it is all that comes before.
 *
 *     root ─┬─ page 0 ─┬─ page 1 ─── page 2 (20 tokens)
 *           │          └─ page 1′
 *           └─ page 0′ (7 tokens)
 *
 * A node has a sequence of its own that holds the path and the page. All but the page is shared
 * with the nodes above, so that a node costs the memory of one page, whatever its depth.
 *
 * Of two siblings none begins as the other is: of the texts "abc" and "abcd" the tree has one node.
 */
import { commonLength } from '../../base/common-length.js';
import { PAGE_POSITIONS, type Sequence } from '../../model/sequence.js';

/** A page of tokens that was computed. */
export interface PageNode {
  /** Undefined in a root, which has no tokens. */
  readonly parent: PageNode | undefined;
  /** 1 … 64; fewer than 64 only where there are no children. */
  readonly tokens: readonly number[];
  /** Holds all tokens from the root to the end of this page. Nobody computes it: it is forked. */
  readonly sequence: Sequence;
  readonly children: PageNode[];
}

/** How far a text is known. */
export interface Match {
  /** The last page that has something of it. */
  readonly node: PageNode;
  /** So many of its tokens are those of the path to `node`. */
  readonly length: number;
}

/** An empty tree over `sequence`, which has no positions. */
export function createRoot(sequence: Sequence): PageNode {
  return { parent: undefined, tokens: [], sequence, children: [] };
}

/** The longest beginning of `tokens` that the tree has. */
export function findPrefix(root: PageNode, tokens: readonly number[]): Match {
  let node = root;
  let length = 0;
  while (length % PAGE_POSITIONS === 0) {
    const page = tokens.slice(length, length + PAGE_POSITIONS);
    const { child, common } = closestChild(node, page);
    if (child === undefined) break;
    node = child;
    length += common;
  }
  return { node, length };
}

/**
 * Puts `tokens`, which `sequence` holds, into the tree, as far as they are not there already.
 *
 * @param remove takes a node out of the tree that a new one makes superfluous
 * @returns the node of their last page, and the nodes that are new
 */
export function insert(
  root: PageNode,
  tokens: readonly number[],
  sequence: Sequence,
  remove: (node: PageNode) => void,
): { readonly last: PageNode; readonly added: readonly PageNode[] } {
  let last = root;
  const added: PageNode[] = [];
  for (let start = 0; start < tokens.length; start += PAGE_POSITIONS) {
    const page = tokens.slice(start, start + PAGE_POSITIONS);
    const { child, common } = closestChild(last, page);
    if (child !== undefined && common === page.length) {
      last = child;
      continue;
    }
    if (child !== undefined && common === child.tokens.length) remove(child);
    last = addChild(last, page, sequence);
    added.push(last);
  }
  return { last, added };
}

/** The child that begins as `page` does for longest, and for how long; none if none begins so. */
function closestChild({ children }: PageNode, page: readonly number[]) {
  let child: PageNode | undefined;
  let common = 0;
  for (const each of children) {
    const length = commonLength(each.tokens, page);
    if (length > common) [child, common] = [each, length];
  }
  return { child, common };
}

function addChild(parent: PageNode, tokens: readonly number[], source: Sequence): PageNode {
  const sequence = parent.sequence.fork();
  sequence.append(source, sequence.length + tokens.length);
  const node: PageNode = { parent, tokens, sequence, children: [] };
  parent.children.push(node);
  return node;
}

/** Takes a node without children out of its tree, and gives its memory back. */
export function removeLeaf(node: PageNode): void {
  const siblings = node.parent!.children;
  siblings.splice(siblings.indexOf(node), 1);
  node.sequence.dispose();
}
