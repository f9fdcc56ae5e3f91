/**
 * Pages of texts on a disk: a document that was read before a restart is not read again.
 *
 * Files are runs of pages, found by keys that say all that decides their bytes (`page-keys.ts`), so
 * that they cannot be stale; a longer text goes on in another file where a shorter one ended. They
 * are read straight into the engine's memory, and compared with checksums on the way. What is not
 * what was written is removed, told once, and computed again.
 *
 * Writing goes on beside the passes, text after text. A text that waits holds its pages in memory,
 * so that no more than a few wait: what comes then is not kept on the disk, and is counted.
 */
import { LlamaError } from '../../base/errors.js';
import { PAGE_POSITIONS, type Sequence, wholePages } from '../../model/sequence.js';
import type { PageStore, PageStoreStats } from '../../text/prefix-cache/page-store.js';
import { KeptFiles, type KeptFilesSettings } from '../kept-files/kept-files.js';
import { keysOf, rootKey } from './page-keys.js';
import {
  nameOf,
  PAGES,
  PagesFile,
  type PagesHead,
  pagesFileBytes,
  pagesFileChunks,
} from './pages-file.js';
import { findRuns, type Run } from './runs.js';

/** A file has no more: what is evicted or damaged is then not all of a long text. */
const FILE_BYTES = 2 ** 28;
const FILE_PAGES = 256;
const MAX_WAITING_TEXTS = 8;

export interface DiskCacheSettings extends KeptFilesSettings {
  /** All that decides the bytes of pages, but for salt and tokens. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** What the model is called, for people. */
  readonly model: string;
  /** Is told what is wrong with a file, or with the disk. Default: nobody is. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** A text that is to be written. */
interface Job {
  readonly tokens: readonly number[];
  /** Holds them; of whoever has the job. */
  readonly sequence: Sequence;
  readonly salt: string;
}

export class DiskCache implements PageStore {
  readonly #files: KeptFiles;
  readonly #settings: DiskCacheSettings;
  readonly #waiting: Job[] = [];
  /** Ends when nothing is left to be written. */
  #writing: Promise<void> | undefined;
  /** Files that were told of and could not be removed. */
  readonly #distrusted = new Set<string>();
  #isRefused = false;
  readonly #end = new AbortController();
  readonly #counts = {
    restoredPages: 0,
    restoredBytes: 0,
    restoreSeconds: 0,
    writtenPages: 0,
    writtenBytes: 0,
    droppedTexts: 0,
    ignoredFiles: 0,
  };

  constructor(settings: DiskCacheSettings) {
    this.#files = new KeptFiles(settings, PAGES);
    this.#settings = settings;
  }

  async restore(
    sequence: Sequence,
    tokens: readonly number[],
    salt: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    const began = performance.now();
    const runs = await this.#find(tokens, salt);
    let held = tokens.slice(0, sequence.length);
    for (const [i, run] of runs.entries()) {
      signal?.throwIfAborted();
      const isLast = i === runs.length - 1;
      const pages = run.pages + (isLast && run.more > 0 ? 1 : 0);
      const start = run.first * PAGE_POSITIONS;
      const end = start + pages * PAGE_POSITIONS;
      if (end <= sequence.length) continue;
      if (!(await this.#import(sequence, run, end, signal))) break;
      held = [...tokens.slice(0, start), ...run.tokens.slice(0, end - start)];
    }
    await this.#files.touch(runs.map(({ name }) => name));
    this.#counts.restoreSeconds += (performance.now() - began) / 1000;
    return held;
  }

  keep(tokens: readonly number[], sequence: Sequence, salt: string): void {
    const whole = PAGE_POSITIONS * wholePages(Math.min(tokens.length, sequence.length));
    if (whole === 0) return;
    if (this.#waiting.length >= MAX_WAITING_TEXTS || this.#end.signal.aborted) {
      this.#counts.droppedTexts += 1;
      return;
    }
    const own = sequence.fork();
    own.truncate(whole);
    this.#waiting.push({ tokens: tokens.slice(0, whole), sequence: own, salt });
    this.#writing ??= this.#writeAll();
  }

  dropWaiting(): void {
    for (const { sequence } of this.#waiting) sequence.dispose();
    this.#counts.droppedTexts += this.#waiting.length;
    this.#waiting.length = 0;
  }

  async flush(): Promise<boolean> {
    const isWriting = this.#writing !== undefined;
    await this.#writing;
    return isWriting;
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.dropWaiting();
    await this.#writing;
  }

  stats(): PageStoreStats {
    const waitingTexts = this.#waiting.length;
    return { ...this.#counts, waitingTexts };
  }

  #find(tokens: readonly number[], salt: string): Promise<Run[]> {
    const root = this.#rootOf(salt);
    return findRuns(this.#files, root, tokens, (name, error) => this.#distrust(name, error));
  }

  #rootOf(salt: string): Uint8Array {
    return rootKey(JSON.stringify(this.#settings.identity), salt);
  }

  /** Continues `sequence` up to `end` with pages of `run`; false if these are not to be had. */
  async #import(
    sequence: Sequence,
    { name, first }: Run,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const from = sequence.length;
    try {
      const file = await PagesFile.open(this.#files.path(name));
      try {
        await sequence.importPages(end, pages =>
          file.read(from / PAGE_POSITIONS - first, pages, signal),
        );
      } finally {
        await file.close();
      }
    } catch (error) {
      signal?.throwIfAborted();
      await this.#distrust(name, error);
      return false;
    }
    const pages = (end - from) / PAGE_POSITIONS;
    this.#counts.restoredPages += pages;
    this.#counts.restoredBytes += pages * sequence.pageBytes;
    return true;
  }

  /**
   * Sees to a file that cannot be read, or is not what was written, and throws what is no fault of
   * the file. That it is gone is none: whoever shares the directory evicts, too.
   */
  async #distrust(name: string, error: unknown): Promise<void> {
    const isOfFile =
      error instanceof LlamaError && ['BAD_CHECKPOINT', 'NOT_FOUND'].includes(error.code);
    if (!isOfFile) throw error;
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return;
    if (this.#distrusted.has(name)) return;
    this.#counts.ignoredFiles += 1;
    const isRemoved = error.code === 'BAD_CHECKPOINT' && (await this.#files.remove(name));
    if (!isRemoved) this.#distrusted.add(name);
    const what = isRemoved ? 'it was removed' : 'it is ignored';
    this.#warn(`${error.message}; ${what}, and what it had is computed again`);
  }

  async #writeAll(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      try {
        this.#tell(await this.#write(job));
      } catch (error) {
        if (this.#end.signal.aborted) this.#counts.droppedTexts += 1;
        else this.#warn(`pages are not kept on the disk: ${(error as Error).message}`);
      } finally {
        job.sequence.dispose();
      }
    }
    this.#writing = undefined;
  }

  /** Writes what there is not of a text. Returns why that cannot be, or undefined. */
  async #write({ tokens, sequence, salt }: Job): Promise<string | undefined> {
    const runs = await this.#find(tokens, salt);
    const names = runs.map(({ name }) => name);
    await this.#files.touch(names); // its beginning must not be what goes
    const keys = keysOf(this.#rootOf(salt), tokens);
    let bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
    let first = runs.reduce((sum, { pages }) => sum + pages, 0);
    const { signal } = this.#end;
    while (first < keys.length - 1) {
      signal.throwIfAborted();
      const end = Math.min(keys.length - 1, first + this.#pagesOfFile(sequence.pageBytes));
      const [from, to] = [first * PAGE_POSITIONS, end * PAGE_POSITIONS];
      const head = this.#headOf(keys[first], tokens.slice(from, to), from, sequence.pageBytes);
      const fileBytes = pagesFileBytes(head);
      bytes += fileBytes;
      if (bytes > this.#files.maxBytes) break; // its end would cost it its beginning
      const name = nameOf(keys[first + 1], keys[end]);
      const chunks = pagesFileChunks(head, sequence.exportPages(from, to), signal);
      const reason =
        (await this.#files.makeRoom(fileBytes)) ?? (await this.#files.write(name, chunks));
      if (reason !== undefined) return reason;
      this.#counts.writtenPages += end - first;
      this.#counts.writtenBytes += fileBytes;
      names.push(name);
      first = end;
    }
    await this.#files.touch(names);
    return undefined;
  }

  #pagesOfFile(pageBytes: number): number {
    const bytes = Math.min(FILE_BYTES, this.#files.maxBytes / 8);
    return Math.max(1, Math.min(FILE_PAGES, Math.floor(bytes / pageBytes)));
  }

  #headOf(
    before: Uint8Array,
    tokens: readonly number[],
    position: number,
    pageBytes: number,
  ): PagesHead {
    const { model, identity } = this.#settings;
    return { before, tokens, pageBytes, about: { model, position, ...identity } };
  }

  /** Of a disk that refuses, once, until it takes something again. */
  #tell(reason: string | undefined): void {
    if (reason !== undefined && !this.#isRefused)
      this.#warn(`pages are not kept on the disk: ${reason}`);
    this.#isRefused = reason !== undefined;
  }

  #warn(text: string): void {
    this.#settings.onWarning?.(text);
  }
}
