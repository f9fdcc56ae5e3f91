/**
 * A file of packed weights. Numbers are unsigned, of 32 bits, little-endian.
 *
 *     0      "llama-32k packed", then the SHA-256 of what decides which bytes these are; zeros
 *     4096   the parts, one after the other
 *     …      CRC-32 of each piece: of at most 4 MiB of a part
 *            CRC-32 of all that is not parts, up to here
 *
 * A CRC-32 sees what disks and crashes do to a file, at 5 GB/s on one core: four times as fast as
 * the bytes come. It does not see forgery: who may write to the directory is trusted.
 */
import { crc32 } from 'node:zlib';
import { check } from '../../base/errors.js';
import { inParallel } from '../../base/parallel.js';
import type { LoadHooks } from '../../engines/wasm/workers/load-weights.js';
import { openFile } from '../../files/file.js';
import type { ByteSource } from '../../files/source.js';

const MAGIC = 'llama-32k packed';
/** A page: what begins at one is copied fastest. */
const HEAD_BYTES = 4096;
const PIECE_BYTES = 2 ** 22;
/** Node reads with four threads. */
const PIECES_AT_ONCE = 4;

/** How long the file of `parts` is. */
export function packedFileBytes(parts: readonly Uint8Array[]): number {
  return HEAD_BYTES + lengthOf(parts) + 4 * piecesOf(parts).length + 4;
}

/** The bytes of the file, in pieces, for whoever writes it. */
export async function* packedFileChunks(
  digest: Uint8Array,
  parts: readonly Uint8Array[],
  { signal, onProgress }: LoadHooks,
): AsyncGenerator<Uint8Array> {
  const head = headOf(digest);
  const pieces = piecesOf(parts);
  const total = lengthOf(parts);
  const checksums: number[] = [];
  yield head;
  for (const { bytes, begin } of pieces) {
    signal?.throwIfAborted();
    yield bytes;
    checksums.push(crc32(bytes));
    onProgress?.(begin - HEAD_BYTES + bytes.length, total);
  }
  signal?.throwIfAborted();
  yield tailOf(head, checksums);
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
  hooks: LoadHooks,
): Promise<void> {
  const source = await openFile(path);
  try {
    await readParts(source, await readChecksums(source, digest, parts), parts, hooks);
  } finally {
    await source.close();
  }
}

async function readParts(
  source: ByteSource,
  checksums: readonly number[],
  parts: readonly Uint8Array[],
  { signal, onProgress }: LoadHooks,
): Promise<void> {
  const total = lengthOf(parts);
  let done = 0;
  await inParallel(piecesOf(parts), PIECES_AT_ONCE, signal, async ({ bytes, begin, index }) => {
    await source.readInto(begin, bytes);
    check(crc32(bytes) === checksums[index], 'BAD_CHECKPOINT', () => {
      return `${source.name} is damaged between bytes ${begin} and ${begin + bytes.length}`;
    });
    done += bytes.length;
    onProgress?.(done, total);
  });
}

/** Of each piece. */
async function readChecksums(
  source: ByteSource,
  digest: Uint8Array,
  parts: readonly Uint8Array[],
): Promise<number[]> {
  const expected = packedFileBytes(parts);
  check(source.size === expected, 'BAD_CHECKPOINT', () => {
    return `${source.name} has ${source.size} bytes, not ${expected}`;
  });
  const head = new Uint8Array(HEAD_BYTES);
  await source.readInto(0, head);
  check(Buffer.compare(head, headOf(digest)) === 0, 'BAD_CHECKPOINT', () => {
    return `${source.name} does not begin as the file of these weights does`;
  });
  const begin = HEAD_BYTES + lengthOf(parts);
  const tail = new Uint8Array(expected - begin);
  await source.readInto(begin, tail);
  const view = new DataView(tail.buffer);
  const checksums = piecesOf(parts).map(({ index }) => view.getUint32(4 * index, true));
  check(Buffer.compare(tail, tailOf(head, checksums)) === 0, 'BAD_CHECKPOINT', () => {
    return `${source.name} is damaged after byte ${begin}`;
  });
  return checksums;
}

interface Piece {
  readonly index: number;
  /** Where in the file. */
  readonly begin: number;
  readonly bytes: Uint8Array;
}

function piecesOf(parts: readonly Uint8Array[]): Piece[] {
  const pieces: Piece[] = [];
  let begin = HEAD_BYTES;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE_BYTES) {
      const bytes = part.subarray(at, at + PIECE_BYTES);
      pieces.push({ index: pieces.length, begin, bytes });
      begin += bytes.length;
    }
  }
  return pieces;
}

const lengthOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0);

function headOf(digest: Uint8Array): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  head.set(new TextEncoder().encode(MAGIC));
  head.set(digest, MAGIC.length);
  return head;
}

function tailOf(head: Uint8Array, checksums: readonly number[]): Uint8Array {
  const tail = new Uint8Array(4 * checksums.length + 4);
  const view = new DataView(tail.buffer);
  for (const [i, checksum] of checksums.entries()) view.setUint32(4 * i, checksum, true);
  const own = crc32(tail.subarray(0, 4 * checksums.length), crc32(head));
  view.setUint32(4 * checksums.length, own, true);
  return tail;
}
