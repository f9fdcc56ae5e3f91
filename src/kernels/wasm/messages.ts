/** What the engine and its workers say to each other. */
import type { LlamaConfig } from '../../config.js';
import type { WeightFormat } from './formats.js';
import type { Build } from './module.js';
import type { Plan } from './plan.js';

export interface WorkerSetup {
  readonly module: WebAssembly.Module;
  readonly build: Build;
  readonly memories: readonly WebAssembly.Memory[];
  readonly config: LlamaConfig;
  readonly plan: Plan;
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly index: number;
  readonly cores: number;
}

/** Pack rows of a matrix that lie in a staging buffer. */
export interface PackJob {
  readonly kind: 'pack';
  readonly shard: number;
  readonly dtype: 'F32' | 'F16' | 'BF16';
  readonly source: number;
  readonly rows: number;
  readonly columns: number;
  readonly format: WeightFormat;
  /** Where the tile of the first row goes. */
  readonly target: number;
}

/** One forward pass. */
export interface PassJob {
  readonly kind: 'pass';
  readonly tokens: readonly number[];
  readonly positions: readonly number[];
  /** For each row, an index into `pageTables`. */
  readonly sequences: readonly number[];
  readonly pageTables: readonly (readonly number[])[];
  readonly logitsFor: readonly number[];
}

export type Job = PackJob | PassJob;

/** Every worker answers every job, and says how many numbers its format could not hold; of a pass, the first one has the logits. */
export type Answer =
  | { readonly kind: 'done'; readonly tooLarge: number; readonly logits?: Float32Array }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly message: string };

/** How many numbers all workers together could not store. */
export function tooLargeIn(answers: readonly Answer[]): number {
  return answers.reduce((sum, answer) => sum + (answer.kind === 'done' ? answer.tooLarge : 0), 0);
}
