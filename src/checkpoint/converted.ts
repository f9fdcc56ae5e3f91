/** The bytes of a tensor in another number format: read, converted and let go in pieces, so that no tensor is in memory as a whole. */

import { LlamaError, show } from '../errors.js';
import type { Floats } from '../tensor.js';
import type { BlockDType } from './blocks/blocks.js';
import type { CheckpointTensor } from './checkpoint.js';
import type { FloatDType } from './dtypes.js';
import { encodeNumbers } from './rows.js';

/** Numbers are read and converted so many at a time. */
const PIECE_NUMBERS = 2 ** 20;

/** Who turns numbers into bytes: `encodeHere`, or threads (`src/convert/encoder-pool.ts`). The bytes are the same. */
export interface Encoder {
  /** So many pieces are worth having on the way. */
  readonly atOnce: number;
  /** What `encodeNumbers` returns and throws. */
  encode(dtype: FloatDType | BlockDType, numbers: Floats): Promise<Uint8Array>;
}

export const encodeHere: Encoder = {
  atOnce: 1,
  encode: async (dtype, numbers) => encodeNumbers(dtype, numbers),
};

/**
 * The bytes of `tensor` as `dtype`; if it has that format already, as they are, bit for bit.
 * @throws {LlamaError} NOT_FINITE, naming the tensor, for a number that is none, or too large for the format.
 */
export async function* convertedChunks(
  tensor: CheckpointTensor,
  dtype: FloatDType | BlockDType,
  encoder: Encoder = encodeHere,
): AsyncGenerator<Uint8Array> {
  const onTheWay: Promise<Uint8Array>[] = [];
  for (const [first, count] of pieces(tensor)) {
    if (dtype === tensor.dtype) {
      yield await tensor.readBytes(first, count);
      continue;
    }
    const piece = encoder.encode(dtype, await tensor.read(first, count));
    piece.catch(() => {}); // whoever awaits it is told; nobody may, after another one has failed
    onTheWay.push(piece);
    if (onTheWay.length === encoder.atOnce) yield await named(tensor.name, onTheWay.shift()!);
  }
  for (const piece of onTheWay) yield await named(tensor.name, piece);
}

function* pieces({ shape }: CheckpointTensor): Generator<readonly [first: number, count: number]> {
  const rows = shape[0];
  const width = shape[1] ?? 1;
  const rowsAtOnce = Math.max(1, Math.floor(PIECE_NUMBERS / width));
  for (let first = 0; first < rows; first += rowsAtOnce) yield [first, Math.min(rowsAtOnce, rows - first)];
}

async function named(tensor: string, piece: Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await piece;
  } catch (error) {
    throw error instanceof LlamaError ? new LlamaError(error.code, `tensor ${show(tensor)}: ${error.message}`) : error;
  }
}
