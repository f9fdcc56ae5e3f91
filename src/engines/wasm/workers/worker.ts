/**
 * One thread of the pool. It runs the model (`src/model/forward.ts`) like all the others, on its
 * share of the work.
 */
import type { LlamaConfig } from '../../../model/config.js';
import { forward } from '../../../model/forward.js';
import type { Row } from '../../../model/sequence.js';
import type { Tracer } from '../../../model/trace.js';
import type { PagedSequence } from '../kernels/cached-attention.js';
import type { KernelExports } from '../kernels/exports.js';
import type { Bank } from '../kernels/lock-step.js';
import { PlacedWeights } from '../kernels/placed-weights.js';
import { WasmKernels } from '../kernels/wasm-kernels.js';
import type { WasmTensor } from '../memory/arena.js';
import { TILE, tileBytes } from '../memory/weight-formats.js';
import { platform } from '../platform/here.js';
import { Control } from '../threads/control.js';
import type { Answer, Job, PackJob, PassJob, Traced, WorkerSetup } from './messages.js';
import { packTile } from './pack-tile.js';

class Cancelled extends Error {}

class EngineWorker {
  readonly #config: LlamaConfig;
  readonly #index: number;
  readonly #control: Control;
  readonly #banks: readonly Bank[];
  readonly #kernels: WasmKernels;
  readonly #weights: PlacedWeights;
  /** Where this thread has a tile as float32 while it packs, in every bank. */
  readonly #tile: number;

  constructor({ config, layout, index, module, memories, control, cores }: WorkerSetup) {
    this.#config = config;
    this.#index = index;
    this.#control = new Control(control, layout.threads, cores);
    this.#banks = memories.map(memory => {
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      return { memory, kernels: exports as unknown as KernelExports };
    });
    this.#kernels = new WasmKernels(config, this.#banks, layout, this.#control, index);
    this.#tile = layout.arena.staging.tiles[index];
    this.#weights = new PlacedWeights(layout);
  }

  async answer(job: Job): Promise<Answer> {
    try {
      if (job.kind === 'pack') return { kind: 'done', tooLarge: [this.#pack(job)] };
      return await this.#pass(job);
    } catch (error) {
      if (error instanceof Cancelled) return { kind: 'cancelled' };
      return {
        kind: 'failed',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    }
  }

  async #pass(job: PassJob): Promise<Answer> {
    const kernels = this.#kernels;
    const sequences = job.pageTables.map((pages): PagedSequence => ({ pages }));
    const rows = rowsOf(job, sequences);
    kernels.begin(rows);
    const isLeader = this.#index === 0;
    const betweenLayers = (done: number) => {
      if (this.#control.isCancelled(isLeader, done)) throw new Cancelled();
      if (isLeader) this.#control.layersDone = done;
    };
    const traced: Traced[] = [];
    const hooks = { betweenLayers, tracer: this.#tracer(job, traced) };
    const logits = await forward(kernels, this.#config, this.#weights, rows, job.logitsFor, hooks);
    kernels.settle(logits);
    const tooLarge = sequences.map(sequence => kernels.tooLargeOf(sequence));
    if (!isLeader) return { kind: 'done', tooLarge };
    return {
      kind: 'done',
      tooLarge,
      logits: kernels.read(logits).data as Float32Array<ArrayBuffer>,
      traced,
    };
  }

  /**
   * What the leader writes down in `traced`. All wait until a tensor is complete; probabilities the
   * leader alone has computed.
   */
  #tracer({ trace }: PassJob, traced: Traced[]): Tracer<WasmTensor> | undefined {
    if (trace.length === 0) return undefined;
    const isLeader = this.#index === 0;
    const names = new Set(trace);
    return {
      wants: name => names.has(name),
      trace: (name, x) => {
        this.#kernels.settle(x);
        if (isLeader) traced.push({ name, ...this.#kernels.read(x) });
      },
      traceNumbers: (name, x) => {
        if (isLeader) traced.push({ name, ...x });
      },
    };
  }

  /** Packs tiles until none is left; returns how many numbers were too large for the format. */
  #pack(job: PackJob): number {
    const { bank, source, rows, rowBytes, columns, format, target } = job;
    const { kernels } = this.#banks[bank];
    const tiles = Math.ceil(rows / TILE);
    let tooLarge = 0;
    for (let tile = this.#control.deal(0, 1); tile < tiles; tile = this.#control.deal(0, 1)) {
      const count = Math.min(TILE, rows - tile * TILE);
      const to = target + tile * tileBytes(format, columns);
      const from = source + tile * TILE * rowBytes;
      tooLarge += packTile(kernels, job, to, from, count, this.#tile);
    }
    return tooLarge;
  }
}

function rowsOf(
  { tokens, positions, sequences }: PassJob,
  paged: readonly PagedSequence[],
): Row<PagedSequence>[] {
  return tokens.map((token, i) => ({
    token,
    position: positions[i],
    sequence: paged[sequences[i]],
  }));
}

function logitsOf(answer: Answer): ArrayBuffer[] {
  return answer.kind === 'done' && answer.logits ? [answer.logits.buffer] : [];
}

platform.serve<WorkerSetup, Job, Answer>(setup => {
  const worker = new EngineWorker(setup);
  return job => worker.answer(job);
}, logitsOf);
