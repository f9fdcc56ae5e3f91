/**
 * A file whose bytes are checked whenever they are read. Numbers are unsigned, of 32 bits,
 * little-endian.
 *
 *     0      the head, of 4096 bytes or a multiple of it: what the file is
 *     …      the parts, one after the other
 *     …      CRC-32 of each piece: of at most 4 MiB of a part
 *            CRC-32 of all that is not parts, up to here
 *
 * A CRC-32 sees what disks and crashes do to a file, at 5 GB/s on one core: four times as fast as
 * the bytes come, and ten times as fast as SHA-256. It does not see forgery: who may write to the
 * directory is trusted.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { onDisk, type Purpose } from '../../base/disk.js';
import { check } from '../../base/errors.js';
import { inParallel } from '../../base/parallel.js';
import { sum } from '../../base/sum.js';

/** A page: what begins at one is copied fastest. Heads are multiples of it. */
export const HEAD_UNIT = 4096;
const PIECE_BYTES = 2 ** 22;
/** Node reads with four threads. */
const PIECES_AT_ONCE = 4;

/** The bytes of a part, in as many pieces as memory has it. */
export type Part = readonly Uint8Array[];

/** Who waits for a file. */
export interface FileHooks {
  readonly signal?: AbortSignal | undefined;
  /** How many bytes of the parts are done, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const READ: Purpose = {
  code: 'NOT_FOUND',
  verb: 'read',
  use: 'read',
  advice: 'look at the disk',
};

/** How long the file is. */
export function checkedFileBytes(headBytes: number, partLengths: readonly number[]): number {
  return headBytes + sum(partLengths) + 4 * piecesOf(partLengths).length + 4;
}

/** The bytes of the file, for whoever writes it. */
export async function* checkedFileChunks(
  head: Uint8Array,
  parts: readonly Part[],
  { signal, onProgress }: FileHooks = {},
): AsyncGenerator<Uint8Array> {
  const lengths = parts.map(lengthOf);
  const total = sum(lengths);
  const checksums: number[] = [];
  yield head;
  for (const { part, begin, end, offset } of piecesOf(lengths)) {
    signal?.throwIfAborted();
    const views = cut(parts[part], begin, end);
    yield* views;
    checksums.push(crcOf(views));
    onProgress?.(offset + end - begin, total);
  }
  signal?.throwIfAborted();
  yield tailOf(head, checksums);
}

/** Some bytes of a part, and where they are to go. */
export interface Wanted {
  readonly part: number;
  /** Where in the part they begin. */
  readonly begin: number;
  readonly into: Part;
}

/** An open file of this kind; what it says is wrong with it is BAD_CHECKPOINT. */
export class CheckedFile {
  readonly path: string;
  readonly size: number;
  readonly #handle: FileHandle;
  #pieces: readonly Piece[] = [];
  #checksums: readonly number[] = [];
  #headBytes = 0;

  /** Throws NOT_FOUND if it cannot be read. */
  static open(path: string): Promise<CheckedFile> {
    return onDisk(path, READ, async () => {
      const handle = await open(path, 'r');
      return new CheckedFile(path, (await handle.stat()).size, handle);
    });
  }

  private constructor(path: string, size: number, handle: FileHandle) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
  }

  /** The first `bytes` bytes, not checked yet. Throws if there are fewer. */
  async readHead(bytes: number): Promise<Uint8Array> {
    const head = new Uint8Array(bytes);
    await this.#readFully([head], 0);
    return head;
  }

  /**
   * Checks `head`, which says that the parts have these lengths, and all that is not parts; to be
   * called before `readParts`.
   */
  async checkHead(head: Uint8Array, partLengths: readonly number[]): Promise<void> {
    const expected = checkedFileBytes(head.length, partLengths);
    check(this.size === expected, 'BAD_CHECKPOINT', () => {
      return `${this.path} has ${this.size} bytes, not ${expected}`;
    });
    const begin = head.length + sum(partLengths);
    const tail = new Uint8Array(expected - begin);
    await this.#readFully([tail], begin);
    const view = new DataView(tail.buffer);
    this.#pieces = piecesOf(partLengths);
    this.#checksums = this.#pieces.map((_, i) => view.getUint32(4 * i, true));
    this.#headBytes = head.length;
    check(Buffer.compare(tail, tailOf(head, this.#checksums)) === 0, 'BAD_CHECKPOINT', () => {
      return `${this.path} is damaged before its parts, or after byte ${begin}`;
    });
  }

  /** Throws if any byte is not what was written; then anything may be where they were to go. */
  async readParts(
    wanted: readonly Wanted[],
    { signal, onProgress }: FileHooks = {},
  ): Promise<void> {
    const total = sum(wanted.map(({ into }) => lengthOf(into)));
    const jobs = wanted.flatMap(each => this.#piecesFor(each));
    let done = 0;
    await inParallel(jobs, PIECES_AT_ONCE, signal, async ({ piece, targets, wantedBytes }) => {
      const begin = this.#headBytes + piece.offset;
      await this.#readFully(targets, begin);
      check(crcOf(targets) === this.#checksums[piece.index], 'BAD_CHECKPOINT', () => {
        return `${this.path} is damaged between bytes ${begin} and ${begin + lengthOf(targets)}`;
      });
      done += wantedBytes;
      onProgress?.(done, total);
    });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** Whole pieces, as only these can be checked: what nobody wants of one goes nowhere. */
  #piecesFor({ part, begin, into }: Wanted) {
    const end = begin + lengthOf(into);
    const touched = this.#pieces.filter(
      piece => piece.part === part && piece.begin < end && piece.end > begin,
    );
    return touched.map(piece => {
      const [from, to] = [Math.max(begin, piece.begin), Math.min(end, piece.end)];
      const [before, after] = [from - piece.begin, piece.end - to];
      const targets = [
        new Uint8Array(before),
        ...cut(into, from - begin, to - begin),
        new Uint8Array(after),
      ].filter(({ length }) => length > 0);
      return { piece, targets, wantedBytes: to - from };
    });
  }

  async #readFully(targets: Part, offset: number): Promise<void> {
    const end = offset + lengthOf(targets);
    let at = offset;
    while (at < end) {
      const left = cut(targets, at - offset, end - offset);
      const { bytesRead } = await onDisk(this.path, READ, () => this.#handle.readv(left, at));
      check(bytesRead > 0, 'BAD_CHECKPOINT', () => `${this.path} ends at byte ${at}`);
      at += bytesRead;
    }
  }
}

/** Of a part: bytes `begin` … `end` − 1, which begin at `offset` of all parts together. */
interface Piece {
  readonly index: number;
  readonly part: number;
  readonly begin: number;
  readonly end: number;
  readonly offset: number;
}

function piecesOf(partLengths: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  let offset = 0;
  for (const [part, length] of partLengths.entries()) {
    for (let begin = 0; begin < length; begin += PIECE_BYTES) {
      const end = Math.min(length, begin + PIECE_BYTES);
      pieces.push({ index: pieces.length, part, begin, end, offset });
      offset += end - begin;
    }
  }
  return pieces;
}

const lengthOf = (part: Part): number => sum(part.map(({ length }) => length));

/** Bytes `begin` … `end` − 1 of a part. */
function cut(part: Part, begin: number, end: number): Uint8Array[] {
  const views: Uint8Array[] = [];
  let at = 0;
  for (const view of part) {
    const [from, to] = [Math.max(0, begin - at), Math.min(view.length, end - at)];
    if (from < to) views.push(view.subarray(from, to));
    at += view.length;
  }
  return views;
}

const crcOf = (views: Part): number => views.reduce((crc, view) => crc32(view, crc), 0);

function tailOf(head: Uint8Array, checksums: readonly number[]): Uint8Array {
  const tail = new Uint8Array(4 * checksums.length + 4);
  const view = new DataView(tail.buffer);
  for (const [i, checksum] of checksums.entries()) view.setUint32(4 * i, checksum, true);
  const own = crc32(tail.subarray(0, 4 * checksums.length), crc32(head));
  view.setUint32(4 * checksums.length, own, true);
  return tail;
}
