/**
 * One thread of the pool. It runs the model (`src/model/forward.ts`) like all the others, on its share of the work.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { forward } from '../../model/forward.js';
import type { Row } from '../kernels.js';
import { Control } from './control.js';
import type { KernelExports } from './exports.js';
import { tileBytes, type WeightFormat } from './formats.js';
import type { Answer, Job, PackJob, PassJob, WorkerSetup } from './messages.js';
import { PlacedWeights } from './placed-weights.js';
import { ARENA, STAGING_BYTES, TILE, widestInput } from './plan.js';
import { type PagedSequence, type Shard, WasmKernels } from './wasm-kernels.js';

const setup = workerData as WorkerSetup;
const { config, plan, index, build } = setup;
const control = new Control(setup.control, plan.threads, setup.cores);
const shards: Shard[] = setup.memories.map(memory => {
  const { exports } = new WebAssembly.Instance(setup.module, { env: { memory } });
  return { memory, kernels: exports as unknown as KernelExports };
});
const kernels = new WasmKernels(config, shards, plan, control, { index, count: plan.threads, build });
const weights = new PlacedWeights(plan);

class Cancelled extends Error {}

parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(await answer(job));
});

async function answer(job: Job): Promise<Answer> {
  try {
    if (job.kind === 'pack') return { kind: 'done', overflowed: pack(job) };
    return await pass(job);
  } catch (error) {
    if (error instanceof Cancelled) return { kind: 'cancelled' };
    return { kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function pass({ tokens, positions, sequences, pageTables, logitsFor }: PassJob): Promise<Answer> {
  const paged = pageTables.map(asSequence);
  const rows: Row[] = tokens.map((token, i) => ({ token, position: positions[i], sequence: paged[sequences[i]] }));
  kernels.begin(rows);
  const betweenLayers = (done: number) => {
    if (control.cancelled(index === 0, done)) throw new Cancelled();
    if (index === 0) control.layersDone = done;
  };
  const logits = await forward(kernels, config, weights, rows, logitsFor, { betweenLayers });
  kernels.settle(logits);
  if (index !== 0) return { kind: 'done' };
  return { kind: 'done', logits: kernels.read(logits).data as Float32Array };
}

/** Page tables are all that kernels need of a sequence; its life is the engine's business. */
function asSequence(pages: readonly number[]): PagedSequence {
  return { pages, length: 0, truncate() {}, dispose() {} };
}

/** Packs this thread's tiles; returns how many numbers were too large for the format. */
function pack({ shard, dtype, source, rows, columns, format, target }: PackJob): number {
  const { kernels } = shards[shard];
  const scratch = ARENA + 2 * STAGING_BYTES + index * TILE * widestInput(config) * 4;
  const tiles = Math.ceil(rows / TILE);
  const bytes = tileBytes(format, columns);
  let overflowed = 0;
  for (let tile = index; tile < tiles; tile += plan.threads) {
    const count = Math.min(TILE, rows - tile * TILE);
    const numbers = float32Rows(kernels, dtype, source, tile * TILE * columns, count * columns, scratch);
    overflowed += packTile(kernels, format, target + tile * bytes, numbers, columns, count);
  }
  return overflowed;
}

/** Pointer to `count` numbers from `first` on, as float32. */
function float32Rows(
  { widenF16, widenBF16 }: KernelExports,
  dtype: PackJob['dtype'],
  source: number,
  first: number,
  count: number,
  scratch: number,
): number {
  if (dtype === 'F32') return source + first * 4;
  (dtype === 'F16' ? widenF16 : widenBF16)(scratch, source + first * 2, count);
  return scratch;
}

/** Packs one tile; returns how many of its numbers, or of its scales, f16 cannot hold. */
function packTile(
  kernels: KernelExports,
  format: WeightFormat,
  target: number,
  numbers: number,
  columns: number,
  count: number,
): number {
  const { packF32, packBF16, packF16, packQ8, packQ4 } = kernels;
  const packers = { f32: packF32, bf16: packBF16, f16: packF16, q8_0: packQ8, q4_0: packQ4 };
  return packers[format](target, numbers, columns, columns, count) ?? 0;
}
