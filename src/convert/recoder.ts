/**
 * The bytes of a tensor in another number format: read, converted and let go in pieces, so that no
 * tensor is in memory as a whole.
 */

import { LlamaError, show } from '../base/errors.js';
import { decodeNumbers, encodeNumbers, type NumberDType } from '../files/rows.js';
import type { CheckpointTensor } from '../model/checkpoint.js';

/** Numbers are read and converted so many at a time. */
const PIECE_NUMBERS = 2 ** 20;

/**
 * Who converts: `recodeHere`, or threads (`src/convert/recoder-pool.ts`). The bytes are the same.
 */
export interface Recoder {
  /** So many pieces are worth having on the way. */
  readonly atOnce: number;
  /**
   * What `encodeNumbers` returns and throws for the numbers in `bytes`, which may be given away.
   */
  recode(bytes: Uint8Array, from: NumberDType, to: NumberDType): Promise<Uint8Array>;
}

export const recodeHere: Recoder = {
  atOnce: 1,
  recode: async (bytes, from, to) => encodeNumbers(to, decodeNumbers(from, bytes)),
};

/**
 * The bytes of `tensor` as `dtype`; if it has that format already, as they are, bit for bit.
 * @throws {LlamaError} NOT_FINITE, naming the tensor, for a number that is none, or too large for
 * the format.
 */
export async function* recodeTensor(
  tensor: CheckpointTensor,
  dtype: NumberDType,
  recoder: Recoder = recodeHere,
): AsyncGenerator<Uint8Array> {
  const onTheWay: Promise<Uint8Array>[] = [];
  for (const [first, count] of pieces(tensor)) {
    const bytes = await tensor.readBytes(first, count);
    if (dtype === tensor.dtype) {
      yield bytes;
      continue;
    }
    const piece = recoder.recode(bytes, tensor.dtype as NumberDType, dtype);
    piece.catch(() => {}); // whoever awaits it is told; nobody may, after another one has failed
    onTheWay.push(piece);
    if (onTheWay.length === recoder.atOnce)
      yield await withTensorName(tensor.name, onTheWay.shift()!);
  }
  for (const piece of onTheWay) yield await withTensorName(tensor.name, piece);
}

function* pieces({ shape }: CheckpointTensor): Generator<readonly [first: number, count: number]> {
  const rows = shape[0];
  const width = shape[1] ?? 1;
  const rowsAtOnce = Math.max(1, Math.floor(PIECE_NUMBERS / width));
  for (let first = 0; first < rows; first += rowsAtOnce)
    yield [first, Math.min(rowsAtOnce, rows - first)];
}

async function withTensorName(tensor: string, piece: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await piece;
  } catch (error) {
    throw error instanceof LlamaError
      ? new LlamaError(error.code, `tensor ${show(tensor)}: ${error.message}`)
      : error;
  }
}
