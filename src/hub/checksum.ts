import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { RemoteFile } from './cache.js';
import { inCache } from './cache-disk.js';

const AT_ONCE = 2 ** 20;

/**
 * Whether the bytes of the disk are those of `file`. They are read back, not hashed as they come:
 * some may be of another day.
 *
 * Large files go by their SHA-256; those that are in git itself by git's name for them, the SHA-1
 * of a header and the content.
 */
export async function hasChecksum(
  handle: FileHandle,
  { path, size, etag }: RemoteFile,
  onBytes: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const hash =
    etag.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
  const buffer = Buffer.allocUnsafe(AT_ONCE);
  for (let done = 0; done < size; onBytes(done)) {
    signal?.throwIfAborted();
    const { bytesRead } = await inCache(path, () => handle.read(buffer, 0, buffer.length, done));
    if (bytesRead === 0) return false;
    hash.update(buffer.subarray(0, bytesRead));
    done += bytesRead;
  }
  return hash.digest('hex') === etag;
}
