/**
 * One thread of the pool. It runs the model (`src/model/forward.ts`) like all the others, on its
 * share of the work.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { forward } from '../../../model/forward.js';
import type { Row } from '../../../model/kernels.js';
import type { KernelExports } from '../kernels/exports.js';
import { type PagedSequence, type Shard, WasmKernels } from '../kernels/wasm-kernels.js';
import { tileBytes } from '../memory/formats.js';
import { packTile } from '../memory/packing.js';
import { PlacedWeights } from '../memory/placed-weights.js';
import { ARENA, packScratch, STAGING_BYTES, TILE } from '../memory/plan.js';
import { Control } from './control.js';
import type { Answer, Job, PackJob, PassJob, WorkerSetup } from './messages.js';

const setup = workerData as WorkerSetup;
const { config, plan, index, build } = setup;
const control = new Control(setup.control, plan.threads, setup.cores);
const shards: Shard[] = setup.memories.map(memory => {
  const { exports } = new WebAssembly.Instance(setup.module, { env: { memory } });
  return { memory, kernels: exports as unknown as KernelExports };
});
const kernels = new WasmKernels(config, shards, plan, control, {
  index,
  count: plan.threads,
  build,
});
const weights = new PlacedWeights(plan);

class Cancelled extends Error {}

parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(await answer(job));
});

async function answer(job: Job): Promise<Answer> {
  try {
    if (job.kind === 'pack') return { kind: 'done', tooLarge: pack(job) };
    return await pass(job);
  } catch (error) {
    if (error instanceof Cancelled) return { kind: 'cancelled' };
    return {
      kind: 'failed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

async function pass({
  tokens,
  positions,
  sequences,
  pageTables,
  logitsFor,
}: PassJob): Promise<Answer> {
  const paged = pageTables.map(asSequence);
  const rows: Row[] = tokens.map((token, i) => ({
    token,
    position: positions[i],
    sequence: paged[sequences[i]],
  }));
  kernels.begin(rows);
  const betweenLayers = (done: number) => {
    if (control.cancelled(index === 0, done)) throw new Cancelled();
    if (index === 0) control.layersDone = done;
  };
  const logits = await forward(kernels, config, weights, rows, logitsFor, { betweenLayers });
  kernels.settle(logits);
  const { tooLarge } = kernels;
  if (index !== 0) return { kind: 'done', tooLarge };
  return { kind: 'done', tooLarge, logits: kernels.read(logits).data as Float32Array };
}

/** Page tables are all that kernels need of a sequence; its life is the engine's business. */
function asSequence(pages: readonly number[]): PagedSequence {
  return { pages, length: 0, truncate() {}, dispose() {} };
}

/** Packs tiles until none is left; returns how many numbers were too large for the format. */
function pack(job: PackJob): number {
  const { shard, source, rows, rowBytes, columns, format, target } = job;
  const scratch = ARENA + 2 * STAGING_BYTES + index * packScratch(config);
  const tiles = Math.ceil(rows / TILE);
  let tooLarge = 0;
  for (let tile = control.deal(0, 1); tile < tiles; tile = control.deal(0, 1)) {
    const count = Math.min(TILE, rows - tile * TILE);
    const to = target + tile * tileBytes(format, columns);
    tooLarge += packTile(
      shards[shard].kernels,
      job,
      to,
      source + tile * TILE * rowBytes,
      count,
      scratch,
    );
  }
  return tooLarge;
}
