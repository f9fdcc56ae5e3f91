/** What can go wrong with the disk that a download is written to, as `LlamaError`. */
import { stat } from 'node:fs/promises';
import { freeBytes, isDiskFull, showBytes } from '../base/disk.js';
import { check, LlamaError } from '../base/errors.js';
import { reason } from '../files/file.js';

const ELSEWHERE = 'free some, or set HF_HUB_CACHE to a directory on another disk';

/** What `act` returns; what the system refuses is a DOWNLOAD_FAILED that names `path`. */
export async function onDisk<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const message = isDiskFull(error)
      ? `the disk is full: ${path}; what came is kept: ${ELSEWHERE}, and start again`
      : `cannot use ${path}: ${reason(error)}`;
    throw new LlamaError('DOWNLOAD_FAILED', message, { cause: error });
  }
}

/**
 * Throws DOWNLOAD_FAILED if there is no room for `bytes` more in `directory`. Not a promise: others
 * write too.
 */
export async function checkSpace(directory: string, bytes: number): Promise<void> {
  const free = await freeBytes(directory);
  check(bytes <= free, 'DOWNLOAD_FAILED', () => {
    return (
      `there are ${showBytes(bytes)} to download, but only ${showBytes(free)} free in ` +
      `${directory}; ${ELSEWHERE}`
    );
  });
}

/** Of the file at `path`; undefined if there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const status = await stat(path).catch(() => undefined);
  return status?.isFile() ? status.size : undefined;
}
