/** What the engine and its workers say to each other. */
import type { Tensor } from '../../../base/tensor.js';
import type { LlamaConfig } from '../../../model/config.js';
import type { MemoryLayout } from '../memory/layout.js';
import type { BlockFormat, PackedFormat } from '../memory/weight-formats.js';

export interface WorkerSetup {
  readonly module: WebAssembly.Module;
  readonly memories: readonly WebAssembly.Memory[];
  readonly config: LlamaConfig;
  readonly layout: MemoryLayout;
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly index: number;
  readonly cores: number;
}

/**
 * What packing starts from: numbers, or llama.cpp's blocks, which become tiles of the same blocks.
 */
export type PackedDType = 'F32' | 'F16' | 'BF16' | Uppercase<BlockFormat>;

/** Pack rows of a matrix that lie in a staging buffer. */
export interface PackJob {
  readonly kind: 'pack';
  readonly bank: number;
  readonly dtype: PackedDType;
  readonly source: number;
  readonly rowBytes: number;
  readonly rows: number;
  readonly columns: number;
  readonly format: PackedFormat;
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
  /** The names of the tensors to trace. */
  readonly trace: readonly string[];
}

/** A tensor that was to be traced. */
export interface Traced extends Tensor {
  readonly name: string;
}

export type Job = PackJob | PassJob;

export interface Done {
  readonly kind: 'done';
  /** How many numbers the format could not hold: of a matrix, or of each sequence of a pass. */
  readonly tooLarge: readonly number[];
  readonly logits?: Float32Array<ArrayBuffer>;
  readonly traced?: readonly Traced[];
}

/** Every worker answers every job; of a pass, the first one has the results. */
export type Answer =
  | Done
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly message: string };

/** How many numbers, of sequence `which` of a pass, all workers together could not store. */
export function tooLargeIn(answers: readonly Answer[], which = 0): number {
  const counts = answers.map(answer => (answer.kind === 'done' ? answer.tooLarge[which] : 0));
  return counts.reduce((sum, count) => sum + count, 0);
}
