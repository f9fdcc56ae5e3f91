/**
 * Packed weights on a disk, for the next loading of the same model: a file for each model and
 * format, written as a whole or not at all. Whatever is wrong with it, or with the disk, is a note,
 * and the weights are packed from the model's own files.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { flushDirectory, onDisk, type Purpose, showBytes, writeThrough } from '../../base/disk.js';
import { LlamaError } from '../../base/errors.js';
import { withPartial } from '../../base/partial.js';
import type { LoadHooks } from '../../engines/wasm/workers/load-weights.js';
import type { PackedStore } from '../../engines/wasm/workers/place-weights.js';
import { isFile } from '../../files/file.js';
import { packedFileBytes, packedFileChunks, readPackedFile } from './packed-file.js';
import { makeRoom, PACKED } from './room.js';

/** Models below this load in a fraction of a second anyway. */
const MIN_BYTES = 1e8;

const KEEP: Purpose = {
  code: 'WRITE_FAILED',
  verb: 'keep',
  use: 'write',
  advice: 'free some, or set LLAMA_32K_CACHE to a directory on another disk',
};

export interface PackCacheSettings {
  readonly directory: string;
  /** Of all files together. */
  readonly maxBytes: number;
  /** Of this package: another one may read a model's files otherwise. */
  readonly version: string;
  readonly minBytes?: number;
}

export class PackCache implements PackedStore {
  /** What was written, and what went wrong: a sentence each. */
  readonly notes: string[] = [];
  readonly #minBytes: number;
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #version: string;

  constructor({ directory, maxBytes, version, minBytes = MIN_BYTES }: PackCacheSettings) {
    this.#minBytes = minBytes;
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#version = version;
  }

  wants(bytes: number, isComputed: boolean): boolean {
    return isComputed && bytes >= this.#minBytes;
  }

  async read(key: string, parts: readonly Uint8Array[], hooks: LoadHooks): Promise<boolean> {
    const digest = this.#digest(key);
    const path = this.#path(digest);
    if (!(await isFile(path))) return false;
    try {
      await readPackedFile(path, digest, parts, hooks);
    } catch (error) {
      hooks.signal?.throwIfAborted();
      if (!(error instanceof LlamaError)) throw error;
      for (const part of parts) part.fill(0);
      this.notes.push(`${error.message}; the weights were packed again`);
      return false;
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => {}); // on a disk that is only read
    return true;
  }

  async makeRoom(parts: readonly Uint8Array[]): Promise<boolean> {
    const directory = this.#directory;
    const bytes = packedFileBytes(parts);
    const reason = await refusal(() =>
      onDisk(directory, KEEP, async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 }); // a model may be private
        return makeRoom(directory, bytes, this.#maxBytes);
      }),
    );
    if (reason !== undefined) this.#noteNotKept(parts, reason);
    return reason === undefined;
  }

  async write(key: string, parts: readonly Uint8Array[], hooks: LoadHooks): Promise<void> {
    const digest = this.#digest(key);
    const directory = this.#directory;
    const reason = await refusal(async () => {
      await withPartial(directory, '', KEEP, async partial => {
        const file = join(partial, 'weights');
        await writeThrough(file, packedFileChunks(digest, parts, hooks), KEEP);
        await onDisk(directory, KEEP, () => rename(file, this.#path(digest)));
      });
      await flushDirectory(directory);
      return undefined;
    });
    if (reason !== undefined) {
      this.#noteNotKept(parts, reason);
      return;
    }
    const size = showBytes(packedFileBytes(parts));
    this.notes.push(
      `${size} of packed weights are now in ${directory}, from where the model loads faster the ` +
        'next time',
    );
  }

  #digest(key: string): Uint8Array {
    return createHash('sha256').update(`${this.#version}\n${key}`).digest();
  }

  #path(digest: Uint8Array): string {
    return join(this.#directory, `${Buffer.from(digest).toString('hex').slice(0, 32)}${PACKED}`);
  }

  #noteNotKept(parts: readonly Uint8Array[], reason: string): void {
    const size = showBytes(packedFileBytes(parts));
    this.notes.push(`${size} of packed weights are not kept: ${reason}`);
  }
}

/** Why `act` cannot be done: what it returns, or what the disk refuses; undefined if it is done. */
async function refusal(act: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof LlamaError && error.code === KEEP.code) return error.message;
    throw error;
  }
}
