/**
 * Where the central directory of a zip archive is. That is told at the end of the file (PKWARE,
 * APPNOTE.TXT 6.3.10, 4.3.14 to 4.3.16), and everything must follow on everything:
 *
 *     central directory | ZIP64 end record, its locator | end record | comment
 *
 * The two of ZIP64 are there if sizes need them, and always in PyTorch's files.
 */

import type { ByteSource } from '../source.js';
import { bad, checkOneDisk, FULL_16, FULL_32, readUint64 } from './zip-fields.js';

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = 56;
const MAX_COMMENT_BYTES = 0xffff;

const END_SIGNATURE = 0x06054b50; // "PK", 5, 6
const LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_END_SIGNATURE = 0x06064b50;

export interface Directory {
  readonly entries: number;
  readonly offset: number;
  readonly size: number;
}

/**
 * @throws {LlamaError} BAD_CHECKPOINT if the file is no zip archive, is cut off, or its end
 * contradicts itself.
 */
export async function findDirectory(source: ByteSource): Promise<Directory> {
  const { name } = source;
  const tailBytes = Math.min(
    source.size,
    ZIP64_END_BYTES + LOCATOR_BYTES + END_BYTES + MAX_COMMENT_BYTES,
  );
  const tail = new DataView(new ArrayBuffer(tailBytes));
  await source.readInto(source.size - tailBytes, new Uint8Array(tail.buffer));

  const end = findEnd(tail);
  bad(
    end !== undefined,
    () => `${name}: there is no end of a zip archive in it; it is cut off: fetch it again`,
  );
  let directory = parseEnd(tail, end, name);
  let directoryEnd = source.size - tailBytes + end;
  const locator = end - LOCATOR_BYTES;
  if (locator >= 0 && tail.getUint32(locator, true) === LOCATOR_SIGNATURE) {
    directoryEnd -= LOCATOR_BYTES + ZIP64_END_BYTES;
    checkLocator(tail, locator, directoryEnd, name);
    directory = parseZip64End(tail, locator - ZIP64_END_BYTES, directory, name);
  }
  bad(
    directory.offset + directory.size === directoryEnd,
    () =>
      `${name}: the central directory is said to be ${directory.size} bytes at ` +
      `${directory.offset}, but it must end at byte ${directoryEnd}; fetch the file again`,
  );
  return directory;
}

/** The last end record whose comment reaches exactly to the end of the file. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    const isEnd = tail.getUint32(at, true) === END_SIGNATURE;
    if (isEnd && at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return undefined;
}

function parseEnd(tail: DataView, at: number, name: string): Directory {
  const [disk, directoryDisk, here, entries] = [4, 6, 8, 10].map(field =>
    tail.getUint16(at + field, true),
  );
  checkOneDisk(disk === 0 && directoryDisk === 0 && here === entries, name);
  return { entries, size: tail.getUint32(at + 12, true), offset: tail.getUint32(at + 16, true) };
}

function checkLocator(tail: DataView, at: number, expected: number, name: string): void {
  checkOneDisk(tail.getUint32(at + 4, true) === 0 && tail.getUint32(at + 16, true) === 1, name);
  const offset = readUint64(tail, at + 8, name);
  bad(
    offset === expected,
    () => `${name}: the ZIP64 end record is said to be at ${offset}, it must be at ${expected}`,
  );
}

/** What the ZIP64 end record says; `end`, where its fields are large enough, must say the same. */
function parseZip64End(tail: DataView, at: number, end: Directory, name: string): Directory {
  bad(
    tail.getUint32(at, true) === ZIP64_END_SIGNATURE &&
      readUint64(tail, at + 4, name) === ZIP64_END_BYTES - 12,
    () => `${name}: there is no ZIP64 end record of ${ZIP64_END_BYTES} bytes before its locator`,
  );
  const [here, entries, size, offset] = [24, 32, 40, 48].map(field =>
    readUint64(tail, at + field, name),
  );
  const disks = [16, 20].map(field => tail.getUint32(at + field, true));
  checkOneDisk(disks.every(disk => disk === 0) && here === entries, name);
  const agrees =
    (end.entries === FULL_16 || end.entries === entries) &&
    (end.size === FULL_32 || end.size === size) &&
    (end.offset === FULL_32 || end.offset === offset);
  bad(agrees, () => `${name}: the ZIP64 end record contradicts the end record`);
  return { entries, size, offset };
}
