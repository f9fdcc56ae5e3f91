/** The disk that a model is written to: what it refuses, and files that get through to it. */

import { checkSpace, onDisk, type Purpose, writeThrough } from '../base/disk.js';
import type { Chunks } from '../files/chunks.js';

/** Of a model, or of a file with what was asked about one. */
export const WRITE: Purpose = {
  code: 'WRITE_FAILED',
  verb: 'write',
  use: 'write',
  advice: 'free some, or write to another disk',
};

/** What `act` returns; what the system refuses is a WRITE_FAILED that names `path`. */
export const onWritten = <T>(path: string, act: () => Promise<T>): Promise<T> =>
  onDisk(path, WRITE, act);

/** Throws WRITE_FAILED unless there is room for `bytes` in `directory`. */
export const checkWritingSpace = (directory: string, bytes: number): Promise<void> =>
  checkSpace(directory, bytes, WRITE);

/** Writes a new file, through to the disk: see `writeThrough` in `src/base/disk.ts`. */
export const writeFlushed = (path: string, chunks: Chunks): Promise<void> =>
  writeThrough(path, chunks, WRITE);
