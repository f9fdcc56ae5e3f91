/**
 * One file of the hub into the cache. Its bytes are appended to `<blob>.incomplete`, which is
 * therefore always a beginning of the file: the next attempt, or the next run, asks for the rest.
 * It becomes the blob when it is complete and has the right checksum.
 */
import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LlamaError } from '../base/errors.js';
import { encodePath } from '../load/file-path.js';
import type { RemoteFile } from './cache.js';
import { inCache, sizeOf } from './cache-disk.js';
import { hasChecksum } from './checksum.js';
import { withLock } from './lock.js';
import { Part } from './part.js';
import type { Connection } from './request.js';
import { retry } from './retry.js';

/** Told how many bytes of the file are there, or are verified. */
export type OnBytes = (stage: 'download' | 'verify', done: number) => void;

/**
 * Makes the file at `blob`. When it fails or is aborted, what came is kept, unless it is wrong.
 * @throws {LlamaError} DOWNLOAD_FAILED, or what `request` throws.
 */
export async function downloadBlob(
  connection: Connection,
  commit: string,
  file: RemoteFile,
  blob: string,
  onBytes: OnBytes,
): Promise<void> {
  const incomplete = incompletePath(blob);
  await inCache(blob, () => mkdir(dirname(blob), { recursive: true }));
  await withLock(`${incomplete}.lock`, connection, async () => {
    const isThere = (await sizeOf(blob)) === file.size; // somebody else got it meanwhile
    if (!isThere) await complete(connection, commit, file, incomplete, onBytes);
    if (!isThere) await inCache(blob, () => rename(incomplete, blob));
    onBytes('verify', file.size);
  });
}

export const incompletePath = (blob: string): string => `${blob}.incomplete`;

async function complete(
  connection: Connection,
  commit: string,
  file: RemoteFile,
  incomplete: string,
  onBytes: OnBytes,
): Promise<void> {
  const { endpoint, repo, signal } = connection;
  const handle = await inCache(incomplete, () =>
    open(incomplete, constants.O_RDWR | constants.O_CREAT),
  );
  let isRight = false;
  try {
    const url = `${endpoint}/${repo}/resolve/${commit}/${encodePath(file.path)}`;
    const part = new Part(connection, url, file, { path: incomplete, handle }, bytes =>
      onBytes('download', bytes),
    );
    await retry(connection, () => part.fetchRest());
    isRight = await hasChecksum(handle, file, bytes => onBytes('verify', bytes), signal);
    if (isRight) await inCache(incomplete, () => handle.sync()); // it is not verified a second time
  } finally {
    await handle.close();
  }
  if (isRight) return;
  await inCache(incomplete, () => rm(incomplete, { force: true }));
  throw new LlamaError(
    'DOWNLOAD_FAILED',
    `${file.path}: the bytes that came do not have the checksum ${file.etag}; they were ` +
      'deleted, start again',
  );
}
