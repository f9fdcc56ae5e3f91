/**
 * A file of pages: a run of whole pages of one text, in a `CheckedFile`. Its head:
 *
 *     0      "llama-32k pages", a zero
 *     16     the version of this form
 *     20     the number of tokens
 *     24     the bytes of a page
 *     28     the bytes of the JSON
 *     32     the key before the first page, SHA-256
 *     64     the key of the last page
 *     96     the tokens, then the JSON: what is in the keys, for people; zeros up to a multiple
 *            of 4096
 *
 * Its only part are the pages. It is named by the keys of its first page and of its last one, so
 * that whoever knows a text finds the files that go on with it by their names.
 */

import { alignTo } from '../../base/align.js';
import { check } from '../../base/errors.js';
import { isObject, parseJson } from '../../base/json.js';
import { PAGE_POSITIONS, type PageParts } from '../../model/sequence.js';
import {
  CheckedFile,
  checkedFileBytes,
  checkedFileChunks,
  HEAD_UNIT,
} from '../kept-files/checked-file.js';
import { nameOfDigest } from '../kept-files/kept-files.js';
import { keysOf, tokenBytes } from './page-keys.js';

/** What the names of these files end in. */
export const PAGES = '.pages';

const MAGIC = 'llama-32k pages\0';
const VERSION = 1;
const TOKENS_AT = 96;
const KEY_BYTES = 32;
/** More than any file has that this program writes: what says more is no such file. */
const MAX_HEAD_BYTES = 2 ** 24;

/** What a file says of itself. */
export interface PagesHead {
  /** The key of all that is before the first page. */
  readonly before: Uint8Array;
  /** A multiple of 64. */
  readonly tokens: readonly number[];
  readonly pageBytes: number;
  /** What is in the key, and where in the text it is. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** The name of the file whose first and last pages have these keys. */
export const nameOf = (first: Uint8Array, last: Uint8Array): string =>
  `${startOfName(first)}-${nameOfDigest(last)}`;

/** What the names of all files begin with whose first page has this key. */
export const startOfName = nameOfDigest;

/** How long the file is. */
export function pagesFileBytes(head: PagesHead): number {
  return checkedFileBytes(encodeHead(head).length, [bodyBytesOf(head)]);
}

/** The bytes of the file, for whoever writes it. */
export function pagesFileChunks(
  head: PagesHead,
  pages: readonly PageParts[],
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  return checkedFileChunks(encodeHead(head), [pages.flat()], { signal });
}

/** A file that is open, and whose head was checked. */
export class PagesFile {
  readonly head: PagesHead;
  readonly size: number;
  readonly #file: CheckedFile;

  /**
   * @throws {LlamaError} BAD_CHECKPOINT if it is not what was written; NOT_FOUND if it cannot be
   * read
   */
  static async open(path: string): Promise<PagesFile> {
    const file = await CheckedFile.open(path);
    try {
      const start = await file.readHead(Math.min(HEAD_UNIT, file.size));
      const { headBytes, bodyBytes } = lengthsOf(start, path);
      const bytes = await file.readHead(Math.min(headBytes, file.size));
      await file.checkHead(bytes, [bodyBytes]);
      return new PagesFile(decodeHead(bytes, path), file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(head: PagesHead, file: CheckedFile) {
    this.head = head;
    this.size = file.size;
    this.#file = file;
  }

  /** Fills `pages` from page `first` of the file on. Throws BAD_CHECKPOINT. */
  async read(
    first: number,
    pages: readonly PageParts[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const begin = first * this.head.pageBytes;
    await this.#file.readParts([{ part: 0, begin, into: pages.flat() }], { signal });
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

const bodyBytesOf = ({ tokens, pageBytes }: PagesHead): number =>
  (tokens.length / PAGE_POSITIONS) * pageBytes;

function encodeHead({ before, tokens, pageBytes, about }: PagesHead): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(about));
  const jsonAt = TOKENS_AT + 4 * tokens.length;
  const head = new Uint8Array(alignTo(jsonAt + json.length, HEAD_UNIT));
  const view = new DataView(head.buffer);
  head.set(new TextEncoder().encode(MAGIC));
  for (const [i, number] of [VERSION, tokens.length, pageBytes, json.length].entries())
    view.setUint32(16 + 4 * i, number, true);
  head.set(before, 32);
  head.set(keysOf(before, tokens).at(-1)!, 32 + KEY_BYTES);
  head.set(tokenBytes(tokens), TOKENS_AT);
  head.set(json, jsonAt);
  return head;
}

/** How long head and pages are of the file that begins with `start`. */
function lengthsOf(start: Uint8Array, path: string) {
  const isOurs =
    start.length === HEAD_UNIT && new TextDecoder().decode(start.subarray(0, 16)) === MAGIC;
  check(isOurs, 'BAD_CHECKPOINT', () => `${path} is no file of pages`);
  const { version, tokenCount, pageBytes, jsonBytes } = numbersOf(start);
  check(version === VERSION, 'BAD_CHECKPOINT', () => {
    return `${path} has version ${version} of its form, not ${VERSION}`;
  });
  const headBytes = alignTo(TOKENS_AT + 4 * tokenCount + jsonBytes, HEAD_UNIT);
  const isWhole = tokenCount > 0 && tokenCount % PAGE_POSITIONS === 0;
  check(isWhole && headBytes <= MAX_HEAD_BYTES, 'BAD_CHECKPOINT', () => {
    return `the head of ${path} is damaged`;
  });
  return { headBytes, bodyBytes: (tokenCount / PAGE_POSITIONS) * pageBytes };
}

function decodeHead(head: Uint8Array, path: string): PagesHead {
  const { tokenCount, pageBytes, jsonBytes } = numbersOf(head);
  const view = new DataView(head.buffer);
  const tokens = Array.from({ length: tokenCount }, (_, i) =>
    view.getUint32(TOKENS_AT + 4 * i, true),
  );
  const jsonAt = TOKENS_AT + 4 * tokenCount;
  const json = new TextDecoder().decode(head.subarray(jsonAt, jsonAt + jsonBytes));
  const about = parseJson(json, path, 'BAD_CHECKPOINT');
  check(isObject(about), 'BAD_CHECKPOINT', () => `${path} does not say what it is`);
  return { before: head.slice(32, 32 + KEY_BYTES), tokens, pageBytes, about };
}

function numbersOf(head: Uint8Array) {
  const view = new DataView(head.buffer);
  const [version, tokenCount, pageBytes, jsonBytes] = [16, 20, 24, 28].map(at =>
    view.getUint32(at, true),
  );
  return { version, tokenCount, pageBytes, jsonBytes };
}
