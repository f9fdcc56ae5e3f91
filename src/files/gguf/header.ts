/**
 * The header of a GGUF file (github.com/ggml-org/ggml, docs/gguf.md), all of it little-endian:
 *
 *     "GGUF" | version: u32 | tensors: u64 | keys: u64
 *     metadata (`metadata.ts`) | tensor infos (`tensor-infos.ts`) | padding | data
 *
 * Versions 2 and 3 are the same but for big-endian files, which only 3 may be.
 */

import { alignTo } from '../../base/align.js';
import { check, LlamaError, show } from '../../base/errors.js';
import { checkPlatform } from '../dtypes.js';
import type { ByteSource } from '../source.js';
import { Cursor, Incomplete } from './cursor.js';
import { MAX_KEYS, readMetadata, SMALLEST_ENTRY } from './metadata.js';
import {
  type GgufTensorInfo,
  MAX_TENSORS,
  placeTensors,
  readTensorInfos,
  SMALLEST_INFO,
} from './tensor-infos.js';
import type { GgufMetadata } from './values.js';

export const MAGIC = 'GGUF';
const ALIGNMENT_KEY = 'general.alignment';
const DEFAULT_ALIGNMENT = 32;
/** That of safetensors files; the largest vocabularies take ten megabytes. */
const MAX_HEADER_BYTES = 100_000_000;
/** The header of a Llama 2 takes three quarters of it. */
const FIRST_PIECE_BYTES = 2 ** 20;

/** What llama.cpp wrote before GGUF, until August 2023, as the first four bytes read. */
const ANCESTORS = ['lmgg', 'fmgg', 'tjgg', 'algg'];

export interface GgufHeader {
  readonly metadata: GgufMetadata;
  /** In the order of their offsets. */
  readonly tensors: readonly GgufTensorInfo[];
}

/**
 * Reads and checks the header of `source`, and no more of the file than that takes.
 * @throws {LlamaError} BAD_CHECKPOINT naming what is wrong with it; UNSUPPORTED for version 1,
 * big-endian files, and types of numbers that are not implemented.
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  for (let size = FIRST_PIECE_BYTES; ; size *= 8) {
    const bytes = new Uint8Array(Math.min(size, MAX_HEADER_BYTES, source.size));
    await source.readInto(0, bytes);
    try {
      return parseHeader(new Cursor(bytes, source.size), source.size);
    } catch (error) {
      if (error instanceof LlamaError)
        throw new LlamaError(error.code, `${source.name}: ${error.message}`);
      if (!(error instanceof Incomplete)) throw error;
      check(
        bytes.length < MAX_HEADER_BYTES,
        'BAD_CHECKPOINT',
        () =>
          `${source.name}: its header has more than ${MAX_HEADER_BYTES} bytes, the limit; is ` +
          'the file damaged?',
      );
    }
  }
}

/**
 * Checks the header at `cursor`, of a file of so many bytes. Throws as `readGgufHeader` does, and
 * Incomplete.
 */
export function parseHeader(cursor: Cursor, fileSize: number): GgufHeader {
  checkPlatform(); // arrays of numbers are views of their bytes
  checkMagic(cursor);
  checkVersion(cursor.u32());
  const tensorCount = cursor.count('the number of tensors', SMALLEST_INFO);
  const keyCount = cursor.count('the number of metadata keys', SMALLEST_ENTRY);
  checkLimit('tensors', tensorCount, MAX_TENSORS);
  checkLimit('metadata keys', keyCount, MAX_KEYS);
  const metadata = readMetadata(cursor, keyCount);
  const alignment = alignmentOf(metadata);
  const infos = readTensorInfos(cursor, tensorCount);
  const dataStart = alignTo(cursor.at, alignment);
  return { metadata, tensors: placeTensors(infos, dataStart, alignment, fileSize) };
}

function checkMagic(cursor: Cursor): void {
  const magic = String.fromCharCode(...cursor.bytes(MAGIC.length));
  check(!ANCESTORS.includes(magic), 'UNSUPPORTED', () => {
    return (
      'this is a GGML file, from before GGUF; llama.cpp has a script that converts them, ' +
      'convert_llama_ggml_to_gguf.py'
    );
  });
  check(
    magic === MAGIC,
    'BAD_CHECKPOINT',
    () =>
      `it begins with ${show(magic)}, not with ${MAGIC}; a model in other files is given by its ` +
      'directory',
  );
}

function checkVersion(version: number): void {
  check(
    version !== 1,
    'UNSUPPORTED',
    () => 'it is GGUF version 1, of August 2023; only 2 and 3 are read: convert it again',
  );
  check(
    version === 0 || version % 0x10000 !== 0,
    'UNSUPPORTED',
    () => `it is big-endian, version ${version / 2 ** 24}; only little-endian files are read`,
  );
  check(
    version === 2 || version === 3,
    'UNSUPPORTED',
    () => `it is GGUF version ${version}; only 2 and 3 are read`,
  );
}

function checkLimit(what: string, count: number, most: number): void {
  check(
    count <= most,
    'BAD_CHECKPOINT',
    () => `it announces ${count} ${what}, the limit is ${most}; is the file damaged?`,
  );
}

export function alignmentOf(metadata: GgufMetadata): number {
  const entry = metadata.get(ALIGNMENT_KEY);
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  const { type, value } = entry;
  check(
    type === 'u32' && value > 0 && (value & (value - 1)) === 0,
    'BAD_CHECKPOINT',
    () => `${ALIGNMENT_KEY} is ${show(value)} (${type}); it must be a power of two, as u32`,
  );
  return value;
}
