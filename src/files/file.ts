/** Files of a disk, as byte sources or whole. */

import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { check, LlamaError, type LlamaErrorCode } from '../base/errors.js';
import { parseJson } from '../base/json.js';
import { identifyFile } from './file-identity.js';
import { type ByteSource, checkRange } from './source.js';

/** One read(2) moves at most 2^31 − 1 bytes, whatever it was asked for. */
const LARGEST_READ = 2 ** 30;

/**
 * Opens the file at `path` for reading; symbolic links, as the hub cache makes them, are followed.
 * @throws {LlamaError} NOT_FOUND if there is no such file, or it is something else, such as a
 * directory, or may not be read.
 */
export async function openFile(path: string): Promise<ByteSource> {
  const size = await fileSize(path);
  return new FileSource(path, size, await attempt(path, () => open(path, 'r')));
}

/** Configurations and indices have kilobytes, the largest vocabularies some ten megabytes. */
const MAX_WHOLE_BYTES = 100_000_000;
/** An index has one for each tensor. */
const MAX_JSON_VALUES = 1_000_000;

/**
 * All of a small file, of 100 MB at most.
 * @throws {LlamaError} UNSUPPORTED if it is larger, otherwise as `openFile`.
 */
export async function readWholeFile(path: string): Promise<Buffer> {
  const size = await fileSize(path);
  check(
    size <= MAX_WHOLE_BYTES,
    'UNSUPPORTED',
    () =>
      `${path} has ${size} bytes, and the limit for a file of its kind is ${MAX_WHOLE_BYTES}; is ` +
      'it another file?',
  );
  return attempt(path, () => readFile(path));
}

/**
 * The value in a JSON file of at most 100 MB and a million values.
 * @throws {LlamaError} `code` if it is not JSON or has more values, otherwise as `readWholeFile`.
 */
export async function readJson(path: string, code: LlamaErrorCode): Promise<unknown> {
  const text = (await readWholeFile(path)).toString('utf8');
  return parseJson(text, path, code, { maxValues: MAX_JSON_VALUES });
}

/** Whether there is a file at `path`, and not a directory or nothing. */
export async function isFile(path: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined);
  return status?.isFile() ?? false;
}

/**
 * Looks before anything is opened: to open a pipe would wait for its writer, for ever if there is
 * none.
 */
async function fileSize(path: string): Promise<number> {
  const status = await attempt(path, () => stat(path));
  check(status.isFile(), 'NOT_FOUND', () => {
    return (
      `cannot open ${path}: it is ` +
      `${status.isDirectory() ? 'a directory' : 'a pipe or a device'}, not a file`
    );
  });
  return status.size;
}

async function attempt<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new LlamaError('NOT_FOUND', `cannot open ${path}: ${reason(error)}`, { cause: error });
  }
}

class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;

  constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  async readInto(offset: number, target: Uint8Array): Promise<void> {
    checkRange(this, offset, target.length);
    let done = 0;
    while (done < target.length) {
      const got = await this.#readSome(offset + done, target.subarray(done, done + LARGEST_READ));
      if (got === 0) {
        throw new LlamaError(
          'BAD_CHECKPOINT',
          `${this.name}: ended at byte ${offset + done} though it had ${this.size} when it was ` +
            'opened; is it still being written?',
        );
      }
      done += got;
    }
  }

  async #readSome(offset: number, target: Uint8Array): Promise<number> {
    if (this.#handle.fd === -1)
      throw new LlamaError('DISPOSED', `${this.name} was closed and cannot be read any more`);
    try {
      return (await this.#handle.read(target, 0, target.length, offset)).bytesRead;
    } catch (error) {
      throw new LlamaError('NOT_FOUND', `cannot read ${this.name} at ${offset}: ${reason(error)}`, {
        cause: error,
      });
    }
  }

  identify(): Promise<string | undefined> {
    return identifyFile(this.#handle);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** What the system says, such as "ENOENT: no such file or directory, open …". */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
