/**
 * The arithmetic under the model: what `src/model` needs, and nothing about how it is done.
 *
 * The operations have the names and the argument order of `src/ops`, which specifies them. Implementations choose where tensors
 * live and how fast they are: `exact` binds `src/ops` as it stands.
 */
import type { CheckpointTensor } from '../checkpoint/checkpoint.js';
import type { LlamaConfig } from '../config.js';
import type { Tensor } from '../tensor.js';

/** The keys and values of one text. Positions 0 … length − 1 are filled. */
export interface Sequence {
  readonly length: number;
  /** Forgets all positions from `length` on, to continue from there. */
  truncate(length: number): void;
  /** Gives the memory back; the sequence cannot be used afterwards. */
  dispose(): void;
}

/** One token of one sequence at one position. */
export interface Row {
  readonly token: number;
  readonly position: number;
  readonly sequence: Sequence;
}

export interface Kernels {
  /** `exact-f64`, for instance: says which arithmetic made a result. */
  readonly name: string;

  createSequence(config: LlamaConfig): Sequence;
  /** After a forward pass: `rows` are now part of their sequences. */
  commit(rows: readonly Row[]): void;

  /** An activation, zeroed. */
  tensor(...shape: number[]): Tensor;
  /** Rows first … first + count − 1 of a checkpoint's tensor (all of it if not given), as these kernels want it. */
  load(tensor: CheckpointTensor, first?: number, count?: number): Promise<Tensor>;

  embedding(out: Tensor, table: Tensor, tokens: readonly number[]): void;
  rmsnorm(out: Tensor, x: Tensor, weight: Tensor, eps: number): void;
  matmul(out: Tensor, x: Tensor, weight: Tensor): void;
  ropeTable(cosines: Tensor, sines: Tensor, positions: readonly number[], frequencies: Float32Array): void;
  rope(x: Tensor, cosines: Tensor, sines: Tensor): void;
  /** Writes keys and values [R, K·d] of `layer` at their rows' positions. */
  store(layer: number, keys: Tensor, values: Tensor, rows: readonly Row[]): void;
  /** out, query [R, H·d]. Calls `observe` with each row's probabilities [H, T], if given: they are scratch, so copy them. */
  attention(
    out: Tensor,
    query: Tensor,
    layer: number,
    rows: readonly Row[],
    config: LlamaConfig,
    observe?: (row: number, probabilities: Tensor) => void,
  ): void;
  swiglu(out: Tensor, gate: Tensor, up: Tensor): void;
  add(out: Tensor, x: Tensor, y: Tensor): void;
}
