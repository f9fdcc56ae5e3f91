/** Options that name a file to be read, or stdin. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { check, LlamaError } from '../../base/errors.js';
import { readStdin, readText } from '../terminal/input.js';
import type { Io } from '../terminal/io.js';
import type { Option, Options } from './options.js';

export const TOKENS_FILE: Option = {
  name: 'tokens-file',
  value: 'F',
  help:
    'A file of token ids, with commas, spaces or newlines between, or a JSON array; - reads ' +
    'stdin.',
};

/** The text of the file that the option `name` gives, which is there; of stdin for -. */
export const readInputFile = (options: Options, name: string, io: Io): Promise<string> =>
  readNamedFile(options.text(name)!, `--${name}`, io);

/**
 * The text of the file at `path`, which `what` gave; of stdin for -. A pipe, as of a shell's <(…),
 * is a file here, too.
 */
export async function readNamedFile(path: string, what: string, io: Io): Promise<string> {
  if (path === '-') return readStdin(io);
  const status = await stat(path).catch(() => undefined);
  const [isThere, isDirectory] = [status !== undefined, status?.isDirectory() === true];
  check(isThere, 'BAD_OPTION', () => `${what}: there is no ${path}`);
  check(!isDirectory, 'BAD_OPTION', () => `${what}: ${path} is a directory; name a file`);
  try {
    return await readText(createReadStream(path), path);
  } catch (error) {
    if (error instanceof LlamaError) throw error;
    const message = `${what}: cannot read ${path}: ${(error as Error).message}`;
    throw new LlamaError('BAD_OPTION', message, { cause: error });
  }
}
