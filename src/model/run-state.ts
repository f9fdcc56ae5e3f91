/**
 * The activations of one forward pass over R rows: every buffer the blocks write to, allocated once and used by each layer in turn.
 */
import type { LlamaConfig } from '../config.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Tensor } from '../tensor.js';

export interface RunState {
  readonly residual: Tensor; // [R, D]   the stream that every sublayer reads from and adds to
  readonly normed: Tensor; // [R, D]     input of a sublayer
  readonly output: Tensor; // [R, D]     output of a sublayer
  readonly query: Tensor; // [R, H·d]
  readonly key: Tensor; // [R, K·d]
  readonly value: Tensor; // [R, K·d]
  readonly context: Tensor; // [R, H·d]
  readonly gate: Tensor; // [R, F]
  readonly up: Tensor; // [R, F]
  readonly cosines: Tensor; // [R, d/2]
  readonly sines: Tensor; // [R, d/2]
}

export function createRunState(kernels: Kernels, config: LlamaConfig, rows: number): RunState {
  const queryWidth = config.numAttentionHeads * config.headDim;
  const keyWidth = config.numKeyValueHeads * config.headDim;
  return {
    residual: kernels.tensor(rows, config.hiddenSize),
    normed: kernels.tensor(rows, config.hiddenSize),
    output: kernels.tensor(rows, config.hiddenSize),
    query: kernels.tensor(rows, queryWidth),
    key: kernels.tensor(rows, keyWidth),
    value: kernels.tensor(rows, keyWidth),
    context: kernels.tensor(rows, queryWidth),
    gate: kernels.tensor(rows, config.intermediateSize),
    up: kernels.tensor(rows, config.intermediateSize),
    cosines: kernels.tensor(rows, config.headDim / 2),
    sines: kernels.tensor(rows, config.headDim / 2),
  };
}
