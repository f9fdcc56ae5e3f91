/** The disk that a model is written to: what it refuses, and files that get through to it. */

import { open, writeFile } from 'node:fs/promises';
import { checkSpace, onDisk, type Purpose } from '../base/disk.js';
import type { Chunks } from '../files/chunks.js';

const WRITE: Purpose = {
  code: 'WRITE_FAILED',
  verb: 'write',
  use: 'write',
  advice: 'free some, or write to another disk',
};

/** What `act` returns; what the system refuses is a WRITE_FAILED that names `path`. */
export const onWritten = <T>(path: string, act: () => Promise<T>): Promise<T> =>
  onDisk(path, WRITE, act);

/** Throws WRITE_FAILED unless there is room for `bytes` in `directory`. */
export const checkWritingSpace = (directory: string, bytes: number): Promise<void> =>
  checkSpace(directory, bytes, WRITE);

/**
 * Writes a new file, through to the disk. What iterating `chunks` throws is thrown as it is;
 * nothing is read ahead.
 */
export async function writeFlushed(path: string, chunks: Chunks): Promise<void> {
  await onWritten(path, async () => {
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
