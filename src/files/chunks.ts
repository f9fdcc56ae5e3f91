/** The bytes of a tensor that is being written, in pieces. */

import { check } from '../base/errors.js';

/** In pieces of any size; asked for only when it is this tensor's turn. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * `chunks` as they are.
 * @throws {LlamaError} BAD_CHECKPOINT in the end if they are not `expected` bytes, which `what`
 * takes.
 */
export async function* checkChunks(
  chunks: Chunks,
  expected: number,
  what: string,
): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of chunks) {
    written += chunk.length;
    if (written > expected) break;
    yield chunk;
  }
  check(
    written === expected,
    'BAD_CHECKPOINT',
    () => `${what} takes ${expected} bytes, its chunks are ${written} or more`,
  );
}
