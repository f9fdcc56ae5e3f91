/** The tensors of several files as those of one. */

import { check, show } from '../base/errors.js';
import type { CheckpointTensor } from '../model/checkpoint.js';

/** A file, or what of it is needed here. */
interface File<T extends CheckpointTensor> {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, T>;
}

/** Compared so many bytes at a time. */
const PIECE_BYTES = 2 ** 22;

/**
 * All tensors, in the order of the files. One that is in several files is taken from the first, and
 * must be the same in all if it is needed: dtype, shape, and every byte.
 *
 * @throws {LlamaError} BAD_CHECKPOINT naming a tensor that differs, and its files.
 */
export async function mergeTensors<T extends CheckpointTensor>(
  files: readonly File<T>[],
  isNeeded: (name: string) => boolean = () => true,
): Promise<Map<string, T>> {
  const tensors = new Map<string, T>();
  const fileOf = new Map<string, string>();
  for (const file of files) {
    for (const [name, tensor] of file.tensors) {
      const first = tensors.get(name);
      if (first === undefined) {
        tensors.set(name, tensor);
        fileOf.set(name, file.name);
      } else if (isNeeded(name)) {
        check(
          await isSame(first, tensor),
          'BAD_CHECKPOINT',
          () =>
            `the tensor ${show(name)} is in ${fileOf.get(name)} and, with other numbers, in ` +
            `${file.name}; which is right? Delete, or fetch again, what does not belong here`,
        );
      }
    }
  }
  return tensors;
}

async function isSame(a: CheckpointTensor, b: CheckpointTensor): Promise<boolean> {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  const rows = a.shape[0] ?? 1;
  const rowsAtOnce = Math.max(1, Math.floor((PIECE_BYTES * rows) / Math.max(1, a.byteLength)));
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - first);
    const [ours, others] = [await a.readBytes(first, count), await b.readBytes(first, count)];
    if (ours.some((byte, i) => byte !== others[i])) return false;
  }
  return true;
}
