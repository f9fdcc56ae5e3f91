/**
 * The WASM kernels over a checkpoint, in a pool of workers.
 */

import { LlamaError } from '../../base/errors.js';
import { checkValues } from '../../base/options.js';
import { checkWeights } from '../../model/check-weights.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { LlamaConfig } from '../../model/config.js';
import type { BatchResult, Engine, ForwardOptions } from '../../model/engine.js';
import type { EngineSequence } from '../../model/engine-sequence.js';
import type { Row } from '../../model/sequence.js';
import { mapLayer } from '../../model/weights.js';
import { type CompiledKernels, compileKernels } from './kernels/builds.js';
import { PAGE_POSITIONS } from './memory/cache-formats.js';
import { type MemoryLayout, makeLayout } from './memory/layout.js';
import { checkMemory } from './memory/memory-needs.js';
import { CountedPages, WasmSequence } from './memory/paged-sequence.js';
import { allocateMemory, growMemory } from './memory/shared-memory.js';
import { MAX_THREADS, WASM, type WasmOptions } from './options.js';
import { PassTrace } from './pass-trace.js';
import { platform } from './platform/here.js';
import { CONTROL_WORDS, Control } from './threads/control.js';
import { loadWeights } from './workers/load-weights.js';
import { type Answer, type Done, type PassJob, tooLargeIn } from './workers/messages.js';
import { Pool } from './workers/pool.js';

export function defaultThreads(): number {
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
  readonly #checkpoint: Checkpoint;
  readonly #memories: WebAssembly.Memory[];
  readonly #control: Control;
  readonly #pool: Pool;
  readonly #pages: CountedPages;

  /**
   * Reads and packs the weights. Throws OUT_OF_MEMORY, before anything is allocated, if the machine
   * has not enough for them and the context.
   */
  static async load(
    config: LlamaConfig,
    checkpoint: Checkpoint,
    options: WasmOptions = {},
  ): Promise<WasmEngine> {
    checkWeights(config, checkpoint);
    const layout = layoutFor(config, checkpoint, options);
    checkMemory(layout, contextOf(config, options) ?? 0);
    const engine = new WasmEngine(config, checkpoint, layout, await compileKernels(options.build));
    try {
      await loadWeights(checkpoint, layout, engine.#memories, engine.#pool, options);
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
    this.name = `wasm-${format}${layout.cache === 'f32' ? '' : `-cache-${layout.cache}`}`;
    this.#checkpoint = checkpoint;
    this.layout = layout;
    this.#memories = layout.banks.map(({ kvBase }) => allocateMemory(kvBase));
    const cores = platform.cores();
    const words = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
    this.#control = new Control(words, layout.threads, cores);
    const shared = {
      module,
      build,
      memories: this.#memories,
      config,
      layout,
      control: words,
      cores,
    };
    const setups = Array.from({ length: layout.threads }, (_, index) => ({ ...shared, index }));
    this.#pool = new Pool(setups, this.#control);
    FORGOTTEN.register(this, { pool: this.#pool, checkpoint }, this);
    this.#pages = new CountedPages(
      layout.maxPages,
      pages => this.#growTo(pages),
      (from, to) => this.#copyPage(from, to),
    );
  }

  /** A new sequence of no positions; it takes pages of 64 positions as it grows. */
  createSequence(): WasmSequence {
    return new WasmSequence(this, this.#pages);
  }

  async forward(
    rows: readonly Row<EngineSequence>[],
    logitsFor: readonly number[],
    options: ForwardOptions,
  ): Promise<BatchResult> {
    const trace = new PassTrace(options, this.#layers, logitsFor);
    this.#pool.checkAlive();
    try {
      return await this.#passes(rows as readonly Row<WasmSequence>[], logitsFor, options, trace);
    } finally {
      trace.tell();
    }
  }

  /** As many as the rows need. */
  async #passes(
    own: readonly Row<WasmSequence>[],
    logitsFor: readonly number[],
    { signal, onLayer }: ForwardOptions,
    trace: PassTrace,
  ): Promise<BatchResult> {
    const failures = prepare(own);
    const { vocabSize, maxRows } = this.layout;
    const logits = new Float32Array(logitsFor.length * vocabSize);
    const passes = Math.ceil(own.length / maxRows);
    for (let pass = 0; pass < passes; pass++) {
      const part = rowsOfPart(own, pass * maxRows, (pass + 1) * maxRows, failures);
      const places = new Map(part.map((row, place) => [row, place]));
      const wanted = logitsFor
        .map((row, i) => ({ place: places.get(row), i }))
        .filter((x): x is { place: number; i: number } => x.place !== undefined);
      const progress = (done: number, total: number) =>
        onLayer?.(pass * total + done, passes * total);
      const { logits: computed, traced = [] } = await this.#pass(
        part.map(row => own[row]),
        wanted.map(({ place }) => place),
        failures,
        { signal, progress, trace: trace.names },
      );
      const wantedRows = wanted.map(({ i }) => logitsFor[i]);
      trace.take(traced, part, wantedRows, Math.min(own.length, (pass + 1) * maxRows));
      wanted.forEach(({ i }, j) => {
        logits.set(computed.subarray(j * vocabSize, (j + 1) * vocabSize), i * vocabSize);
      });
    }
    return { logits: { shape: [logitsFor.length, vocabSize], data: logits }, failures };
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

  /** Logits of rows `logitsFor`. Adds to `failures` the sequences whose keys are no numbers. */
  async #pass(
    rows: readonly Row<WasmSequence>[],
    logitsFor: readonly number[],
    failures: Failures,
    { signal, progress, trace }: PassHooks,
  ): Promise<PassResult> {
    signal?.throwIfAborted();
    if (rows.length === 0) return { logits: new Float32Array(0) };
    const sequences = [...new Set(rows.map(({ sequence }) => sequence))];
    const job: PassJob = {
      kind: 'pass',
      tokens: rows.map(({ token }) => token),
      positions: rows.map(({ position }) => position),
      sequences: rows.map(({ sequence }) => sequences.indexOf(sequence)),
      pageTables: sequences.map(({ pages }) => pages),
      logitsFor,
      trace,
    };
    const answers = await this.#run(job, signal, progress);
    sequences.forEach((sequence, which) => {
      const tooLarge = tooLargeIn(answers, which);
      if (tooLarge > 0) failures.set(sequence, notStored(tooLarge, rows, sequence));
    });
    progress(this.#layers, this.#layers);
    return leaderOf(answers);
  }

  /** Progress is told, and cancelling heard, from when the workers begin. */
  async #run(
    job: PassJob,
    signal: AbortSignal | undefined,
    onLayer: (done: number, total: number) => void,
  ): Promise<readonly Answer[]> {
    const cancel = () => this.#control.cancel();
    let watch: ReturnType<typeof setInterval> | undefined;
    try {
      const answers = await this.#pool.run(job, () => {
        watch = setInterval(() => onLayer(this.#control.layersDone, this.#layers), 100);
        signal?.addEventListener('abort', cancel);
        if (signal?.aborted) cancel();
      });
      if (answers.some(({ kind }) => kind === 'cancelled'))
        throw signal?.reason ?? new Error('cancelled');
      return answers;
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', cancel);
    }
  }

  get #layers(): number {
    return this.layout.banks[this.layout.banks.length - 1].endLayer;
  }

  #growTo(pages: number): void {
    checkMemory(this.layout, pages * PAGE_POSITIONS);
    this.layout.banks.forEach(({ kvBase, pageBytes }, i) => {
      growMemory(this.#memories[i], kvBase + pages * pageBytes);
    });
  }

  #copyPage(from: number, to: number): void {
    this.layout.banks.forEach(({ kvBase, pageBytes }, i) => {
      new Uint8Array(this.#memories[i].buffer).copyWithin(
        kvBase + to * pageBytes,
        kvBase + from * pageBytes,
        kvBase + (from + 1) * pageBytes,
      );
    });
  }
}

interface PassHooks {
  readonly signal: AbortSignal | undefined;
  readonly progress: (done: number, total: number) => void;
  /** The names of the tensors to trace. */
  readonly trace: readonly string[];
}

/** What the thread that reads results has read. */
type PassResult = Pick<Done, 'traced'> & { readonly logits: Float32Array };

function leaderOf(answers: readonly Answer[]): PassResult {
  return answers.flatMap(answer =>
    answer.kind === 'done' && answer.logits ? [{ ...answer, logits: answer.logits }] : [],
  )[0];
}

type Failures = Map<EngineSequence, LlamaError>;

/** Room for the positions of `rows`; the sequences for which there is none. */
function prepare(rows: readonly Row<WasmSequence>[]): Failures {
  const failures: Failures = new Map();
  const lengths = new Map(rows.map(({ sequence, position }) => [sequence, position + 1]));
  for (const [sequence, length] of lengths) {
    try {
      sequence.prepare(length);
    } catch (error) {
      if (!(error instanceof LlamaError)) throw error;
      failures.set(sequence, error);
    }
  }
  return failures;
}

/** Which of rows `start` … `end − 1` are still wanted. */
function rowsOfPart(
  rows: readonly Row<WasmSequence>[],
  start: number,
  end: number,
  failures: Failures,
): number[] {
  const numbers = rows.slice(start, end).map((_, i) => start + i);
  return numbers.filter(row => {
    const { sequence } = rows[row];
    return !sequence.isDisposed && !failures.has(sequence);
  });
}

function notStored(
  tooLarge: number,
  rows: readonly Row<WasmSequence>[],
  sequence: WasmSequence,
): LlamaError {
  const positions = rows.filter(row => row.sequence === sequence).map(({ position }) => position);
  return new LlamaError(
    'NOT_FINITE',
    `${tooLarge} keys or values of a pass over positions ${positions[0]} to ${positions.at(-1)} ` +
      'are no f16 numbers: 65520 or more, or NaN; load with cache f32 or q8',
  );
}
