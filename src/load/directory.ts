/** The files of a model's directory, and errors that say which of them they are about. */
import { readdir } from 'node:fs/promises';
import { LlamaError } from '../base/errors.js';
import { reason } from '../files/file.js';

/** Names of what is in the directory `path`. Throws NOT_FOUND if it cannot be opened. */
export async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    throw new LlamaError('NOT_FOUND', `cannot open the model directory ${path}: ${reason(error)}`, {
      cause: error,
    });
  }
}

/** What `read` returns; the name of the file is put in front of what it finds wrong. */
export function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof LlamaError
      ? new LlamaError(error.code, `${path}: ${error.message}`, { cause: error })
      : error;
  }
}
