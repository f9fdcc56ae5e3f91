/**
 * Writing GGUF, version 3, the file format of llama.cpp: as much of it as a random model takes. A bench helper, not the project's GGUF.
 *
 *     "GGUF" | version | tensor count | metadata count | metadata | tensor infos | padding | data, each tensor aligned to 32
 */
import { elementCount } from '../../src/tensor.js';
import { GGML_TYPES, type GgmlType, ggmlBytes } from '../ggml-types.js';

export type GgufValue =
  | { readonly type: 'u32' | 'i32' | 'f32'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: 'i32' | 'f32'; readonly value: readonly number[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly value: readonly string[] };

export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** [out, in], as everywhere in this project. */
  readonly shape: readonly number[];
  readonly chunks: Iterable<Uint8Array>;
}

const VALUE_TYPES = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 } as const;
const ALIGNMENT = 32;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Bytes of the data with padding: all that comes after the first piece of `writeGguf`. */
export function ggufDataBytes(tensors: readonly GgufTensor[]): number {
  return tensors.reduce((sum, tensor) => sum + aligned(tensorBytes(tensor)), 0);
}

/** The file piece by piece, the first piece being everything before the data. */
export async function* writeGguf(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): AsyncGenerator<Uint8Array> {
  yield header(metadata, tensors);
  for (const tensor of tensors) {
    yield* tensor.chunks;
    const bytes = tensorBytes(tensor);
    yield new Uint8Array(aligned(bytes) - bytes);
  }
}

function tensorBytes({ type, shape }: GgufTensor): number {
  return ggmlBytes(type, elementCount(shape));
}

function header(metadata: Readonly<Record<string, GgufValue>>, tensors: readonly GgufTensor[]): Uint8Array {
  const entries = Object.entries(metadata);
  const parts = [Buffer.from('GGUF'), number('u32', 3), u64(tensors.length), u64(entries.length)];
  for (const [key, entry] of entries) {
    parts.push(string(key), number('u32', VALUE_TYPES[entry.type]), ...value(entry));
  }
  let offset = 0;
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    parts.push(string(name), number('u32', shape.length), ...shape.toReversed().map(u64)); // innermost size first
    parts.push(number('u32', GGML_TYPES[type].id), u64(offset));
    offset += aligned(tensorBytes(tensor));
  }
  const bytes = Buffer.concat(parts);
  return Buffer.concat([bytes], aligned(bytes.length));
}

function value(entry: GgufValue): Buffer[] {
  if (entry.type === 'string') return [string(entry.value)];
  if (entry.type !== 'array') return [number(entry.type, entry.value)];
  const start = [number('u32', VALUE_TYPES[entry.of]), u64(entry.value.length)];
  if (entry.of === 'string') return [...start, ...entry.value.map(string)];
  const { of } = entry;
  return [...start, ...entry.value.map(x => number(of, x))];
}

function number(type: 'u32' | 'i32' | 'f32', x: number): Buffer {
  const bytes = Buffer.alloc(4);
  if (type === 'f32') bytes.writeFloatLE(x);
  else if (type === 'i32') bytes.writeInt32LE(x);
  else bytes.writeUInt32LE(x);
  return bytes;
}

function u64(x: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(x));
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}
