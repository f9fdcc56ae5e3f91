/**
 * What was computed of texts, for texts that begin in the same way: a document is read once, and
 * not again for each question. Pages of 64 positions are shared among all whose tokens are the same
 * up to there, and copied by whoever writes into one. Where keys and values come from changes no
 * logit, so that a text says the same with the cache, without it, and whatever is in it.
 *
 *     const { sequence, length } = await cache.take(prompt);   // computed already: length tokens
 *     …                                                        // a text goes on from there
 *     cache.keep(tokens, sequence);                            // for the next one
 *     sequence.dispose();
 *
 * When there are too many pages, those that were used longest ago go first, and of a text its end
 * before its beginning. What a running text shares stays: it takes no memory of its own.
 *
 * Salts. A text finds only what was kept under its own salt: who shares a cache with others can
 * learn by the clock that somebody else's text begins as his.
 */
import { checkOptions, integer, type OptionTable } from '../../base/options.js';
import type { Sequence } from '../../model/sequence.js';
import { createRoot, findPrefix, insert, type PageNode, removeLeaf } from './page-tree.js';

/** How much a `PrefixCache` keeps. */
export interface PrefixCacheOptions {
  /** Pages of 64 positions, 0 or more. Default: as many as there is memory for. */
  readonly maxPages?: number | undefined;
}

const PREFIX_CACHE: OptionTable<PrefixCacheOptions> = {
  maxPages: { range: integer(0) },
};

/** The beginning of a text, computed. */
export interface TakenPrefix {
  /** Holds the first `length` tokens; whoever took it disposes of it. */
  readonly sequence: Sequence;
  readonly length: number;
}

/** What a `PrefixCache` has done so far, and what it holds. */
export interface PrefixCacheStats {
  /** How often something was asked for. */
  readonly queries: number;
  /** How often there was something. */
  readonly hits: number;
  /** Tokens that were asked for, in all. */
  readonly queriedTokens: number;
  /** Tokens that need not be computed again, in all. */
  readonly reusedTokens: number;
  /** Pages of 64 positions that are held now. */
  readonly pages: number;
  /** The memory that these take; what running texts share with them is in it. */
  readonly bytes: number;
  /** Pages that were given up for others, in all. */
  readonly evictedPages: number;
}

/** Keys and values of texts that were computed, for texts that begin in the same way. */
export class PrefixCache {
  readonly #model: { createSequence(): Sequence };
  readonly #maxPages: number;
  /** By salt. */
  readonly #roots = new Map<string, PageNode>();
  /** All nodes but roots: what was used longest ago is first, and every node after its children. */
  readonly #used = new Set<PageNode>();
  readonly #counts = { queries: 0, hits: 0, queriedTokens: 0, reusedTokens: 0, evictedPages: 0 };

  /** Of sequences of `model`. Throws BAD_OPTION. */
  constructor(model: { createSequence(): Sequence }, options: PrefixCacheOptions = {}) {
    this.#model = model;
    this.#maxPages = checkOptions(options, PREFIX_CACHE).maxPages ?? Infinity;
  }

  /**
   * The longest beginning of `tokens` that is known, without the last token, whose logits somebody
   * wants. If nothing is known it is an empty sequence.
   */
  async take(tokens: readonly number[], salt = ''): Promise<TakenPrefix> {
    const wanted = tokens.slice(0, -1);
    const root = this.#roots.get(salt) ?? createRoot(this.#model.createSequence());
    const { node, length } = findPrefix(root, wanted);
    this.#touch(node);
    const sequence = node.sequence.fork();
    sequence.truncate(length);
    this.#count(wanted.length, length);
    return { sequence, length };
  }

  /**
   * Keeps what `sequence` holds, whose tokens are `tokens`, of which it may have fewer. It stays
   * the caller's, who may go on with it or dispose of it.
   */
  keep(tokens: readonly number[], sequence: Sequence, salt = ''): void {
    const held = tokens.slice(0, sequence.length);
    const root = this.#roots.get(salt) ?? createRoot(this.#model.createSequence());
    const { last, added } = insert(root, held, sequence, node => this.#remove(node));
    for (const node of added) this.#used.add(node);
    this.#touch(last);
    if (root.children.length > 0) this.#roots.set(salt, root);
    this.#trim();
  }

  /**
   * Gives up to `pages` pages of memory back, of what was used longest ago and no running text
   * shares. Returns how many there were.
   */
  evict(pages: number): number {
    return this.#evict(pages, node => !node.sequence.isShared);
  }

  stats(): PrefixCacheStats {
    const [any] = this.#used;
    const pages = this.#used.size;
    return { ...this.#counts, pages, bytes: pages * (any?.sequence.pageBytes ?? 0) };
  }

  /** Gives up everything that is held. */
  clear(): void {
    for (const node of this.#used) this.#remove(node);
    this.#roots.clear();
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
    this.#counts.evictedPages += evicted;
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

  /** What running texts share goes last: they would keep it anyway. */
  #trim(): void {
    const excess = this.#used.size - this.#maxPages;
    if (excess <= 0) return;
    const evicted = this.evict(excess);
    this.#evict(excess - evicted, () => true);
  }

  #count(queriedTokens: number, reusedTokens: number): void {
    this.#counts.queries += 1;
    this.#counts.queriedTokens += queriedTokens;
    this.#counts.reusedTokens += reusedTokens;
    if (reusedTokens > 0) this.#counts.hits += 1;
  }
}
