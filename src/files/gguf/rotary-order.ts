/**
 * The order of rows in Q and K. Rotary embeddings turn pairs of numbers in each head of d: Hugging
 * Face pairs number j with number j + d/2, llama.cpp, as Meta's code, number 2j with number 2j + 1.
 * So its converter moves whole rows of these two matrices:
 *
 *     row 2j + h of a head in a GGUF file  =  row h · d/2 + j of it for Hugging Face,    h = 0, 1
 *
 * Whole rows, so the blocks of quantized matrices move as they are. (Done twice it is not undone,
 * but for d = 4.)
 */
import type { Floats } from '../../base/tensor.js';
import type { CheckpointTensor } from '../../model/checkpoint.js';
import { checkRowRange, checkTarget } from '../rows.js';

/** By row of a head as Hugging Face has it: the row in a GGUF file. */
export function ggufRows(headDim: number): number[] {
  return Array.from(
    { length: headDim },
    (_, row) => 2 * (row % (headDim / 2)) + (row < headDim / 2 ? 0 : 1),
  );
}

/** By row of a head in a GGUF file: the row as Hugging Face has it. */
export function huggingFaceRows(headDim: number): number[] {
  return Array.from(
    { length: headDim },
    (_, row) => (row % 2) * (headDim / 2) + Math.floor(row / 2),
  );
}

/**
 * `tensor`, whose leading dimension are heads of `order.length` rows, with the rows of every head
 * in another order: row i is row `order[i]` of the tensor given. Rows are read by whole heads.
 */
export function reorderHeads(tensor: CheckpointTensor, order: readonly number[]): CheckpointTensor {
  const { name, dtype, shape, byteLength } = tensor;
  const [rows] = shape;
  return {
    name,
    dtype,
    shape,
    byteLength,
    async read(first = 0, count = rows - first) {
      checkRowRange(name, rows, first, count);
      const heads = headsAround(first, count, order.length);
      return pickRows(await tensor.read(heads.first, heads.count), heads, order, first, count);
    },
    async readBytes(first = 0, count = rows - first) {
      checkRowRange(name, rows, first, count);
      const heads = headsAround(first, count, order.length);
      return pickRows(await tensor.readBytes(heads.first, heads.count), heads, order, first, count);
    },
    async readInto(target, first = 0, count = rows - first) {
      const bytes = await this.readBytes(first, count);
      checkTarget(target, name, count, bytes.length);
      target.set(bytes);
    },
  };
}

interface Rows {
  readonly first: number;
  readonly count: number;
}

/** The rows of all heads that rows `first` … `first + count − 1` are of. */
function headsAround(first: number, count: number, headDim: number): Rows {
  const start = first - (first % headDim);
  return { first: start, count: Math.ceil((first + count - start) / headDim) * headDim };
}

/**
 * `heads` are whole heads, beginning with row `from.first`; what is returned are rows `first` … of
 * the other order.
 */
function pickRows<T extends Floats | Uint8Array>(
  heads: T,
  from: Rows,
  order: readonly number[],
  first: number,
  count: number,
): T {
  const width = count === 0 ? 0 : heads.length / from.count;
  const picked = heads.slice(0, count * width) as T;
  for (let i = 0; i < count; i++) {
    const inHead = (first + i) % order.length;
    const row = first + i - inHead + order[inHead] - from.first;
    picked.set(heads.subarray(row * width, (row + 1) * width), i * width);
  }
  return picked;
}
