/**
 * A lock among processes, so that two do not download the same file: a file that only one can
 * create, and which its owner touches every few seconds. One that nobody touched for longer was
 * left by a process that ended without cleaning up.
 *
 * Should two get in all the same, because a computer slept for instance, both write the same bytes
 * at the same places; nothing becomes a blob before its checksum was compared.
 */
import { rm, stat, utimes, writeFile } from 'node:fs/promises';
import { inCache } from './cache-disk.js';
import { timer } from './retry.js';
import type { DownloadOptions } from './settings.js';

const TOUCHED_EVERY_MS = 5_000;
const STALE_AFTER_MS = 30_000;
const ASKED_EVERY_MS = 1_000;

/** What `work` returns, done while nobody else holds the lock at `path`. */
export async function withLock<T>(
  path: string,
  { signal, sleep = timer }: Pick<DownloadOptions, 'signal' | 'sleep'>,
  work: () => Promise<T>,
): Promise<T> {
  while (!(await inCache(path, () => acquire(path)))) {
    await sleep(ASKED_EVERY_MS, signal);
    signal?.throwIfAborted();
  }
  const touch = () => utimes(path, new Date(), new Date()).catch(() => {}); // taken away: see above
  const timerOfTouches = setInterval(touch, TOUCHED_EVERY_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(timerOfTouches);
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    await writeFile(path, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const status = await stat(path).catch(() => undefined);
  const isStale = status !== undefined && Date.now() - status.mtimeMs > STALE_AFTER_MS;
  if (isStale) await rm(path, { force: true });
  return false;
}
