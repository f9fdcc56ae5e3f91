/** Models of any shape with random weights, in memory: for shapes that no golden model has. */
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import { encodeNumbers, readNumbers } from '../../src/files/rows.js';
import { memorySource } from '../../src/files/source.js';
import type { Checkpoint, CheckpointTensor } from '../../src/model/checkpoint.js';
import type { LlamaConfig } from '../../src/model/config.js';
import type { BlockDType } from '../../src/model/dtypes.js';
import { EMBEDDING, expectedWeights } from '../../src/model/weights.js';
import { randomBlocks } from './random-blocks.js';
import { noise } from './tensors.js';

/** The numbers of the weight `name`, which are random, as somebody wants them instead. */
export type Change = (
  name: string,
  numbers: Float32Array,
  shape: readonly number[],
) => Float32Array;

/**
 * Every weight of `config`. Matrices are in `dtype`; not the embedding, which would be looked up as
 * float32 anyway.
 */
export function randomCheckpoint(
  config: LlamaConfig,
  dtype: BlockDType | 'F32' = 'F32',
  change: Change = (_, numbers) => numbers,
): Checkpoint {
  const tensors = [...expectedWeights(config)].map(
    ([name, shape], i): [string, CheckpointTensor] => {
      const isVector = shape.length === 1;
      const random = noise(
        shape.reduce((a, b) => a * b),
        i + 1,
      );
      const numbers = Float32Array.from(random, x => (isVector ? 1 + x / 4 : x / 16));
      const isPlain = isVector || name === EMBEDDING;
      return [name, tensorOf(name, shape, isPlain ? 'F32' : dtype, change(name, numbers, shape))];
    },
  );
  return { name: dtype, tensors: new Map(tensors), close: async () => {} };
}

function tensorOf(
  name: string,
  shape: readonly number[],
  dtype: BlockDType | 'F32',
  numbers: Float32Array,
): CheckpointTensor {
  return tensorOfBytes(name, shape, dtype, bytesOf(dtype, numbers, name.length));
}

/** Of numbers, or where nothing writes the format, of any. */
function bytesOf(dtype: BlockDType | 'F32', numbers: Float32Array, seed: number): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(numbers.buffer); // `encodeNumbers` refuses NaN
  return BLOCK_FORMATS[dtype].encode === undefined
    ? randomBlocks(dtype, numbers.length, seed)
    : encodeNumbers(dtype, numbers);
}

/** The tensor that has these bytes in its file. */
export function tensorOfBytes(
  name: string,
  shape: readonly number[],
  dtype: BlockDType | 'F32',
  bytes: Uint8Array,
): CheckpointTensor {
  const rowBytes = bytes.length / shape[0];
  const part = (first = 0, count = shape[0] - first) =>
    bytes.slice(first * rowBytes, (first + count) * rowBytes);
  return {
    name,
    dtype,
    shape,
    byteLength: bytes.length,
    read: (first, count) => {
      const rows = part(first, count);
      return readNumbers(memorySource(rows), dtype, { begin: 0, end: rows.length });
    },
    readInto: async (target, first, count) => target.set(part(first, count)),
    readBytes: async (first, count) => part(first, count),
  };
}
