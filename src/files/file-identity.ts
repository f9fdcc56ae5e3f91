/**
 * What tells an open file from all others, and from itself after somebody wrote to it. To hash
 * 13 GB would take longer than what a cache could save, so it is what the file system knows, and a
 * hash of some of the bytes:
 *
 * - size, and the times of the last change of its bytes (mtime) and of anything about it (ctime),
 *   in nanoseconds. Programs can set mtime, as `touch`, `cp -p` and `rsync -t` do; the ctime they
 *   cannot, and every write moves it;
 * - the number of the inode: another file under the same name is another file;
 * - SHA-256 of the first MiB, which has the header of every format, and of 4 KiB at 32 places.
 *
 * It is asked of the open file, not of a path: the file that was opened is the one that is read.
 * Neither its path is in it, so that links and renamed folders find what was made of it, nor the
 * number of the device, which may be another one after every start.
 *
 * It cannot see what changes bytes and no time: writing to the disk below the file system, a file
 * system that does not keep ctime, a clock that was set back to the same nanosecond.
 */
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

const HEAD_BYTES = 2 ** 20;
const SAMPLES = 32;
const SAMPLE_BYTES = 4096;

/**
 * Two writes within one tick of the file system's clock have the same time: 4 ms on Linux, 2 s on
 * FAT. A file that was just written may be written once more without that showing.
 */
const SETTLED_AFTER_MS = 2_000;

/** Undefined if it was changed less than two seconds ago. */
export async function identifyFile(handle: FileHandle): Promise<string | undefined> {
  const { ino, size, mtimeNs, ctimeNs } = await handle.stat({ bigint: true });
  if (Date.now() - Number(ctimeNs / 1_000_000n) < SETTLED_AFTER_MS) return undefined;
  const sha256 = createHash('sha256').update([ino, size, mtimeNs, ctimeNs].join());
  await hashSamples(handle, sha256, Number(size));
  return sha256.digest('hex');
}

/** Adds what of a file's bytes is in its identity: the same for the same file elsewhere. */
export async function hashSamples(handle: FileHandle, hash: Hash, size: number): Promise<void> {
  await hashPart(handle, hash, 0, HEAD_BYTES);
  for (const offset of samplesOf(size)) await hashPart(handle, hash, offset, SAMPLE_BYTES);
}

/** Where samples are taken: evenly, the last at the end; none of a file that the head covers. */
function samplesOf(size: number): number[] {
  if (size <= HEAD_BYTES) return [];
  const last = size - SAMPLE_BYTES;
  return Array.from({ length: SAMPLES }, (_, i) => Math.floor((last * (i + 1)) / SAMPLES));
}

async function hashPart(
  handle: FileHandle,
  sha256: Hash,
  offset: number,
  bytes: number,
): Promise<void> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, offset);
  sha256.update(buffer.subarray(0, bytesRead));
}
