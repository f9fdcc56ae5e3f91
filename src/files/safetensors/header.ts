/**
 * The header of a safetensors file, checked as strictly as the reference implementation checks it
 * (huggingface/safetensors, safetensors/src/tensor.rs), and more strictly where that one lets
 * things pass.
 *
 *     bytes 0 … 7       n, the length of the header: u64, little-endian, at most 100,000,000
 *     bytes 8 … 8+n−1   JSON in UTF-8, perhaps with white space around it:
 *                       { "__metadata__": { name: text, … },
 *                         tensor name: { "dtype": "F16", "shape": [rows, columns],
 *                                        "data_offsets": [begin, end] }, … }
 *     bytes 8+n …       the data: row-major, little-endian; offsets count from here and cover every
 *                       byte exactly once
 *
 * Stricter: no key may come twice, and a tensor may have no other fields.
 */

import { check, LlamaError, show } from '../../base/errors.js';
import { isObject, parseJson } from '../../base/json.js';
import { DTYPE_BYTES, type DType } from '../../model/dtypes.js';
import type { TensorInfo } from '../row-major.js';
import type { ByteSource } from '../source.js';

export const LENGTH_BYTES = 8;
export const MAX_HEADER_BYTES = 100_000_000;
export const METADATA_KEY = '__metadata__';
/** A tensor has six, a Llama nine tensors a layer: room for 18,000 layers. */
const LIMITS = { maxValues: 1_000_000, integersOnly: true };
/** What JSON calls white space. */
const WHITE_SPACE: ReadonlySet<number> = new Set([...' \t\n\r'].map(c => c.charCodeAt(0)));

/** The header of a safetensors file, checked. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their offsets. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/**
 * Reads and checks the header of `source`.
 * @throws {LlamaError} BAD_CHECKPOINT naming what is wrong with it.
 */
export async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const text = await readHeaderText(source);
  const dataStart = text.bytes + LENGTH_BYTES;
  const header = parseJson(text.json, source.name, 'BAD_CHECKPOINT', LIMITS) as Record<
    string,
    unknown
  >;
  try {
    const tensors = Object.entries(header)
      .filter(([name]) => name !== METADATA_KEY)
      .map(([name, fields]) => parseTensor(name, fields, dataStart));
    tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
    checkCoverage(tensors, dataStart, source.size);
    return {
      metadata: parseMetadata(header[METADATA_KEY]),
      tensors: new Map(tensors.map(tensor => [tensor.name, tensor])),
    };
  } catch (error) {
    throw error instanceof LlamaError
      ? new LlamaError(error.code, `${source.name}: ${error.message}`)
      : error;
  }
}

async function readHeaderText(source: ByteSource): Promise<{ json: string; bytes: number }> {
  const fail = (what: string) => new LlamaError('BAD_CHECKPOINT', `${source.name}: ${what}`);
  if (source.size < LENGTH_BYTES)
    throw fail(`${source.size} bytes are too few for a safetensors file`);
  const length = new Uint8Array(LENGTH_BYTES);
  await source.readInto(0, length);
  const announced = new DataView(length.buffer).getBigUint64(0, true);
  if (announced > MAX_HEADER_BYTES) {
    throw fail(
      `a header of ${announced} bytes is announced, the limit is ${MAX_HEADER_BYTES}; is it a ` +
        'safetensors file?',
    );
  }
  if (announced > source.size - LENGTH_BYTES) {
    throw fail(
      `a header of ${announced} bytes is announced, but the file has ${source.size}; fetch it ` +
        'again',
    );
  }
  const bytes = new Uint8Array(Number(announced));
  await source.readInto(LENGTH_BYTES, bytes);
  if (bytes.find(byte => !WHITE_SPACE.has(byte)) !== '{'.charCodeAt(0))
    throw fail('the header does not begin with {; is it a safetensors file?');
  try {
    return { json: new TextDecoder('utf-8', { fatal: true }).decode(bytes), bytes: bytes.length };
  } catch {
    throw fail('the header is not UTF-8');
  }
}

function parseMetadata(metadata: unknown): ReadonlyMap<string, string> {
  if (metadata === undefined || metadata === null) return new Map();
  bad(isObject(metadata), () => `${METADATA_KEY} is ${show(metadata)}, not an object`);
  for (const [key, value] of Object.entries(metadata)) {
    bad(
      typeof value === 'string',
      () => `${METADATA_KEY}: ${show(key)} is ${show(value)}, not text`,
    );
  }
  return new Map(Object.entries(metadata as Record<string, string>));
}

function parseTensor(name: string, fields: unknown, dataStart: number): TensorInfo {
  const of = `tensor ${show(name)}`;
  bad(!LONE_SURROGATE.test(name), () => `${of}: the name is not Unicode`);
  bad(isObject(fields), () => `${of} is ${show(fields)}, not an object`);
  const { dtype, shape, data_offsets: offsets, ...others } = fields;
  for (const key of Object.keys(others))
    bad(false, () => `${of} has an unknown field ${show(key)}`);
  bad(
    isDType(dtype),
    () => `${of}: unknown dtype ${show(dtype)}; known are ${Object.keys(DTYPE_BYTES).join(' ')}`,
  );
  bad(isSizes(shape), () => `${of}: shape ${show(shape)} is not an array of sizes 0 … 2^53 − 1`);
  bad(
    isSizes(offsets) && offsets.length === 2 && offsets[0] <= offsets[1],
    () => `${of}: data_offsets ${show(offsets)} are not [begin, end] with begin ≤ end < 2^53`,
  );
  const [begin, end] = offsets as [number, number];
  const needed = tensorBytes(dtype, shape);
  bad(
    needed === end - begin,
    () =>
      `${of}: ${dtype} ${show(shape)} takes ${needed} bytes, but data_offsets ${show(offsets)} ` +
      `hold ${end - begin}`,
  );
  return { name, dtype, shape, offset: dataStart + begin, byteLength: needed };
}

/**
 * The bytes of a tensor.
 * @throws {LlamaError} BAD_CHECKPOINT if they, or any product on the way, exceed 2^53 − 1.
 */
export function tensorBytes(dtype: DType, shape: readonly number[]): number {
  let bytes = DTYPE_BYTES[dtype];
  for (const size of shape) {
    bytes *= size;
    bad(
      bytes <= Number.MAX_SAFE_INTEGER,
      () => `${dtype} ${show(shape)} takes more than 2^53 bytes`,
    );
  }
  return bytes;
}

/**
 * Every byte of the data belongs to exactly one tensor. `tensors` are in the order of their
 * offsets.
 */
function checkCoverage(tensors: readonly TensorInfo[], dataStart: number, fileSize: number): void {
  let end = dataStart;
  for (const { name, offset, byteLength } of tensors) {
    const found = offset > end ? 'a gap' : 'an overlap';
    bad(
      offset === end,
      () =>
        `${found} before tensor ${show(name)}: it begins at byte ${offset}, what lies before it ` +
        `ends at ${end}`,
    );
    end += byteLength;
  }
  bad(
    end <= fileSize,
    () => `the tensors end at byte ${end}, but the file has ${fileSize}; fetch it again`,
  );
  bad(
    end === fileSize,
    () => `${fileSize - end} bytes follow the last tensor, which ends at byte ${end}`,
  );
}

/** A \ud800 … \udfff without its partner: JSON can write it, UTF-8 cannot. */
export const LONE_SURROGATE = /\p{Surrogate}/u;

export const isDType = (value: unknown): value is DType =>
  typeof value === 'string' && Object.hasOwn(DTYPE_BYTES, value);

export const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.every(size => Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0));

function bad(condition: boolean, message: () => string): asserts condition {
  check(condition, 'BAD_CHECKPOINT', message);
}
