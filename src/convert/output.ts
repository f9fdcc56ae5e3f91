/**
 * A model written: one GGUF file, or a directory of files, which is there in the end as a whole or
 * not at all.
 */

import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { flushDirectory } from '../base/disk.js';
import { type Leftover, sweep, withPartial } from '../base/partial.js';
import type { Chunks } from '../files/chunks.js';
import { CONFIG } from '../load/model-files.js';
import { checkEmpty, type Destination, isThere } from './destination.js';
import { checkWritingSpace, onWritten, WRITE, writeFlushed } from './written-disk.js';

export interface OutputFile {
  readonly name: string;
  readonly bytes: number;
  readonly chunks: Chunks;
}

export interface WriteHooks {
  readonly signal?: AbortSignal | undefined;
  /** Bytes written, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Told of what an earlier conversion to the same output left, before this one writes. */
  readonly onLeftover?: ((leftover: Leftover) => void) | undefined;
}

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
 * Writes `files` to `destination`; of a GGUF file it is one. They are written beside it, or, where
 * the directory is there, in a directory in it: in any case to the same disk.
 *
 * @throws {LlamaError} WRITE_FAILED if there is no room or the system refuses; what `files` throw;
 * the reason of an abort. Then there is nothing at the destination, or what was there before.
 */
export async function writeOutput(
  destination: Destination,
  files: readonly OutputFile[],
  hooks: WriteHooks,
): Promise<void> {
  const { path, kind } = destination;
  const [directory, name] = kind === 'directory' ? [path, ''] : [dirname(path), basename(path)];
  for (const leftover of await sweep(directory, name)) hooks.onLeftover?.(leftover);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  await checkWritingSpace(directory, total);
  const watched = watch(hooks, total);
  await withPartial(directory, name, WRITE, async partial => {
    if (kind === 'file') await writeFile(partial, destination, watched(files[0].chunks));
    else if (kind === 'directory') {
      await writeAll(partial, files, watched);
      await moveAll(partial, path);
    } else {
      const whole = join(partial, name);
      await onWritten(path, () => mkdir(whole));
      await writeAll(whole, files, watched);
      await onWritten(path, () => rename(whole, path));
    }
  });
  await flushDirectory(directory);
}

type Watched = (chunks: Chunks) => Chunks;

/** Chunks that tell how far they are, and end when the signal is aborted. */
function watch({ signal, onProgress }: WriteHooks, total: number): Watched {
  let done = 0;
  return async function* (chunks) {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      yield chunk;
      done += chunk.length;
      onProgress?.(done, total);
    }
    signal?.throwIfAborted();
  };
}

async function writeFile(
  partial: string,
  { path, mode }: Destination,
  chunks: Chunks,
): Promise<void> {
  const file = join(partial, basename(path));
  await writeFlushed(file, chunks);
  if (mode === undefined) await refuseToReplace(path);
  else await onWritten(path, () => chmod(file, mode));
  await onWritten(path, () => rename(file, path));
}

/** It was not there when this began, and to replace it was not asked for. */
async function refuseToReplace(path: string): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present !== undefined) throw isThere(`${path} was made by somebody else meanwhile`);
}

async function writeAll(
  directory: string,
  files: readonly OutputFile[],
  watched: Watched,
): Promise<void> {
  for (const { name, chunks } of files) {
    const path = join(directory, name);
    await onWritten(path, () => mkdir(dirname(path), { recursive: true }));
    await writeFlushed(path, watched(chunks));
  }
  for (const folder of new Set(files.map(({ name }) => dirname(join(directory, name)))))
    await flushDirectory(folder);
}

/**
 * Moves what is in `from` into `to`; config.json last, without which a directory is no model. If
 * that fails, what was moved is removed again.
 */
async function moveAll(from: string, to: string): Promise<void> {
  await checkEmpty(to);
  const names = (await readdir(from)).filter(name => name !== CONFIG);
  const moved: string[] = [];
  try {
    for (const name of [...names, CONFIG]) {
      await onWritten(join(to, name), () => rename(join(from, name), join(to, name)));
      moved.push(name);
    }
  } catch (error) {
    for (const name of moved)
      await rm(join(to, name), { recursive: true, force: true }).catch(() => {});
    throw error;
  }
}
