/**
 * Weights from a checkpoint into the shards, once: while the workers pack one stretch of rows, the next is read.
 */
import type { Checkpoint, CheckpointTensor } from '../../checkpoint/checkpoint.js';
import { EMBEDDING, LM_HEAD } from '../../checkpoint/weights.js';
import { LlamaError } from '../../errors.js';
import { tileBytes, type WeightFormat } from './formats.js';
import type { PackJob } from './messages.js';
import { ARENA, type Place, type Plan, STAGING_BYTES, TABLE, TILE } from './plan.js';
import type { Pool } from './pool.js';

export interface LoadHooks {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of weights in place, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export async function loadWeights(
  checkpoint: Checkpoint,
  plan: Plan,
  memories: readonly WebAssembly.Memory[],
  pool: Pool,
  { signal, onProgress }: LoadHooks,
): Promise<void> {
  const loader = new Loader(memories, pool);
  const places = Object.entries(plan.places);
  const total = places.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  let done = 0;
  for (const [name, place] of places) {
    signal?.throwIfAborted();
    await loader.load(sourceOf(name, checkpoint), place);
    done += place.bytes;
    onProgress?.(done, total);
  }
  await loader.finish();
}

/** The tensor behind a place: an embedding may be a table, and the head too. */
function sourceOf(name: string, { tensors }: Checkpoint): CheckpointTensor {
  const tensor =
    name === TABLE
      ? tensors.get(EMBEDDING)
      : (tensors.get(name) ?? (name === LM_HEAD ? tensors.get(EMBEDDING) : undefined));
  if (tensor === undefined) throw new LlamaError('TENSOR_MISMATCH', `the checkpoint has no tensor for ${name}`);
  return tensor;
}

class Loader {
  private readonly memories: readonly WebAssembly.Memory[];
  private readonly pool: Pool;
  private packing: Promise<void> = Promise.resolve();
  private buffer = 0;

  constructor(memories: readonly WebAssembly.Memory[], pool: Pool) {
    this.memories = memories;
    this.pool = pool;
  }

  async load(tensor: CheckpointTensor, place: Place): Promise<void> {
    if (place.format === 'vector') return this.copy(tensor, place, true);
    if (place.format.startsWith('rows-')) return this.copy(tensor, place, false);
    await this.pack(tensor, place, place.format as WeightFormat);
  }

  finish(): Promise<void> {
    return this.packing;
  }

  /** As float32, or as it is in the file. */
  private async copy(tensor: CheckpointTensor, { shard, pointer, shape }: Place, widen: boolean): Promise<void> {
    const target = (offset: number, bytes: number) =>
      new Uint8Array(this.memories[shard].buffer, pointer + offset, bytes);
    const rows = shape[0];
    const rowsAtOnce = Math.max(1, Math.floor((STAGING_BYTES * rows) / tensor.byteLength));
    for (let first = 0, offset = 0; first < rows; first += rowsAtOnce) {
      const bytes = await readRows(tensor, first, Math.min(rowsAtOnce, rows - first), widen);
      target(offset, bytes.length).set(bytes);
      offset += bytes.length;
    }
  }

  private async pack(tensor: CheckpointTensor, { shard, pointer }: Place, format: WeightFormat): Promise<void> {
    const [rows, columns] = tensor.shape;
    const dtype = tensor.dtype === 'F16' || tensor.dtype === 'BF16' ? tensor.dtype : 'F32';
    const tilesAtOnce = Math.floor(STAGING_BYTES / (TILE * columns * (dtype === 'F32' ? 4 : 2)));
    if (tilesAtOnce === 0) {
      throw new LlamaError(
        'UNSUPPORTED',
        `${tensor.name} has rows of ${columns} numbers; 16 of them must fit into ${STAGING_BYTES} bytes`,
      );
    }
    const rowsAtOnce = tilesAtOnce * TILE;
    for (let first = 0; first < rows; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - first);
      const bytes = await readRows(tensor, first, count, false);
      const source = ARENA + this.buffer * STAGING_BYTES;
      this.buffer = 1 - this.buffer;
      new Uint8Array(this.memories[shard].buffer, source, bytes.length).set(bytes);
      await this.packing; // of the other buffer
      const target = pointer + (first / TILE) * tileBytes(format, columns);
      this.packing = this.run(
        { kind: 'pack', shard, dtype, source, rows: count, columns, format, target },
        tensor.name,
      );
    }
  }

  private async run(job: PackJob, name: string): Promise<void> {
    const answers = await this.pool.run(job);
    const overflowed = answers.reduce(
      (sum, answer) => sum + (answer.kind === 'done' ? (answer.overflowed ?? 0) : 0),
      0,
    );
    if (overflowed > 0) {
      throw new LlamaError(
        'BAD_OPTION',
        `${overflowed} numbers of ${name} are too large for ${job.format}, whose numbers or scales must be below 128 here; choose f32 or bf16`,
      );
    }
  }
}

/** Bytes of rows as in the file, but float64 as float32; with `widen`, float32 in any case. */
async function readRows(tensor: CheckpointTensor, first: number, count: number, widen: boolean): Promise<Uint8Array> {
  if (!widen && tensor.dtype !== 'F64') return tensor.readBytes(first, count);
  const numbers = Float32Array.from(await tensor.read(first, count));
  return new Uint8Array(numbers.buffer);
}
