/**
 * Files that can be made again, in a directory of the user's caches: of at most so many bytes, each
 * written as a whole or not at all. Several processes may share the directory.
 */
import { mkdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { flushDirectory, onDisk, type Purpose, writeThrough } from '../../base/disk.js';
import { hasCode } from '../../base/errors.js';
import { withPartial } from '../../base/partial.js';
import { type Entry, entriesOf, makeRoom } from './room.js';

const KEEP: Purpose = {
  code: 'WRITE_FAILED',
  verb: 'keep',
  use: 'write',
  advice: 'free some, or set LLAMA_32K_CACHE to a directory on another disk',
};

/** For a file that is found by a SHA-256: enough of it that no two are ever the same. */
export const nameOfDigest = (digest: Uint8Array): string =>
  Buffer.from(digest).toString('hex').slice(0, 32);

export interface KeptFilesSettings {
  readonly directory: string;
  /** Of all files together. */
  readonly maxBytes: number;
}

export class KeptFiles {
  readonly directory: string;
  readonly maxBytes: number;
  /** What the names of these files end in; nothing else in the directory is counted or removed. */
  readonly #suffix: string;

  constructor({ directory, maxBytes }: KeptFilesSettings, suffix: string) {
    this.directory = directory;
    this.maxBytes = maxBytes;
    this.#suffix = suffix;
  }

  path(name: string): string {
    return join(this.directory, `${name}${this.#suffix}`);
  }

  /** All there are; what was used longest ago is first. */
  list(): Promise<Entry[]> {
    return entriesOf(this.directory, this.#suffix);
  }

  /**
   * Room for a file of `bytes` bytes: what was used longest ago goes. Returns why there is none, or
   * undefined.
   */
  makeRoom(bytes: number): Promise<string | undefined> {
    return refusal(() =>
      onDisk(this.directory, KEEP, async () => {
        await mkdir(this.directory, { recursive: true, mode: 0o700 }); // a model may be private
        return makeRoom(this.directory, this.#suffix, bytes, this.maxBytes);
      }),
    );
  }

  /** Writes a file, through to the disk. Returns why it cannot be kept, or undefined. */
  write(name: string, chunks: AsyncIterable<Uint8Array>): Promise<string | undefined> {
    return refusal(async () => {
      await withPartial(this.directory, '', KEEP, async partial => {
        const file = join(partial, 'whole');
        await writeThrough(file, chunks, KEEP);
        await onDisk(this.directory, KEEP, () => rename(file, this.path(name)));
      });
      await flushDirectory(this.directory);
      return undefined;
    });
  }

  /** Takes note that files were used, the first one last; not on a disk that is only read. */
  async touch(names: readonly string[]): Promise<void> {
    const now = Date.now();
    for (const [i, name] of names.entries()) {
      const when = new Date(now - i);
      await utimes(this.path(name), when, when).catch(() => {});
    }
  }

  /** Whether that succeeded. */
  remove(name: string): Promise<boolean> {
    return rm(this.path(name)).then(
      () => true,
      () => false,
    );
  }
}

/** Why `act` cannot be done: what it returns, or what the disk refuses; undefined if it is done. */
async function refusal(act: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await act();
  } catch (error) {
    if (hasCode(error, KEEP.code)) return error.message;
    throw error;
  }
}
