/**
 * A text's keys and values, as pages of 64 positions in the banks' memories.
 *
 * Pages are counted: a fork shares those of its origin, and whoever writes into a shared page first
 * makes it his own.
 */
import { check } from '../../../base/errors.js';
import type { PageCounts } from '../../../model/engine.js';
import { EngineSequence } from '../../../model/engine-sequence.js';
import { PAGE_POSITIONS, type PageParts } from '../../../model/sequence.js';

/** The pages of all sequences. */
export interface PagePool {
  /** Of one page, in all banks together. */
  readonly pageBytes: number;
  /** A page that nobody else has. Throws OUT_OF_MEMORY. */
  take(): number;
  share(page: number): void;
  release(page: number): void;
  isShared(page: number): boolean;
  copy(from: number, to: number): void;
  /** The memory of a page, bank by bank. */
  partsOf(page: number): PageParts;
}

export class WasmSequence extends EngineSequence {
  /** Page i holds positions 64·i … 64·i + 63. */
  readonly pages: number[] = [];
  readonly #pool: PagePool;

  constructor(engine: object, pool: PagePool) {
    super(engine);
    this.#pool = pool;
  }

  get isShared(): boolean {
    const last = this.pages.at(-1);
    return last !== undefined && this.#pool.isShared(last);
  }

  get pageBytes(): number {
    return this.#pool.pageBytes;
  }

  /**
   * Makes room for positions `length … end − 1`, in pages that are this sequence's own. Throws
   * OUT_OF_MEMORY.
   */
  prepare(end: number): void {
    const first = Math.floor(this.length / PAGE_POSITIONS);
    for (let i = first; i < Math.ceil(end / PAGE_POSITIONS); i++) {
      const old = this.pages[i];
      if (old !== undefined && !this.#pool.isShared(old)) continue;
      const page = this.#pool.take();
      this.pages[i] = page;
      if (old === undefined) continue;
      this.#pool.copy(old, page);
      this.#pool.release(old);
    }
  }

  protected copy(): WasmSequence {
    const twin = new WasmSequence(this.engine, this.#pool);
    for (const page of this.pages.slice(0, Math.ceil(this.length / PAGE_POSITIONS))) {
      this.#pool.share(page);
      twin.pages.push(page);
    }
    return twin;
  }

  protected take(other: WasmSequence, end: number): void {
    const mine = this.pages.length;
    for (const page of other.pages.slice(mine, Math.ceil(end / PAGE_POSITIONS))) {
      this.#pool.share(page);
      this.pages.push(page);
    }
  }

  protected reserve(end: number): void {
    this.prepare(end);
  }

  protected partsOf(from: number, end: number): PageParts[] {
    const pages = this.pages.slice(from / PAGE_POSITIONS, end / PAGE_POSITIONS);
    return pages.map(page => this.#pool.partsOf(page));
  }

  protected forget(length: number): void {
    for (const page of this.pages.splice(Math.ceil(length / PAGE_POSITIONS)))
      this.#pool.release(page);
  }
}

/** Where pages lie. */
export interface PageMemory {
  readonly pageBytes: number;
  /** Makes room for so many pages. Throws OUT_OF_MEMORY. */
  growTo(pages: number): void;
  partsOf(page: number): PageParts;
}

/** Which pages are in use, and by how many; memory grows when more are needed than ever before. */
export class CountedPages implements PagePool, PageCounts {
  readonly pageBytes: number;
  readonly total: number;
  readonly #counts: number[] = [];
  readonly #free: number[] = [];
  readonly #memory: PageMemory;

  constructor(total: number, memory: PageMemory) {
    this.total = total;
    this.#memory = memory;
    this.pageBytes = memory.pageBytes;
  }

  get inUse(): number {
    return this.#counts.length - this.#free.length;
  }

  copy(from: number, to: number): void {
    const target = this.partsOf(to);
    for (const [i, part] of this.partsOf(from).entries()) target[i].set(part);
  }

  partsOf(page: number): PageParts {
    return this.#memory.partsOf(page);
  }

  take(): number {
    let page = this.#free.pop();
    if (page === undefined) {
      page = this.#counts.length;
      check(
        page < this.total,
        'OUT_OF_MEMORY',
        () =>
          `all ${this.total} pages of ${PAGE_POSITIONS} positions are in use; dispose of ` +
          'sequences, or load with a larger context',
      );
      this.#memory.growTo(page + 1);
    }
    this.#counts[page] = 1;
    return page;
  }

  share(page: number): void {
    this.#counts[page]++;
  }

  release(page: number): void {
    if (--this.#counts[page] === 0) this.#free.push(page);
  }

  isShared(page: number): boolean {
    return this.#counts[page] > 1;
  }
}
