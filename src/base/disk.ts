/** What whoever writes asks a disk, and numbers of bytes for people. */
import { statfs } from 'node:fs/promises';

/** Bytes that `directory` has room for; Infinity where the system cannot tell. */
export async function freeBytes(directory: string): Promise<number> {
  const status = await statfs(directory).catch(() => undefined);
  return status === undefined ? Infinity : status.bavail * status.bsize;
}

/**
 * Whether a system call failed for want of room: on the disk, or in what the user may use of it.
 */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** 999 bytes, 13.5 GB: three digits, and units of 1,000 as disks and hubs have them. */
export function showBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 999.5 && unit < UNITS.length - 1; unit++) size /= 1000;
  return `${unit === 0 || size >= 999.5 ? Math.round(size) : size.toPrecision(3)} ${UNITS[unit]}`;
}
