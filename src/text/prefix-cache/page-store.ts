/** Where pages are kept beside memory, and longer: what `PrefixCache` needs of a disk. */
import type { Sequence } from '../../model/sequence.js';

/** After so many tokens what was computed is kept before its text ends, which may be early. */
export const TOKENS_BETWEEN_KEEPS = 4096;

/** Keeps whole pages of texts, and gives them back to the bit. */
export interface PageStore {
  /**
   * Continues `sequence`, which holds the first whole pages of `tokens`, by as many more as there
   * are under `salt`. The last one may go on in another way than `tokens` does. What is not there,
   * or not to be believed, is not restored.
   *
   * @returns the tokens that `sequence` holds now
   * @throws {LlamaError} OUT_OF_MEMORY; what was restored before that stays. And the signal's
   * reason
   */
  restore(
    sequence: Sequence,
    tokens: readonly number[],
    salt: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]>;
  /** Keeps the whole pages of `tokens`, which `sequence` holds, some time later, if it can. */
  keep(tokens: readonly number[], sequence: Sequence, salt: string): void;
  /** Forgets what is still to be kept, which holds memory; not what is being written. */
  dropWaiting(): void;
  /** Waits until everything is kept, and holds no memory; gives whether anything was not. */
  flush(): Promise<boolean>;
  /**
   * Keeps nothing more: what waits is dropped, and of what is being written there is no file that
   * is not whole. Resolves when it holds no memory.
   */
  close(): Promise<void>;
  /** What it has done so far. */
  stats(): PageStoreStats;
}

/** What a `PageStore` has done so far. */
export interface PageStoreStats {
  /** Pages of 64 positions that were read, their bytes, and the time that this took. */
  readonly restoredPages: number;
  readonly restoredBytes: number;
  readonly restoreSeconds: number;
  /** Pages that were written, and their bytes. */
  readonly writtenPages: number;
  readonly writtenBytes: number;
  /** Texts that wait to be written. */
  readonly waitingTexts: number;
  /** Texts that were not, because too many waited, memory was wanted, or the store was closed. */
  readonly droppedTexts: number;
  /** Files that were not what was written, and were removed. */
  readonly ignoredFiles: number;
}
