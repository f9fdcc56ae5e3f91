/**
 * What whoever writes asks a disk, what is said when it refuses, and numbers of bytes for people.
 */
import { open, statfs, writeFile } from 'node:fs/promises';
import { check, LlamaError, type LlamaErrorCode } from './errors.js';

/** On whose behalf the disk is asked: what its refusals are called, and what can be done then. */
export interface Purpose {
  readonly code: LlamaErrorCode;
  /** As in "there are 3 GB to write". */
  readonly verb: string;
  /** Completes the sentence "cannot … PATH". */
  readonly use: string;
  /** The next step when there is no room. */
  readonly advice: string;
}

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

/**
 * Throws the purpose's code if there is no room for `bytes` more in `directory`. Not a promise:
 * others write too.
 */
export async function checkSpace(
  directory: string,
  bytes: number,
  { code, verb, advice }: Purpose,
): Promise<void> {
  const free = await freeBytes(directory);
  check(bytes <= free, code, () => {
    const [needed, there] = [showBytes(bytes), showBytes(free)];
    return `there are ${needed} to ${verb}, but only ${there} free in ${directory}; ${advice}`;
  });
}

/**
 * What `act` returns; what the system refuses, and nothing else, is thrown as a `LlamaError` of the
 * purpose's code that names `path`.
 */
export async function onDisk<T>(
  path: string,
  { code, use, advice }: Purpose,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof LlamaError || !isSystemError(error)) throw error;
    const message = isDiskFull(error)
      ? `the disk is full: ${path}; ${advice}`
      : `cannot ${use} ${path}: ${error.message}`;
    throw new LlamaError(code, message, { cause: error });
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined;

/**
 * Writes a new file, through to the disk. What iterating `chunks` throws is thrown as it is;
 * nothing is read ahead. What the system refuses has the purpose's code.
 */
export async function writeThrough(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  purpose: Purpose,
): Promise<void> {
  await onDisk(path, purpose, async () => {
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

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** 999 bytes, 13.5 GB: three digits, and units of 1,000 as disks and hubs have them. */
export function showBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 999.5 && unit < UNITS.length - 1; unit++) size /= 1000;
  return `${unit === 0 || size >= 999.5 ? Math.round(size) : size.toPrecision(3)} ${UNITS[unit]}`;
}
