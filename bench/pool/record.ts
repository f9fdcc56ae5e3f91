/**
 * What every thread of the pool is asked to do in a forward pass: the engine's own code over
 * kernels that compute nothing, so that operations, shares, pieces and barriers are those of the
 * engine, whatever they become.
 */

import type { KernelExports } from '../../src/engines/wasm/kernels/exports.js';
import { KERNELS } from '../../src/engines/wasm/kernels/exports.js';
import { PlacedWeights } from '../../src/engines/wasm/kernels/placed-weights.js';
import { WasmKernels } from '../../src/engines/wasm/kernels/wasm-kernels.js';
import { makeLayout } from '../../src/engines/wasm/memory/layout.js';
import { CONTROL_WORDS, Control } from '../../src/engines/wasm/threads/control.js';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import type { Checkpoint } from '../../src/model/checkpoint.js';
import type { LlamaConfig } from '../../src/model/config.js';
import { forward } from '../../src/model/forward.js';
import { expectedWeights } from '../../src/model/weights.js';
import { configJson } from '../random-checkpoint.js';
import type { Shape } from '../shapes.js';
import { isDealt, type Work, workOf } from './work.js';

/** Between two meetings of threads, at a barrier or over pieces that are dealt out. */
export interface Step {
  /** The part of this thread alone, before it comes there. */
  readonly own: Work[];
  /** Where it comes to: pieces, each for whoever asks first; or a barrier, or the end. */
  next: 'barrier' | 'end' | Work[];
}

export interface PassShape {
  readonly shape: Shape;
  readonly weights: 'f32' | 'bf16' | 'f16' | 'q8_0' | 'q4_0';
  readonly threads: number;
  /** Consecutive positions of one sequence, the last of which wants logits. */
  readonly rows: number;
}

/** For each thread what it goes through; all meet at the same places. */
export async function recordPass(pass: PassShape): Promise<Step[][]> {
  const config = parseConfig(configJson(pass.shape));
  return Promise.all(
    Array.from({ length: pass.threads }, (_, index) => recordThread(config, pass, index)),
  );
}

async function recordThread(
  config: LlamaConfig,
  { weights, threads, rows: count }: PassShape,
  index: number,
): Promise<Step[]> {
  const layout = makeLayout(config, checkpointOf(config), {
    ...{ weights, threads, cache: 'f32', maxRows: count, context: count },
  } as const);
  const recorder = new Recorder(threads);
  const memory = { buffer: new SharedArrayBuffer(layout.arena.end) } as WebAssembly.Memory;
  const banks = layout.banks.map(() => ({ memory, kernels: recorder.kernels }));
  const kernels = new WasmKernels(config, banks, layout, recorder, index);
  const pages = Array.from({ length: layout.maxPages }, (_, page) => page);
  const sequence = { pages };
  const rows = Array.from({ length: count }, (_, position) => ({ token: 0, position, sequence }));
  kernels.begin(rows);
  kernels.settle(
    await forward(kernels, config, new PlacedWeights(layout), rows, [count - 1]), // [1, V]
  );
  return recorder.steps;
}

/** A control that lets its one thread through every barrier and gives it every piece. */
class Recorder extends Control {
  readonly steps: Step[] = [{ own: [], next: 'end' }];
  readonly kernels: KernelExports;
  #operation = -1;
  #dealt = 0;

  constructor(threads: number) {
    super(new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4)), threads, threads);
    const record = (name: string) => [name, (...args: number[]) => this.#add(name, args)];
    this.kernels = Object.fromEntries(Object.keys(KERNELS).map(record));
  }

  override wait(): void {
    this.#meet('barrier');
  }

  override deal(operation: number, size: number): number {
    if (operation !== this.#operation) {
      this.#operation = operation;
      this.#dealt = 0;
      this.#meet([]);
    }
    const from = this.#dealt;
    this.#dealt += size;
    return from;
  }

  #meet(next: Step['next']): void {
    this.steps[this.steps.length - 1].next = next;
    this.steps.push({ own: [], next: 'end' });
  }

  #add(name: string, args: readonly number[]): undefined {
    const pieces = this.steps.at(-2)?.next;
    const to =
      isDealt(name) && Array.isArray(pieces) ? pieces : this.steps[this.steps.length - 1].own;
    to.push(workOf(name, args));
  }
}

/** With tensors that have sizes, and no numbers. */
function checkpointOf(config: LlamaConfig): Checkpoint {
  const none = () => Promise.reject(new Error('nothing to read'));
  const tensors = [...expectedWeights(config)].map(([name, shape]) => {
    const byteLength = 2 * shape.reduce((product, size) => product * size, 1);
    const tensor = { name, dtype: 'F16', shape, byteLength } as const;
    return [name, { ...tensor, read: none, readInto: none, readBytes: none }] as const;
  });
  return { name: 'sizes', tensors: new Map(tensors), close: async () => {} };
}
