/**
 * Where a model is written to: one GGUF file, or a directory of files, which is there in the end as
 * a whole or not at all.
 */

import { mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { check } from '../base/errors.js';
import type { Chunks } from '../files/chunks.js';
import { atomically, checkSpace, flushDirectory, writeFlushed } from './disk.js';

export interface OutputFile {
  readonly name: string;
  readonly bytes: number;
  readonly chunks: Chunks;
}

export interface WriteHooks {
  readonly signal?: AbortSignal | undefined;
  /** Bytes written, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export const isGgufPath = (path: string): boolean => resolve(path).endsWith('.gguf');

/**
 * Before anything is read: may `output` be written, and is it not the model at `source` itself?
 * @param force whether a file that is there may be replaced; a directory never is, unless it is
 * empty
 * @throws {LlamaError} BAD_OPTION or NOT_FOUND, saying what to do about it.
 */
export async function checkOutput(output: string, source: string, force: boolean): Promise<void> {
  const parent = dirname(resolve(output));
  const isThere = (await stat(parent).catch(() => undefined))?.isDirectory();
  check(
    isThere === true,
    'NOT_FOUND',
    () => `there is no directory ${parent} to write into; make it first`,
  );
  const present = await stat(output).catch(() => undefined);
  if (present === undefined) return;
  const isSource =
    wholeOf(await realpath(output)) === wholeOf(await realpath(source).catch(() => ''));
  check(
    !isSource,
    'BAD_OPTION',
    () => `${output} is the model that is read, or a part of it; give another name`,
  );
  if (isGgufPath(output)) {
    check(
      present.isFile(),
      'BAD_OPTION',
      () => `${output} is there, and is not a file; give another name`,
    );
    check(
      force,
      'BAD_OPTION',
      () => `${output} is there already; give another name, or force to replace it`,
    );
    return;
  }
  check(present.isDirectory(), 'BAD_OPTION', () => {
    return (
      `${output} is a file, and what is written is a directory; for a GGUF file give a name ` +
      'that ends in .gguf'
    );
  });
  check((await readdir(output)).length === 0, 'BAD_OPTION', () => {
    return `the directory ${output} is not empty; give another name, or remove what is in it`;
  });
}

/** The same for all parts of a split GGUF file. */
const wholeOf = (path: string): string => path.replace(/-\d{5}-of-\d{5}\.gguf$/, '');

/** A small file. */
export function fileWith(name: string, bytes: Uint8Array): OutputFile {
  return { name, bytes: bytes.length, chunks: [bytes] };
}

/**
 * A file whose first chunk is made now, so that its size is known; the others when it is written.
 */
export async function fileOf(
  name: string,
  chunks: AsyncGenerator<Uint8Array>,
  dataBytes: number,
): Promise<OutputFile> {
  const { value: header } = await chunks.next();
  async function* all() {
    yield header;
    yield* chunks;
  }
  return { name, bytes: header.length + dataBytes, chunks: all() };
}

/**
 * Writes `files` into the new directory `output`, or, if its name says that it is a GGUF file, the
 * one file to it.
 * @throws {LlamaError} WRITE_FAILED if there is no room or the system refuses; what `files` throw;
 * the reason of an abort.
 */
export async function writeOutput(
  output: string,
  files: readonly OutputFile[],
  hooks: WriteHooks,
): Promise<void> {
  const path = resolve(output);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  await checkSpace(dirname(path), total);
  let done = 0;
  async function* watched(chunks: Chunks) {
    for await (const chunk of chunks) {
      hooks.signal?.throwIfAborted();
      yield chunk;
      done += chunk.length;
      hooks.onProgress?.(done, total);
    }
    hooks.signal?.throwIfAborted();
  }
  await atomically(path, async temporary => {
    if (isGgufPath(path)) return writeFlushed(temporary, watched(files[0].chunks));
    await mkdir(temporary);
    for (const { name, chunks } of files)
      await writeFlushed(join(temporary, name), watched(chunks));
    await flushDirectory(temporary);
  });
}
