/** Text from stdin or a file, whole: UTF-8, and no longer than 64 MiB. */
import type { Readable } from 'node:stream';
import { showBytes } from '../../base/disk.js';
import { check, LlamaError } from '../../base/errors.js';
import type { Io } from './io.js';

/**
 * In bytes. A context of 32,768 tokens has room for half a megabyte, as Llama's longest piece has
 * 16 characters; a list of ids as long has 10 million.
 */
export const LONGEST_INPUT = 2 ** 26;

/**
 * All of stdin, as it is, the newline at its end included. Throws BAD_INPUT if it is not UTF-8, or
 * as soon as it is longer than 64 MiB: it may never end.
 */
export const readStdin = (io: Io): Promise<string> => readText(io.stdin, 'stdin');

/** The same of any stream, which is called `name` in messages. */
export async function readText(stream: Readable, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    check(bytes <= LONGEST_INPUT, 'BAD_INPUT', () => {
      return (
        `what comes from ${name} is longer than ${showBytes(LONGEST_INPUT)}, the most that is ` +
        'read; give it in parts'
      );
    });
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return decoder.decode(Buffer.concat(chunks));
  } catch (error) {
    const next = 'convert it first, with iconv for instance';
    throw new LlamaError('BAD_INPUT', `what comes from ${name} is not UTF-8; ${next}`, {
      cause: error,
    });
  }
}
