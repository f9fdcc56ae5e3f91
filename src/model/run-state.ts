/**
 * The activations of one forward pass over R rows: every buffer the blocks write to, allocated once
 * and used by each layer in turn.
 */
import type { LlamaConfig } from './config.js';
import type { Kernels, Shaped } from './kernels.js';

export interface RunState<T> {
  readonly residual: T; // [R, D]   the stream that every sublayer reads from and adds to
  readonly normed: T; // [R, D]     input of a sublayer
  readonly output: T; // [R, D]     output of a sublayer
  readonly query: T; // [R, H·d]
  readonly key: T; // [R, K·d]
  readonly value: T; // [R, K·d]
  readonly context: T; // [R, H·d]
  readonly gate: T; // [R, F]
  readonly up: T; // [R, F]
  readonly cosines: T; // [R, d/2]
  readonly sines: T; // [R, d/2]
  readonly last: T; // [n, D]       the residual of the n rows whose logits were asked for
  readonly logits: T; // [n, V]
}

export function createRunState<T extends Shaped>(
  kernels: Pick<Kernels<T>, 'tensor'>,
  config: LlamaConfig,
  rows: number,
  logitsFor: number,
): RunState<T> {
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
    last: kernels.tensor(logitsFor, config.hiddenSize),
    logits: kernels.tensor(logitsFor, config.vocabSize),
  };
}
