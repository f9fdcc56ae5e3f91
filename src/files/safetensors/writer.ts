/**
 * Writing safetensors files: the format is in `header.ts`, the order of tensors is the
 * reference writer's.
 */

import { alignTo } from '../../base/align.js';
import { check, show } from '../../base/errors.js';
import { DTYPE_BYTES, type DType } from '../../model/dtypes.js';
import { type Chunks, checkChunks } from '../chunks.js';
import {
  isDType,
  isSizes,
  LENGTH_BYTES,
  LONE_SURROGATE,
  MAX_HEADER_BYTES,
  METADATA_KEY,
  tensorBytes,
} from './header.js';

/** A tensor to write. */
export interface SafetensorsInput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Its bytes, row-major and little-endian. */
  readonly chunks: Chunks;
}

/**
 * The bytes of a safetensors file, piece by piece: `await writeFile(path,
 * writeSafetensors(tensors))`.
 *
 * The same tensors give the same bytes, in whatever order they come: they are sorted as the
 * reference writer does, the largest numbers first and then by name, so every tensor is aligned.
 * Metadata stays in the order given.
 *
 * @throws {LlamaError} BAD_CHECKPOINT, before the first byte, if no reader would accept the file;
 * or in the middle, if the chunks of a tensor are not as many bytes as its shape says.
 */
export async function* writeSafetensors(
  tensors: readonly SafetensorsInput[],
  metadata: ReadonlyMap<string, string> = new Map(),
): AsyncGenerator<Uint8Array> {
  const sorted = [...tensors].sort(byAlignmentThenName);
  yield headerBytes(sorted, metadata);
  for (const { name, dtype, shape, chunks } of sorted) {
    yield* checkChunks(
      chunks,
      tensorBytes(dtype, shape),
      `tensor ${show(name)}: ${dtype} ${show(shape)}`,
    );
  }
}

const DTYPES = Object.keys(DTYPE_BYTES);

function byAlignmentThenName(a: SafetensorsInput, b: SafetensorsInput): number {
  return DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || (a.name < b.name ? -1 : 1);
}

/** The length and the JSON, padded with spaces so that the data begins at a multiple of 8. */
function headerBytes(
  tensors: readonly SafetensorsInput[],
  metadata: ReadonlyMap<string, string>,
): Uint8Array {
  const json = new TextEncoder().encode(headerJson(tensors, metadata));
  const length = alignTo(json.length, 8);
  check(
    length <= MAX_HEADER_BYTES,
    'BAD_CHECKPOINT',
    () =>
      `cannot write a header of ${length} bytes, the limit is ${MAX_HEADER_BYTES}; use several ` +
      'files',
  );
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(' '.charCodeAt(0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

// Not one JSON.stringify: an object would move the names that look like numbers to the front.
function headerJson(
  tensors: readonly SafetensorsInput[],
  metadata: ReadonlyMap<string, string>,
): string {
  const members: string[] = [];
  if (metadata.size > 0) {
    for (const text of [...metadata.keys(), ...metadata.values()]) checkText(text);
    members.push(`${show(METADATA_KEY)}:${JSON.stringify(Object.fromEntries(metadata))}`);
  }
  const names = new Set([METADATA_KEY]);
  let begin = 0;
  for (const { name, dtype, shape } of tensors) {
    checkText(name);
    check(
      !names.has(name),
      'BAD_CHECKPOINT',
      () => `cannot write two tensors of the name ${show(name)}`,
    );
    check(
      isDType(dtype) && isSizes(shape),
      'BAD_CHECKPOINT',
      () => `cannot write ${show(name)}: ${dtype} ${show(shape)}`,
    );
    names.add(name);
    const end = begin + tensorBytes(dtype, shape);
    members.push(
      `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`,
    );
    begin = end;
  }
  return `{${members.join(',')}}`;
}

function checkText(text: string): void {
  check(
    !LONE_SURROGATE.test(text),
    'BAD_CHECKPOINT',
    () => `cannot write ${show(text)}: it is not Unicode`,
  );
}
