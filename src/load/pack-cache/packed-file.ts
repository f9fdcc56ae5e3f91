/**
 * A file of packed weights: a `CheckedFile` whose parts are the weights, and whose head is
 * "llama-32k packed", then the SHA-256 of what decides which bytes these are; zeros.
 */
import { check } from '../../base/errors.js';
import {
  CheckedFile,
  checkedFileBytes,
  checkedFileChunks,
  type FileHooks,
  HEAD_UNIT,
} from '../kept-files/checked-file.js';

const MAGIC = 'llama-32k packed';

/** How long the file of `parts` is. */
export function packedFileBytes(parts: readonly Uint8Array[]): number {
  return checkedFileBytes(HEAD_UNIT, lengthsOf(parts));
}

/** The bytes of the file, in pieces, for whoever writes it. */
export function packedFileChunks(
  digest: Uint8Array,
  parts: readonly Uint8Array[],
  hooks: FileHooks,
): AsyncGenerator<Uint8Array> {
  const whole = parts.map(part => [part]);
  return checkedFileChunks(headOf(digest), whole, hooks);
}

/**
 * Fills `parts` from the file at `path`.
 * @throws {LlamaError} BAD_CHECKPOINT unless every byte of it is what was written for `digest`;
 * NOT_FOUND if it cannot be read. What is in `parts` then is anything.
 */
export async function readPackedFile(
  path: string,
  digest: Uint8Array,
  parts: readonly Uint8Array[],
  hooks: FileHooks,
): Promise<void> {
  const file = await CheckedFile.open(path);
  try {
    await checkHead(file, digest, parts);
    const wanted = parts.map((bytes, part) => ({ part, begin: 0, into: [bytes] }));
    await file.readParts(wanted, hooks);
  } finally {
    await file.close();
  }
}

async function checkHead(
  file: CheckedFile,
  digest: Uint8Array,
  parts: readonly Uint8Array[],
): Promise<void> {
  const expected = packedFileBytes(parts);
  check(file.size === expected, 'BAD_CHECKPOINT', () => {
    return `${file.path} has ${file.size} bytes, not ${expected}`;
  });
  const head = await file.readHead(HEAD_UNIT);
  check(Buffer.compare(head, headOf(digest)) === 0, 'BAD_CHECKPOINT', () => {
    return `${file.path} does not begin as the file of these weights does`;
  });
  await file.checkHead(head, lengthsOf(parts));
}

const lengthsOf = (parts: readonly Uint8Array[]): number[] => parts.map(({ length }) => length);

function headOf(digest: Uint8Array): Uint8Array {
  const head = new Uint8Array(HEAD_UNIT);
  head.set(new TextEncoder().encode(MAGIC));
  head.set(digest, MAGIC.length);
  return head;
}
