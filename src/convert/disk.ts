/** Files that are complete or not there at all, and what the disk has against them. */

import { mkdtemp, open, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { freeBytes, isDiskFull, showBytes } from '../base/disk.js';
import { check, LlamaError } from '../base/errors.js';
import type { Chunks } from '../files/chunks.js';
import { reason } from '../files/file.js';

/**
 * What `write` writes, a file or a directory at the path it is given, becomes `output` in one step,
 * after it is done. If it throws, or the process ends before, there is nothing at `output`, or what
 * was there before.
 */
export async function atomically(
  output: string,
  write: (path: string) => Promise<void>,
): Promise<void> {
  // beside it: no renaming from disk to disk
  const temporary = await onDisk(output, () => mkdtemp(`${output}.partial-`));
  try {
    const path = join(temporary, basename(output));
    await write(path);
    await onDisk(output, async () => {
      // an empty directory, which not every system lets be replaced
      await rmdir(output).catch(() => {});
      await rename(path, output);
    });
    await flushDirectory(dirname(output));
  } finally {
    // what went wrong before is what matters
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * Writes a new file, through to the disk. What iterating `chunks` throws is thrown as it is;
 * nothing is read ahead.
 */
export async function writeFlushed(path: string, chunks: Chunks): Promise<void> {
  await onDisk(path, async () => {
    const handle = await open(path, 'wx');
    try {
      await writeFile(handle, chunks);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/**
 * The entries of a directory, through to the disk: without, a renamed file may be gone after a
 * power failure.
 */
export async function flushDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined); // Windows opens no directories
  await handle?.sync().catch(() => {}); // nor does every file system flush them
  await handle?.close();
}

/**
 * Throws WRITE_FAILED unless there is room for `bytes` in `directory`. Not a promise: others write
 * too.
 */
export async function checkSpace(directory: string, bytes: number): Promise<void> {
  const free = await freeBytes(directory);
  check(bytes <= free, 'WRITE_FAILED', () => {
    return (
      `there are ${showBytes(bytes)} to write, but only ${showBytes(free)} free in ` +
      `${directory}; free some, or write to another disk`
    );
  });
}

/** What `act` returns; what the system refuses is a WRITE_FAILED that names `path`. */
async function onDisk<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException;
    if (error instanceof LlamaError || syscall === undefined) throw error;
    throw new LlamaError(
      'WRITE_FAILED',
      isDiskFull(error)
        ? `the disk is full: ${path}; free some, or write to another disk`
        : `cannot write ${path}: ${reason(error)}`,
      { cause: error },
    );
  }
}
