/**
 * Weights from a checkpoint into the banks, once: while the workers pack one stretch of rows, the
 * next is read, straight into the bank.
 */

import { LlamaError } from '../../../base/errors.js';
import type { Checkpoint, CheckpointTensor } from '../../../model/checkpoint.js';
import { EMBEDDING, LM_HEAD } from '../../../model/weights.js';
import type { MemoryLayout, Place } from '../memory/layout.js';
import { STAGING_BYTES } from '../memory/staging.js';
import { isBlockFormat, type PackedFormat, TILE, tileBytes } from '../memory/weight-formats.js';
import { TABLE } from '../memory/weight-items.js';
import { type PackedDType, type PackJob, tooLargeIn } from './messages.js';
import type { Pool } from './pool.js';

export interface LoadHooks {
  readonly signal?: AbortSignal | undefined;
  /**
   * Bytes of weights in place, of how many; of those that are to be kept, too, each counts twice:
   * when it is in place, and when it is written.
   */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export async function loadWeights(
  checkpoint: Checkpoint,
  layout: MemoryLayout,
  memories: readonly WebAssembly.Memory[],
  pool: Pool,
  hooks: LoadHooks,
): Promise<void> {
  const places = Object.entries(layout.places);
  const total = places.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  const { buffers } = layout.arena.staging;
  const loader = new Loader(memories, buffers, pool, total, hooks);
  for (const [name, place] of places) await loader.load(sourceOf(name, checkpoint), place);
  await loader.finish();
}

/** The tensor behind a place: an embedding may be a table, and the head too. */
function sourceOf(name: string, { tensors }: Checkpoint): CheckpointTensor {
  const tensor =
    name === TABLE
      ? tensors.get(EMBEDDING)
      : (tensors.get(name) ?? (name === LM_HEAD ? tensors.get(EMBEDDING) : undefined));
  if (tensor === undefined)
    throw new LlamaError('TENSOR_MISMATCH', `the checkpoint has no tensor for ${name}`);
  return tensor;
}

class Loader {
  readonly #memories: readonly WebAssembly.Memory[];
  /** Where they are, in every bank. */
  readonly #buffers: readonly [number, number];
  readonly #pool: Pool;
  readonly #total: number;
  readonly #hooks: LoadHooks;
  #done = 0;
  /** Of the stretch that was read last. */
  #packing: Promise<void> = Promise.resolve();
  #buffer = 0;

  constructor(
    memories: readonly WebAssembly.Memory[],
    buffers: readonly [number, number],
    pool: Pool,
    total: number,
    hooks: LoadHooks,
  ) {
    this.#memories = memories;
    this.#buffers = buffers;
    this.#pool = pool;
    this.#total = total;
    this.#hooks = hooks;
  }

  async load(tensor: CheckpointTensor, place: Place): Promise<void> {
    if (place.format === 'vector') await this.#widen(tensor, place);
    else if (place.format.startsWith('rows-')) await this.#copy(tensor, place);
    else await this.#pack(tensor, place, place.format as PackedFormat);
  }

  finish(): Promise<void> {
    return this.#packing;
  }

  /** A vector, as float32. */
  async #widen(tensor: CheckpointTensor, { bank, pointer, bytes }: Place): Promise<void> {
    new Float32Array(this.#memories[bank].buffer, pointer, bytes / 4).set(await tensor.read());
    this.#report(bytes);
  }

  /** Rows as they are in the file. */
  async #copy(tensor: CheckpointTensor, { bank, pointer, shape, bytes }: Place): Promise<void> {
    const dtype = packedDType(tensor);
    const rowBytes = bytes / shape[0];
    const rowsAtOnce = Math.max(1, Math.floor(STAGING_BYTES / rowBytes));
    for (let first = 0; first < shape[0]; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, shape[0] - first);
      await this.#read(tensor, dtype, first, count, bank, pointer + first * rowBytes);
      this.#report(count * rowBytes);
    }
  }

  async #pack(
    tensor: CheckpointTensor,
    { bank, pointer }: Place,
    format: PackedFormat,
  ): Promise<void> {
    const [rows, columns] = tensor.shape;
    const dtype = packedDType(tensor, format);
    const rowBytes = dtype === 'F32' ? columns * 4 : tensor.byteLength / rows;
    const tilesAtOnce = Math.floor(STAGING_BYTES / (TILE * rowBytes));
    if (tilesAtOnce === 0) {
      throw new LlamaError(
        'UNSUPPORTED',
        `${tensor.name} has rows of ${columns} numbers; 16 of them must fit into ` +
          `${STAGING_BYTES} bytes`,
      );
    }
    const rowsAtOnce = tilesAtOnce * TILE;
    for (let first = 0; first < rows; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - first);
      const source = this.#buffers[this.#buffer];
      this.#buffer = 1 - this.#buffer;
      await this.#read(tensor, dtype, first, count, bank, source);
      await this.#packing; // of the other buffer
      const target = pointer + (first / TILE) * tileBytes(format, columns);
      this.#packing = this.#run(
        { kind: 'pack', bank, dtype, source, rowBytes, rows: count, columns, format, target },
        tensor,
        first,
      );
      this.#packing.catch(() => {}); // the next stretch waits for it, unless reading fails before
    }
  }

  async #run(job: PackJob, tensor: CheckpointTensor, first: number): Promise<void> {
    const answers = await this.#pool.run(job);
    const tooLarge = tooLargeIn(answers);
    if (tooLarge > 0) throw await notPacked(tooLarge, job, tensor, first);
    this.#report(Math.ceil(job.rows / TILE) * tileBytes(job.format, job.columns));
  }

  /** Rows to `pointer`: as they are in the file, or as float32. */
  async #read(
    tensor: CheckpointTensor,
    dtype: PackedDType,
    first: number,
    count: number,
    bank: number,
    pointer: number,
  ): Promise<void> {
    this.#hooks.signal?.throwIfAborted();
    const { buffer } = this.#memories[bank];
    if (tensor.dtype === dtype) {
      const bytes = (count * tensor.byteLength) / tensor.shape[0];
      await tensor.readInto(new Uint8Array(buffer, pointer, bytes), first, count);
    } else {
      const numbers = await tensor.read(first, count);
      new Float32Array(buffer, pointer, numbers.length).set(numbers);
    }
  }

  #report(bytes: number): void {
    this.#done += bytes;
    this.#hooks.onProgress?.(this.#done, this.#total);
  }
}

/**
 * Why rows of `tensor` from `first` on cannot be packed: they are no numbers, or they are, and too
 * large for a format, which is the file's own or was asked for.
 */
async function notPacked(
  tooLarge: number,
  { rows, dtype, format }: PackJob,
  tensor: CheckpointTensor,
  first: number,
): Promise<LlamaError> {
  const numbers = await tensor.read(first, rows);
  const broken = numbers.filter(x => !Number.isFinite(x)).length;
  const inFile = `of ${tensor.name}, which is ${tensor.dtype} in the file,`;
  if (broken > 0) {
    return new LlamaError(
      'BAD_CHECKPOINT',
      `${broken} numbers ${inFile} are NaN or infinite; is the file damaged? Fetch it again`,
    );
  }
  const limit = format.endsWith('_k') ? 'finite' : 'below 128';
  if (dtype.toLowerCase() === format) {
    return new LlamaError(
      'BAD_CHECKPOINT',
      `${tooLarge} scales ${inFile} are not ${limit}; is the file damaged? Fetch it again; if it ` +
        'is whole, weights f32 reads it',
    );
  }
  return new LlamaError(
    'BAD_OPTION',
    `${tooLarge} numbers of ${tensor.name} are too large for ${format}, whose numbers or scales ` +
      `must be ${limit} here; choose f32 or bf16`,
  );
}

/**
 * In what form rows of `tensor` are packed: as they are in the file if the packers take that, else
 * as float32.
 */
function packedDType({ dtype }: CheckpointTensor, format?: PackedFormat): PackedDType {
  if (dtype === 'F16' || dtype === 'BF16') return dtype;
  // blocks are taken as they are, or become numbers first
  return dtype.toLowerCase() === format && isBlockFormat(format) ? (dtype as PackedDType) : 'F32';
}
