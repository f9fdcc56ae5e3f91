/** The disk that the cache is on, and what it refuses a download. */
import { stat } from 'node:fs/promises';
import { checkSpace, onDisk, type Purpose } from '../base/disk.js';

const ELSEWHERE = 'free some, or set HF_HUB_CACHE to a directory on another disk';

const DOWNLOAD: Purpose = {
  code: 'DOWNLOAD_FAILED',
  verb: 'download',
  use: 'use',
  advice: `what came is kept: ${ELSEWHERE}, and start again`,
};

/** What `act` returns; what the system refuses is a DOWNLOAD_FAILED that names `path`. */
export const inCache = <T>(path: string, act: () => Promise<T>): Promise<T> =>
  onDisk(path, DOWNLOAD, act);

/** Throws DOWNLOAD_FAILED if there is no room for `bytes` more in `directory`. */
export const checkCacheSpace = (directory: string, bytes: number): Promise<void> =>
  checkSpace(directory, bytes, { ...DOWNLOAD, advice: ELSEWHERE });

/** Of the file at `path`; undefined if there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const status = await stat(path).catch(() => undefined);
  return status?.isFile() ? status.size : undefined;
}
