/**
 * The arithmetic under the model: what `src/model` needs, and nothing about how it is done.
 *
 * The operations have the names and the argument order of `src/ops`, which specifies them. `T` is a
 * tensor as these kernels hold it: for the exact kernels an array of numbers, for the WASM kernels
 * a place in a memory.
 */

import type { Tensor } from '../base/tensor.js';
import type { LlamaConfig } from './config.js';
import type { Row } from './sequence.js';
import type { LayerWeights } from './weights.js';

export interface Shaped {
  readonly shape: readonly number[];
}

export interface Kernels<T extends Shaped> {
  /** An activation; its content is undefined until an operation has written it. */
  tensor(...shape: number[]): T;

  /** out[i] = row `indices[i]` of `table`, which is a weight or an activation. */
  embedding(out: T, table: T, indices: readonly number[]): void;
  rmsnorm(out: T, x: T, weight: T, eps: number): void;
  /** A promise if it can take so long that others must have a turn. */
  matmul(out: T, x: T, weight: T): Awaitable<void>;
  ropeTable(cosines: T, sines: T, positions: readonly number[], frequencies: Float32Array): void;
  rope(x: T, cosines: T, sines: T): void;
  /** Writes keys and values [R, K·d] of `layer` at their rows' positions. */
  store(layer: number, keys: T, values: T, rows: readonly Row<object>[]): void;
  /**
   * out, query [R, H·d]. Calls `observe` with each row's probabilities [H, T], if given: they are
   * scratch, so copy them.
   */
  attention(
    out: T,
    query: T,
    layer: number,
    rows: readonly Row<object>[],
    config: LlamaConfig,
    observe?: (row: number, probabilities: Tensor) => void,
  ): Awaitable<void>;
  swiglu(out: T, gate: T, up: T): void;
  add(out: T, x: T, y: T): void;
}

/** Where a forward pass gets its weights from; matrices have one row per output. */
export interface ModelWeights<T> {
  /** A table that holds the embeddings [≤ V, D] of `tokens`, and where in it each of them is. */
  embedding(
    tokens: readonly number[],
  ): Awaitable<{ readonly table: T; readonly indices: readonly number[] }>;
  layer(index: number): Awaitable<LayerWeights<T>>;
  norm(): Awaitable<T>; // [D]
  lmHead(): Awaitable<T>; // [V, D]
}

/** Kernels that have their weights at hand need not wait for them. */
export type Awaitable<T> = T | Promise<T>;
