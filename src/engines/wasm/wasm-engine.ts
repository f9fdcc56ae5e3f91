/**
 * The WASM kernels over a checkpoint, in a pool of workers.
 */

import { checkValues } from '../../base/options.js';
import { checkWeights } from '../../model/check-weights.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import type { BatchResult, Engine, ForwardOptions, PageCounts } from '../../model/engine.js';
import type { EngineSequence } from '../../model/engine-sequence.js';
import { describePages } from '../../model/page-description.js';
import { PAGE_POSITIONS, type PageParts, type Row } from '../../model/sequence.js';
import { weightBytes } from '../../model/weight-bytes.js';
import { mapLayer } from '../../model/weights.js';
import { compileKernels } from './choice/compile-kernels.js';
import { type CompiledKernels, isWide } from './kernels/builds.js';
import { type MemoryLayout, makeLayout, pageBytesOf } from './memory/layout.js';
import { checkMemory } from './memory/memory-needs.js';
import { CountedPages, WasmSequence } from './memory/paged-sequence.js';
import { allocateMemory, growMemory } from './memory/shared-memory.js';
import { MAX_THREADS, WASM, type WasmOptions } from './options.js';
import { Passes } from './passes.js';
import { platform } from './platform/here.js';
import { CONTROL_WORDS, Control } from './threads/control.js';
import { type PackedStore, placeWeights } from './workers/place-weights.js';
import { Pool } from './workers/pool.js';

function defaultThreads(): number {
  return Math.min(MAX_THREADS, platform.cores());
}

/** Lays out memories; nothing is allocated. Throws BAD_OPTION. */
export function layoutFor(
  config: LlamaConfig,
  checkpoint: Checkpoint,
  options: WasmOptions,
): MemoryLayout {
  const {
    threads = defaultThreads(),
    maxRows = 128,
    cache = 'f32',
    weights,
    memoryBytes,
  } = options;
  const context = contextOf(config, options);
  checkValues({ ...options, context }, WASM);
  return makeLayout(config, checkpoint, { threads, maxRows, cache, weights, context, memoryBytes });
}

function contextOf(config: LlamaConfig, { context }: WasmOptions): number | undefined {
  return typeof context === 'function' ? context(config) : context;
}

/**
 * A model that nobody has any more and nobody closed: its threads would keep its memories for ever.
 * When the runtime notices, which is its business, they end as if it had been closed.
 */
const FORGOTTEN = new FinalizationRegistry<{ pool: Pool; checkpoint: Checkpoint }>(
  ({ pool, checkpoint }) => {
    void pool.close().catch(() => {});
    void checkpoint.close().catch(() => {});
  },
);

/**
 * WebAssembly SIMD kernels over a checkpoint, in as many threads as are asked for: the same bits
 * with any.
 */
export class WasmEngine implements Engine {
  readonly name: string;
  readonly layout: MemoryLayout;
  readonly weightBytes: number;
  readonly #config: LlamaConfig;
  readonly #checkpoint: Checkpoint;
  readonly #memories: WebAssembly.Memory[];
  readonly #pool: Pool;
  readonly #passes: Passes;
  readonly #pages: CountedPages;

  /**
   * Reads and packs the weights. Throws OUT_OF_MEMORY, before anything is allocated, if the machine
   * has not enough for them and the context.
   *
   * @param store keeps packed weights, and gives them back the next time
   */
  static async load(
    config: LlamaConfig,
    checkpoint: Checkpoint,
    options: WasmOptions = {},
    store?: PackedStore,
  ): Promise<WasmEngine> {
    checkWeights(config, checkpoint);
    const layout = layoutFor(config, checkpoint, options);
    checkMemory(layout, contextOf(config, options) ?? 0);
    const engine = new WasmEngine(
      config,
      checkpoint,
      layout,
      await compileKernels(options.wide ?? 'off', options.build),
    );
    try {
      const loading = { checkpoint, layout, memories: engine.#memories, pool: engine.#pool };
      await placeWeights(loading, options, store);
    } catch (error) {
      await engine.#release();
      throw error;
    }
    return engine;
  }

  private constructor(
    config: LlamaConfig,
    checkpoint: Checkpoint,
    layout: MemoryLayout,
    { build, module }: CompiledKernels,
  ) {
    const { format } = layout.places[mapLayer(0, name => name).qProj];
    const cache = layout.cache === 'f32' ? '' : `-cache-${layout.cache}`;
    this.name = `wasm-${format}${cache}${isWide(build) ? '-wide' : ''}`;
    this.#config = config;
    this.#checkpoint = checkpoint;
    this.weightBytes = weightBytes(config, checkpoint);
    this.layout = layout;
    this.#memories = layout.banks.map(({ kvBase }) => allocateMemory(kvBase));
    const cores = platform.cores();
    const words = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
    const control = new Control(words, layout.threads, cores);
    const shared = {
      module,
      memories: this.#memories,
      config,
      layout,
      control: words,
      cores,
    };
    const setups = Array.from({ length: layout.threads }, (_, index) => ({ ...shared, index }));
    this.#pool = new Pool(setups, control);
    this.#passes = new Passes(layout, this.#pool, control);
    FORGOTTEN.register(this, { pool: this.#pool, checkpoint }, this);
    this.#pages = new CountedPages(layout.maxPages, {
      pageBytes: pageBytesOf(layout),
      growTo: pages => this.#growTo(pages),
      partsOf: page => this.#partsOf(page),
    });
  }

  /** There are as many as option `context` has room for. */
  get pages(): PageCounts {
    return this.#pages;
  }

  /** A new sequence of no positions; it takes pages of 64 positions as it grows. */
  createSequence(): WasmSequence {
    return new WasmSequence(this, this.#pages);
  }

  /** Neither the build of the kernels is in it, nor threads and banks: they give the same bits. */
  describePages(): string {
    const { cache, places } = this.layout;
    const formats = Object.entries(places).map(([name, { format }]) => [name, format]);
    return describePages(this.#config, { engine: 'wasm', cache, weights: formats });
  }

  async forward(
    rows: readonly Row<EngineSequence>[],
    logitsFor: readonly number[],
    options: ForwardOptions,
  ): Promise<BatchResult> {
    return this.#passes.compute(rows as readonly Row<WasmSequence>[], logitsFor, options);
  }

  /** Ends the workers, gives the memory back, and closes the checkpoint. */
  async close(): Promise<void> {
    await this.#release();
    await this.#checkpoint.close();
  }

  async #release(): Promise<void> {
    FORGOTTEN.unregister(this);
    await this.#pool.close();
    this.#memories.length = 0; // whoever has the array no longer has the memories
    platform.collectGarbage();
  }

  #growTo(pages: number): void {
    checkMemory(this.layout, pages * PAGE_POSITIONS);
    this.layout.banks.forEach(({ kvBase, pageBytes }, i) => {
      growMemory(this.#memories[i], kvBase + pages * pageBytes);
    });
  }

  /** Layer by layer, so that in how many banks they lie does not matter. */
  #partsOf(page: number): PageParts {
    return this.layout.banks.map(({ kvBase, pageBytes }, i) => {
      return new Uint8Array(this.#memories[i].buffer, kvBase + page * pageBytes, pageBytes);
    });
  }
}
