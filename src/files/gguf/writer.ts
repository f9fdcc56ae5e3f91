/** Writing GGUF files, version 3: the format is in `header.ts`. */

import { alignTo } from '../../base/align.js';
import { check, LlamaError, show } from '../../base/errors.js';
import { type Chunks, checkChunks } from '../chunks.js';
import { bytesOf } from '../dtypes.js';
import { LONE_SURROGATE } from '../safetensors/header.js';
import { Cursor } from './cursor.js';
import { GGML_IDS, type GgmlDType } from './ggml-types.js';
import { alignmentOf, MAGIC, parseHeader } from './header.js';
import { tensorBytes } from './tensor-infos.js';
import {
  type GgufMetadata,
  type GgufValue,
  type NumberType,
  TYPED_ARRAYS,
  VALUE_TYPES,
} from './values.js';

const VERSION = 3;

export interface GgufInput {
  readonly name: string;
  readonly dtype: GgmlDType;
  /** The outermost first, [out, in], as everywhere else. */
  readonly shape: readonly number[];
  /** Its bytes, row-major and little-endian. */
  readonly chunks: Chunks;
}

/**
 * The bytes of a GGUF file, piece by piece: `await writeFile(path, writeGguf(metadata, tensors))`.
 * The first piece is everything before the data, which is `ggufDataBytes` long. Tensors and
 * metadata stay in the order given.
 *
 * @throws {LlamaError} BAD_CHECKPOINT or UNSUPPORTED, before the first byte, if the reader would
 * not accept the file; or in the middle, if the chunks of a tensor are not as many bytes as its
 * shape says.
 */
export async function* writeGguf(
  metadata: GgufMetadata,
  tensors: readonly GgufInput[],
): AsyncGenerator<Uint8Array> {
  const alignment = alignmentOf(metadata);
  yield headerBytes(metadata, tensors, alignment);
  for (const { name, dtype, shape, chunks } of tensors) {
    const bytes = tensorBytes(dtype, shape, name);
    yield* checkChunks(chunks, bytes, `tensor ${show(name)}: ${dtype} ${show(shape)}`);
    yield new Uint8Array(alignTo(bytes, alignment) - bytes);
  }
}

/** The bytes after the header: those of the tensors, each filled up to the alignment. */
export function ggufDataBytes(
  metadata: GgufMetadata,
  tensors: readonly Omit<GgufInput, 'chunks'>[],
): number {
  const alignment = alignmentOf(metadata);
  return tensors.reduce(
    (sum, { name, dtype, shape }) => sum + alignTo(tensorBytes(dtype, shape, name), alignment),
    0,
  );
}

function headerBytes(
  metadata: GgufMetadata,
  tensors: readonly GgufInput[],
  alignment: number,
): Uint8Array {
  const header = concatenate([...headerParts(metadata, tensors, alignment)], alignment);
  const fileSize = header.length + ggufDataBytes(metadata, tensors);
  try {
    parseHeader(new Cursor(header, fileSize), fileSize);
  } catch (error) {
    throw error instanceof LlamaError
      ? new LlamaError(error.code, `cannot write this: ${error.message}`)
      : error;
  }
  return header;
}

function* headerParts(
  metadata: GgufMetadata,
  tensors: readonly GgufInput[],
  alignment: number,
): Generator<Uint8Array> {
  yield new TextEncoder().encode(MAGIC);
  yield u32(VERSION);
  yield u64(tensors.length);
  yield u64(metadata.size);
  for (const [key, value] of metadata) {
    yield text(key);
    yield u32(VALUE_TYPES[value.type]);
    if (value.type === 'array') yield* list(key, value);
    else yield single(key, value);
  }
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    yield text(name);
    yield u32(shape.length);
    yield* shape.toReversed().map(u64);
    yield u32(GGML_IDS[dtype]);
    yield u64(offset);
    offset += alignTo(tensorBytes(dtype, shape, name), alignment);
  }
}

function single(key: string, entry: Exclude<GgufValue, { type: 'array' }>): Uint8Array {
  switch (entry.type) {
    case 'string':
      return text(entry.value);
    case 'bool':
      return Uint8Array.of(Number(entry.value));
    case 'u64':
    case 'i64':
      return bigInts(key, entry.type, [entry.value]);
    default:
      return numbers(key, entry.type, [entry.value]);
  }
}

function* list(key: string, entry: Extract<GgufValue, { type: 'array' }>): Generator<Uint8Array> {
  yield u32(VALUE_TYPES[entry.of]);
  yield u64(entry.value.length);
  switch (entry.of) {
    case 'string':
      yield* entry.value.map(text);
      break;
    case 'u64':
    case 'i64':
      yield bigInts(key, entry.of, entry.value);
      break;
    default:
      yield numbers(key, entry.of, entry.value);
  }
}

function numbers(key: string, type: NumberType | 'bool', values: ArrayLike<number>): Uint8Array {
  const written = TYPED_ARRAYS[type].from(values);
  const isRounded = type === 'f32' || type === 'f64';
  const wrong = isRounded
    ? -1
    : written.findIndex((value: number, i: number) => value !== values[i]);
  check(
    wrong === -1,
    'BAD_CHECKPOINT',
    () => `cannot write ${key}: ${values[wrong]} is not of type ${type}`,
  );
  return bytesOf(written);
}

function bigInts(key: string, type: 'u64' | 'i64', values: ArrayLike<bigint>): Uint8Array {
  const written = TYPED_ARRAYS[type].from(values);
  const wrong = written.findIndex((value: bigint, i: number) => value !== values[i]);
  check(
    wrong === -1,
    'BAD_CHECKPOINT',
    () => `cannot write ${key}: ${values[wrong]} is not of type ${type}`,
  );
  return bytesOf(written);
}

const u32 = (x: number): Uint8Array => bytesOf(Uint32Array.of(x));
const u64 = (x: number): Uint8Array => bytesOf(BigUint64Array.of(BigInt(x)));

function text(value: string): Uint8Array {
  check(
    !LONE_SURROGATE.test(value),
    'BAD_CHECKPOINT',
    () => `cannot write ${show(value)}: it is not Unicode`,
  );
  const bytes = new TextEncoder().encode(value);
  return concatenate([u64(bytes.length), bytes], 1);
}

/** One after the other, and zeros up to a multiple of `alignment`. */
function concatenate(parts: readonly Uint8Array[], alignment: number): Uint8Array {
  const bytes = new Uint8Array(
    alignTo(
      parts.reduce((sum, { length }) => sum + length, 0),
      alignment,
    ),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
