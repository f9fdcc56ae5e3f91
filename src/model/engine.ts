/**
 * What runs forward passes: the exact kernels in the calling thread, or the WASM kernels in a pool
 * of workers.
 */

import type { LlamaError } from '../base/errors.js';
import { abortSignal, callback, listOf, type OptionTable } from '../base/options.js';
import type { Tensor } from '../base/tensor.js';
import type { EngineSequence } from './engine-sequence.js';
import type { Row, Sequence } from './sequence.js';
import type { Trace } from './trace.js';

/** What a forward pass gives beside its logits, and how it is stopped. */
export interface ForwardOptions {
  /**
   * Which rows' logits to compute, as indices into the rows, in any order and any number of times;
   * the last one if not given.
   */
  readonly logitsFor?: readonly number[] | undefined;
  /** Looked at before every layer; a cancelled pass leaves all sequences as they were. */
  readonly signal?: AbortSignal | undefined;
  /** Is told every tensor that is computed, once it is. Default: nobody is. */
  readonly trace?: Trace | undefined;
  /**
   * Which tensors `trace` is told, by the names in `trace.ts`; `*` stands for any text. Default:
   * all.
   */
  readonly traceNames?: readonly string[] | undefined;
  /** How many layers are done, of how many. What it throws cancels the pass, and is its reason. */
  readonly onLayer?: ((done: number, total: number) => void) | undefined;
}

export const FORWARD: OptionTable<ForwardOptions> = {
  logitsFor: { range: listOf('numbers of rows', () => true) },
  signal: { range: abortSignal },
  trace: { range: callback },
  traceNames: { range: listOf('names of tensors', () => true) },
  onLayer: { range: callback },
};

/** What a forward pass over several sequences came to. */
export interface BatchResult {
  /** [logitsFor.length, V]; NaN in the rows of sequences that failed. */
  readonly logits: Tensor;
  /**
   * The sequences that did not get their positions, and why: NOT_FINITE, OUT_OF_MEMORY, or DISPOSED
   * for those disposed of meanwhile. All others got theirs.
   */
  readonly failures: ReadonlyMap<Sequence, LlamaError>;
}

/** Pages of the keys and values of all sequences of an engine, as they are when they are read. */
export interface PageCounts {
  /** Held by one sequence or several. */
  readonly inUse: number;
  /** When so many are in use, the next one is refused with OUT_OF_MEMORY. */
  readonly total: number;
}

/** What computes a model's forward passes: `ExactEngine` or `WasmEngine`. */
export interface Engine {
  /** `exact-f64`, for instance: says which arithmetic made a result. */
  readonly name: string;
  /** Of all its weights, as the files have them. */
  readonly weightBytes: number;
  /** Not there if nothing limits sequences but the machine's memory. */
  readonly pages?: PageCounts | undefined;
  /** A new sequence of no positions. */
  createSequence(): EngineSequence;
  /**
   * All that decides, beside the weights' numbers and the tokens, which bytes the pages of a
   * sequence are (`Sequence.exportPages`): a text that is another one when they may be others.
   */
  describePages(): string;
  /**
   * `rows` are valid (see `checks.ts`), and of sequences of this engine, whose lengths it leaves to
   * the caller; none is twice in `logitsFor`. Rejects with the signal's reason, and with whatever
   * ends the pass for all; what ends it for one sequence is in the result. Whether logits are
   * finite, and sequences disposed, the caller finds out.
   */
  forward(
    rows: readonly Row<EngineSequence>[],
    logitsFor: readonly number[],
    options: ForwardOptions,
  ): Promise<BatchResult>;
  /** Frees everything that the engine holds; nothing can be computed afterwards. */
  close(): Promise<void>;
}
