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
 *
 * A store, a disk for instance, is asked when it may know more than memory does, and is given what
 * is kept. It does not hold passes up: it writes when it can.
 */
import { hasCode } from '../../base/errors.js';
import { checkOptions, integer, type OptionTable, object } from '../../base/options.js';
import { PAGE_POSITIONS, type Sequence, wholePages } from '../../model/sequence.js';
import { KeptPages, type TakenPrefix } from './kept-pages.js';
import type { PageStore, PageStoreStats } from './page-store.js';
import type { Match } from './page-tree.js';

/** How much a `PrefixCache` keeps. */
export interface PrefixCacheOptions {
  /** Pages of 64 positions, 0 or more. Default: as many as there is memory for. */
  readonly maxPages?: number | undefined;
  /** Where pages are kept besides. Default: nowhere. */
  readonly store?: PageStore | undefined;
}

const PREFIX_CACHE: OptionTable<PrefixCacheOptions> = {
  maxPages: { range: integer(0) },
  store: { range: object('a PageStore', value => 'restore' in value && 'keep' in value) },
};

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
  /** Undefined without a store. */
  readonly store: PageStoreStats | undefined;
}

/** Keys and values of texts that were computed, for texts that begin in the same way. */
export class PrefixCache {
  readonly #kept: KeptPages;
  readonly #store: PageStore | undefined;
  /** What is being restored, by salt and first page: who wants the same waits for it. */
  readonly #restoring = new Map<string, Promise<unknown>>();
  readonly #counts = { queries: 0, hits: 0, queriedTokens: 0, reusedTokens: 0 };

  /** Of sequences of `model`. Throws BAD_OPTION. */
  constructor(model: { createSequence(): Sequence }, options: PrefixCacheOptions = {}) {
    const { maxPages = Infinity, store } = checkOptions(options, PREFIX_CACHE);
    this.#kept = new KeptPages(model, maxPages);
    this.#store = store;
  }

  /**
   * The longest beginning of `tokens` that is known, without the last token, whose logits somebody
   * wants. If nothing is known it is an empty sequence. Rejects with the signal's reason.
   */
  async take(
    tokens: readonly number[],
    salt = '',
    signal?: AbortSignal | undefined,
  ): Promise<TakenPrefix> {
    signal?.throwIfAborted();
    const wanted = tokens.slice(0, -1);
    const known = this.#kept.find(wanted, salt);
    const taken = this.#mayBeStored(tokens, known)
      ? await this.#inTurn(tokens, salt, () => this.#restore(tokens, salt, signal))
      : this.#kept.fork(known);
    this.#count(wanted.length, taken.length);
    return taken;
  }

  /**
   * Keeps in memory what `sequence` holds, whose tokens are `tokens`, of which it may have fewer.
   * It stays the caller's, who may go on with it or dispose of it.
   */
  share(tokens: readonly number[], sequence: Sequence, salt = ''): void {
    this.#kept.insert(tokens, sequence, salt);
  }

  /** The same, and has it kept by the store, if there is one. */
  keep(tokens: readonly number[], sequence: Sequence, salt = ''): void {
    this.share(tokens, sequence, salt);
    this.#store?.keep(tokens, sequence, salt);
  }

  /**
   * Gives up to `pages` pages of memory back, of what was used longest ago and no running text
   * shares; and if these are not enough, of what waits to be written. Returns how many there were.
   */
  evict(pages: number): number {
    const evicted = this.#kept.evict(pages);
    if (evicted >= pages || this.#store === undefined) return evicted;
    this.#store.dropWaiting();
    return evicted + this.#kept.evict(pages - evicted);
  }

  /** What it has done so far, and what it holds now. */
  stats(): PrefixCacheStats {
    const { pages, bytes, evicted } = this.#kept;
    return { ...this.#counts, pages, bytes, evictedPages: evicted, store: this.#store?.stats() };
  }

  /**
   * Waits until the store has what it was given, of which `evict` cannot give the memory back;
   * gives whether there was anything to wait for.
   */
  async flush(): Promise<boolean> {
    return (await this.#store?.flush()) ?? false;
  }

  /** Gives up everything that is held in memory. */
  clear(): void {
    this.#kept.clear();
  }

  /** Whether there is a store, and it could have a page that memory has not. */
  #mayBeStored(tokens: readonly number[], { length }: Match): boolean {
    const isMissing = length < tokens.length - 1 && wholePages(length) < wholePages(tokens.length);
    return this.#store !== undefined && isMissing;
  }

  /** One after the other where texts begin alike: the next finds in memory what the first read. */
  async #inTurn<T>(tokens: readonly number[], salt: string, act: () => Promise<T>): Promise<T> {
    const key = JSON.stringify([salt, tokens.slice(0, PAGE_POSITIONS)]);
    const before = this.#restoring.get(key);
    const turn = before === undefined ? act() : before.then(act, act);
    this.#restoring.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#restoring.get(key) === turn) this.#restoring.delete(key);
    }
  }

  async #restore(
    tokens: readonly number[],
    salt: string,
    signal: AbortSignal | undefined,
  ): Promise<TakenPrefix> {
    signal?.throwIfAborted();
    const wanted = tokens.slice(0, -1);
    const known = this.#kept.find(wanted, salt);
    if (!this.#mayBeStored(tokens, known)) return this.#kept.fork(known);
    const { sequence } = this.#kept.fork(known);
    try {
      sequence.truncate(wholePages(known.length) * PAGE_POSITIONS);
      const held = await this.#readStored(sequence, tokens, salt, signal);
      this.#kept.insert(held, sequence, salt);
      return this.#kept.fork(this.#kept.find(wanted, salt));
    } finally {
      sequence.dispose();
    }
  }

  /** If memory is wanted for it, others go. Returns the tokens that `sequence` holds then. */
  async #readStored(
    sequence: Sequence,
    tokens: readonly number[],
    salt: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    for (;;) {
      try {
        return await this.#store!.restore(sequence, tokens, salt, signal);
      } catch (error) {
        if (!hasCode(error, 'OUT_OF_MEMORY')) throw error;
        const missing = wholePages(tokens.length) - wholePages(sequence.length);
        if (this.evict(missing) === 0) return tokens.slice(0, sequence.length);
      }
    }
  }

  #count(queriedTokens: number, reusedTokens: number): void {
    this.#counts.queries += 1;
    this.#counts.queriedTokens += queriedTokens;
    this.#counts.reusedTokens += reusedTokens;
    if (reusedTokens > 0) this.#counts.hits += 1;
  }
}
