/**
 * What runs forward passes: the exact kernels in the calling thread, or the WASM kernels in a pool
 * of workers.
 */

import type { Tensor } from '../base/tensor.js';
import type { Row, Sequence } from './kernels.js';
import type { Trace } from './trace.js';

export interface ForwardOptions {
  /** Which rows' logits to compute, as indices into the rows; the last one if not given. */
  readonly logitsFor?: readonly number[];
  /** Looked at before every layer; a cancelled pass leaves all sequences as they were. */
  readonly signal?: AbortSignal | undefined;
  readonly trace?: Trace | undefined;
  /** How many layers are done, of how many. */
  readonly onLayer?: ((done: number, total: number) => void) | undefined;
}

export interface Engine {
  /** `exact-f64`, for instance: says which arithmetic made a result. */
  readonly name: string;
  createSequence(): Sequence;
  /**
   * `rows` are valid: see `checks.ts`. Their positions are part of their sequences when the promise
   * is fulfilled, and not before.
   */
  forward(
    rows: readonly Row[],
    logitsFor: readonly number[],
    options: ForwardOptions,
  ): Promise<Tensor>;
  close(): Promise<void>;
}
