/**
 * Packed weights on a disk, for the next loading of the same model: a file for each model and
 * format, written as a whole or not at all. Whatever is wrong with it, or with the disk, is a note,
 * and the weights are packed from the model's own files.
 */
import { createHash } from 'node:crypto';
import { showBytes } from '../../base/disk.js';
import { LlamaError } from '../../base/errors.js';
import type { LoadHooks } from '../../engines/wasm/workers/load-weights.js';
import type { PackedStore } from '../../engines/wasm/workers/place-weights.js';
import { isFile } from '../../files/file.js';
import { KeptFiles, type KeptFilesSettings, nameOfDigest } from '../kept-files/kept-files.js';
import { packedFileBytes, packedFileChunks, readPackedFile } from './packed-file.js';

/** Models below this load in a fraction of a second anyway. */
const MIN_BYTES = 1e8;

/** What the names of these files end in. */
const PACKED = '.packed';

export interface PackCacheSettings extends KeptFilesSettings {
  /** Of this package: another one may read a model's files otherwise. */
  readonly version: string;
  readonly minBytes?: number;
}

export class PackCache implements PackedStore {
  /** What was written, and what went wrong: a sentence each. */
  readonly notes: string[] = [];
  readonly #minBytes: number;
  readonly #files: KeptFiles;
  readonly #version: string;

  constructor({ version, minBytes = MIN_BYTES, ...settings }: PackCacheSettings) {
    this.#minBytes = minBytes;
    this.#files = new KeptFiles(settings, PACKED);
    this.#version = version;
  }

  wants(bytes: number, isComputed: boolean): boolean {
    return isComputed && bytes >= this.#minBytes;
  }

  async read(key: string, parts: readonly Uint8Array[], hooks: LoadHooks): Promise<boolean> {
    const digest = this.#digest(key);
    const name = nameOfDigest(digest);
    const path = this.#files.path(name);
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
    await this.#files.touch([name]);
    return true;
  }

  async makeRoom(parts: readonly Uint8Array[]): Promise<boolean> {
    const reason = await this.#files.makeRoom(packedFileBytes(parts));
    if (reason !== undefined) this.#noteNotKept(parts, reason);
    return reason === undefined;
  }

  async write(key: string, parts: readonly Uint8Array[], hooks: LoadHooks): Promise<void> {
    const digest = this.#digest(key);
    const chunks = packedFileChunks(digest, parts, hooks);
    const reason = await this.#files.write(nameOfDigest(digest), chunks);
    if (reason !== undefined) {
      this.#noteNotKept(parts, reason);
      return;
    }
    const size = showBytes(packedFileBytes(parts));
    this.notes.push(
      `${size} of packed weights are now in ${this.#files.directory}, from where the model loads ` +
        'faster the next time',
    );
  }

  #digest(key: string): Uint8Array {
    return createHash('sha256').update(`${this.#version}\n${key}`).digest();
  }

  #noteNotKept(parts: readonly Uint8Array[], reason: string): void {
    const size = showBytes(packedFileBytes(parts));
    this.notes.push(`${size} of packed weights are not kept: ${reason}`);
  }
}
