/** What the readers of a zip archive's records share. All fields are little-endian. */

import { check } from '../../base/errors.js';

/**
 * A field of 16 or 32 bits that is too small for its number is all ones, and ZIP64 has the number.
 */
export const FULL_16 = 0xffff;
export const FULL_32 = 0xffffffff;

/** @param where what is read, for messages: the file, perhaps the entry */
export function readUint64(bytes: DataView, at: number, where: string): number {
  const value = bytes.getBigUint64(at, true);
  bad(
    value <= Number.MAX_SAFE_INTEGER,
    () => `${where}: a size or offset is ${value}, the limit is 2^53 − 1`,
  );
  return Number(value);
}

export function checkOneDisk(condition: boolean, where: string): void {
  bad(condition, () => `${where}: the archive is said to be on several disks`);
}

/** @throws {LlamaError} BAD_CHECKPOINT unless `condition` holds. */
export function bad(condition: boolean, message: () => string): asserts condition {
  check(condition, 'BAD_CHECKPOINT', message);
}
