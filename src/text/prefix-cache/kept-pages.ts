/** The trees of all salts, and which of their pages were used when. */
import type { Sequence } from '../../model/sequence.js';
import {
  createRoot,
  findPrefix,
  insert,
  type Match,
  type PageNode,
  removeLeaf,
} from './page-tree.js';

/** The beginning of a text, computed. */
export interface TakenPrefix {
  /** Holds the first `length` tokens; whoever took it disposes of it. */
  readonly sequence: Sequence;
  readonly length: number;
}

export class KeptPages {
  readonly #model: { createSequence(): Sequence };
  readonly #maxPages: number;
  readonly #roots = new Map<string, PageNode>();
  /** All nodes but roots: what was used longest ago is first, and every node after its children. */
  readonly #used = new Set<PageNode>();
  #evicted = 0;

  constructor(model: { createSequence(): Sequence }, maxPages: number) {
    this.#model = model;
    this.#maxPages = maxPages;
  }

  get pages(): number {
    return this.#used.size;
  }

  get bytes(): number {
    const [any] = this.#used;
    return this.pages * (any?.sequence.pageBytes ?? 0);
  }

  /** Pages that were given up for others, in all. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The longest beginning of `tokens`. */
  find(tokens: readonly number[], salt: string): Match {
    return findPrefix(this.#rootOf(salt), tokens);
  }

  /** What was found, as a sequence of its own. */
  fork({ node, length }: Match): TakenPrefix {
    this.#touch(node);
    const sequence = node.sequence.fork();
    sequence.truncate(length);
    return { sequence, length };
  }

  /** Keeps what `sequence` holds, whose tokens are `tokens`, of which it may have fewer. */
  insert(tokens: readonly number[], sequence: Sequence, salt: string): void {
    const held = tokens.slice(0, sequence.length);
    const root = this.#rootOf(salt);
    const { last, added } = insert(root, held, sequence, node => this.#remove(node));
    for (const node of added) this.#used.add(node);
    this.#touch(last);
    if (root.children.length > 0) this.#roots.set(salt, root);
    this.#trim();
  }

  /** Gives up to `pages` pages back that nobody else holds; returns how many there were. */
  evict(pages: number): number {
    return this.#evict(pages, node => !node.sequence.isShared);
  }

  clear(): void {
    for (const node of this.#used) this.#remove(node);
    this.#roots.clear();
  }

  #rootOf(salt: string): PageNode {
    return this.#roots.get(salt) ?? createRoot(this.#model.createSequence());
  }

  /** What others share goes last: they would keep it anyway. */
  #trim(): void {
    const excess = this.pages - this.#maxPages;
    if (excess > 0) this.#evict(excess - this.evict(excess), () => true);
  }

  #evict(pages: number, mayGo: (node: PageNode) => boolean): number {
    let evicted = 0;
    for (const node of this.#used) {
      if (evicted >= pages) break;
      if (node.children.length > 0 || !mayGo(node)) continue;
      this.#remove(node);
      evicted += 1;
    }
    for (const [salt, root] of this.#roots)
      if (root.children.length === 0) this.#roots.delete(salt);
    this.#evicted += evicted;
    return evicted;
  }

  /** From the end to the beginning, so that the beginning was used last. */
  #touch(last: PageNode): void {
    for (let node = last; node.parent !== undefined; node = node.parent) {
      this.#used.delete(node);
      this.#used.add(node);
    }
  }

  #remove(node: PageNode): void {
    removeLeaf(node);
    this.#used.delete(node);
  }
}
