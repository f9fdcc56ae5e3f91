/** What a forward pass computes: rows, each a token of a sequence. */

/**
 * Keys and values are shared, kept and read from a disk as pages of so many positions, in every
 * engine.
 */
export const PAGE_POSITIONS = 64;

/** How many pages so many positions fill. */
export const wholePages = (positions: number): number => Math.floor(positions / PAGE_POSITIONS);

/** The bytes of a page, in as many pieces as memory has it. */
export type PageParts = readonly Uint8Array[];

/**
 * The keys and values of one text. Positions 0 … length − 1 are filled.
 *
 * A forward pass computes a sequence from the call of `forward` until its promise is settled, the
 * time in a queue included. Until then the sequence is as it was before, to whoever asks.
 */
export interface Sequence {
  readonly length: number;
  /**
   * Forgets all positions from `length` on, to continue from there. Throws BAD_INPUT for more than
   * there are and while a pass computes the sequence, DISPOSED after `dispose`.
   */
  truncate(length: number): void;
  /**
   * Another sequence with the same past, which goes its own way from here; in the WASM engine they
   * share memory as far as they are the same. While a pass computes this one, the past is that from
   * before the pass. Throws DISPOSED after `dispose`.
   */
  fork(): Sequence;
  /**
   * Continues with positions length … end − 1 of `other`, a sequence of the same engine that holds
   * the same tokens up to there; in the WASM engine they share its memory. Throws BAD_INPUT if
   * `other` has not so many positions or is of another engine, if this one does not end where a
   * page of 64 positions does, and while a pass computes this one; DISPOSED after `dispose`.
   */
  append(other: Sequence, end: number): void;
  /**
   * Whether the memory of the last position is held by another sequence, too: `dispose` of this one
   * alone would not give it back. Always false in the exact engine, where JavaScript sees to that.
   */
  readonly isShared: boolean;
  /** The bytes that 64 positions take. */
  readonly pageBytes: number;
  /**
   * Keys and values of positions `from` … `end` − 1, multiples of 64, as they are in memory: of
   * each page the parts that are its `pageBytes` bytes, one after the other. They are views, which
   * stay as they are while this sequence, or a fork of it, holds these positions. Throws BAD_INPUT
   * if it has no such pages, DISPOSED after `dispose`.
   *
   * The bytes are a function of weights, numerics, cache format and tokens, as logits are: not of
   * threads, context, or what else is in memory. Numbers are little-endian in the WASM engine, and
   * as the machine has them in the exact one.
   */
  exportPages(from: number, end: number): readonly PageParts[];
  /**
   * Continues with positions length … `end` − 1, multiples of 64, whose bytes, as `exportPages` of
   * an engine of the same kind gave them, `fill` puts into the parts that it is given. Until `fill`
   * is done it is as in a pass; if that rejects, it is as it was before. Rejects with what `fill`
   * does, BAD_INPUT, DISPOSED, or OUT_OF_MEMORY.
   */
  importPages(end: number, fill: (pages: readonly PageParts[]) => Promise<void>): Promise<void>;
  /**
   * Gives the memory back; the sequence cannot be used afterwards. While a pass computes it, this
   * ends its part in the pass with DISPOSED, the part of no other sequence, and the memory is given
   * back when the pass is over. A second call does nothing.
   */
  dispose(): void;
}

/** One token of one sequence at one position. */
export interface Row<S extends object = Sequence> {
  readonly token: number;
  readonly position: number;
  readonly sequence: S;
}
