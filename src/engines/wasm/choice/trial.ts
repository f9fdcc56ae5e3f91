/**
 * A build of the kernels at work on the trial model, in this thread: everything that a pass
 * computes, to the bit.
 */
import { forward } from '../../../model/forward.js';
import type { Tracer } from '../../../model/trace.js';
import type { Bank } from '../kernels/lock-step.js';
import { PlacedWeights } from '../kernels/placed-weights.js';
import { WasmKernels } from '../kernels/wasm-kernels.js';
import type { WasmTensor } from '../memory/arena.js';
import type { CacheFormat } from '../memory/cache-formats.js';
import type { MemoryLayout } from '../memory/layout.js';
import { CONTROL_WORDS, Control } from '../threads/control.js';
import { layOutTrial, placeTrial, TRIAL } from './trial-model.js';

/** The most rows of a pass; with those after them, more than a page of 64 positions. */
export const MOST_ROWS = 67;

/** A model that is loaded, into a memory that others may have had before. */
export class Trial {
  readonly #layout: MemoryLayout;
  readonly #kernels: WasmKernels;
  readonly #control: Control;
  readonly #sequence = { pages: [0, 1] };

  constructor(bank: Bank, cache: CacheFormat) {
    const layout = layOutTrial(cache, MOST_ROWS);
    placeTrial(bank, layout);
    const words = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
    this.#control = new Control(words, 1, 1);
    this.#kernels = new WasmKernels(TRIAL, [bank], layout, this.#control, 0);
    this.#layout = layout;
  }

  /** Bytes that a memory for it must have. */
  static bytes(cache: CacheFormat): number {
    const [{ kvBase, pageBytes }] = layOutTrial(cache, MOST_ROWS).banks;
    return kvBase + 2 * pageBytes;
  }

  /** Every tensor of a pass over positions `first … first + rows − 1`. */
  async compute(first: number, rows: number): Promise<readonly Uint32Array[]> {
    const bits: Uint32Array[] = [];
    await this.pass(first, rows, {
      wants: name => !name.endsWith('probabilities'), // which kernels do not compute
      trace: (_, x) => bits.push(new Uint32Array(this.#kernels.read(x).data.buffer)),
      traceNumbers: () => {},
    });
    return bits;
  }

  /** The same, for the time that it takes. */
  async pass(first: number, rows: number, tracer?: Tracer<WasmTensor>): Promise<void> {
    const batch = Array.from({ length: rows }, (_, r) => ({
      token: (first + 3 * r) % TRIAL.vocabSize,
      position: first + r,
      sequence: this.#sequence,
    }));
    this.#control.begin();
    this.#kernels.begin(batch);
    const weights = new PlacedWeights(this.#layout);
    const logitsFor = batch.map((_, r) => r); // so that the head has as many rows as the layers
    await forward(this.#kernels, TRIAL, weights, batch, logitsFor, { tracer });
  }
}
