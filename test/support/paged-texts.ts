/** Sequences in the WASM engine's pages without a model: what is "computed" is the token itself. */
import { expect } from 'vitest';
import { CountedPages, WasmSequence } from '../../src/engines/wasm/memory/paged-sequence.js';
import { PAGE_POSITIONS } from '../../src/model/sequence.js';

export class PagedTexts {
  readonly #maxPages: number;
  readonly #contents: Int32Array[] = [];
  readonly #pool: CountedPages;

  constructor(maxPages = 10_000) {
    this.#maxPages = maxPages;
    this.#pool = new CountedPages(maxPages, {
      pageBytes: 4 * PAGE_POSITIONS,
      growTo: pages => {
        while (this.#contents.length < pages) this.#contents.push(new Int32Array(PAGE_POSITIONS));
      },
      partsOf: page => [new Uint8Array(this.#contents[page].buffer)],
    });
  }

  createSequence(): WasmSequence {
    return new WasmSequence(this, this.#pool);
  }

  /** Continues `sequence` up to the end of `tokens`, the text that it begins with. */
  compute(sequence: WasmSequence, tokens: readonly number[]): void {
    sequence.prepare(tokens.length);
    sequence.beginPass(() => {});
    for (let at = sequence.length; at < tokens.length; at++) {
      const page = sequence.pages[Math.floor(at / PAGE_POSITIONS)];
      this.#contents[page][at % PAGE_POSITIONS] = tokens[at];
    }
    sequence.endPass(tokens.length);
  }

  /** The tokens that `sequence` holds. */
  read({ pages, length }: WasmSequence): number[] {
    return Array.from({ length }, (_, at) => {
      return this.#contents[pages[Math.floor(at / PAGE_POSITIONS)]][at % PAGE_POSITIONS];
    });
  }

  /** Pages that nobody holds. */
  countFree(): number {
    const sequence = this.createSequence();
    try {
      sequence.prepare((this.#maxPages + 1) * PAGE_POSITIONS);
    } catch {}
    const free = sequence.pages.length;
    sequence.dispose();
    return free;
  }

  get pagesInUse(): number {
    const inUse = this.#maxPages - this.countFree();
    expect(this.#pool.inUse).toBe(inUse);
    return inUse;
  }
}
