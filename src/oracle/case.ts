/** What is compared with what, and how. */
import type { Checkpoint } from '../model/checkpoint.js';
import type { LlamaConfig } from '../model/config.js';
import type { Mutant } from './mutants/mutant.js';
import type { DeclaredType } from './noise/types.js';
import type { Observed } from './observed/observed.js';

/** Theirs, beside the model that it should be. */
export interface Case {
  /** For messages. */
  readonly model: string;
  readonly config: LlamaConfig;
  readonly checkpoint: Checkpoint;
  readonly type: DeclaredType;
  readonly tokens: readonly number[];
  /** In the order of computation. */
  readonly observed: readonly Observed[];
  readonly notes: readonly string[];
}

export interface CompareOptions {
  readonly mutants: readonly Mutant[];
  /** One of `mutants` that changes every number: the oracle must see it, or it does not work. */
  readonly grossBug: Mutant;
  /** Arithmetics that are drawn for the budget. Default 12. */
  readonly samples?: number | undefined;
  /** How often honest arithmetic may be refused, for a whole comparison. Default 0.001. */
  readonly falseAlarmRate?: number | undefined;
  readonly seed?: number | undefined;
  /**
   * What is right: the exact kernels in float64, or, where that takes too long, the WASM engine.
   * Default auto.
   */
  readonly truth?: 'auto' | 'exact' | 'engine' | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of the runs of a part of the work. */
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}
