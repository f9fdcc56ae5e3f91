/**
 * One layer of Llama (Touvron et al., arXiv:2302.13971, §2.2): two sublayers, each behind a norm
 * and beside a residual connection.
 *
 *   x ← x + attention(rmsnorm(x))
 *   x ← x + mlp(rmsnorm(x))
 */

import { elementCount, type Floats, type Tensor, zerosLike } from '../base/tensor.js';
import type { LlamaConfig } from './config.js';
import type { Kernels, Shaped } from './kernels.js';
import type { RunState } from './run-state.js';
import type { Row } from './sequence.js';
import type { Tracer } from './trace.js';
import type { LayerWeights } from './weights.js';

/** What is the same for every layer of one forward pass. */
export interface Pass<T extends Shaped> {
  readonly kernels: Kernels<T>;
  readonly config: LlamaConfig;
  readonly rows: readonly Row<object>[];
  readonly state: RunState<T>;
  /** For tensors of these kernels; it asks first whether they are wanted. */
  readonly trace?: ((name: string, tensor: T) => void) | undefined;
  readonly tracer?: Tracer<T> | undefined;
}

export async function block<T extends Shaped>(
  pass: Pass<T>,
  layer: number,
  weights: LayerWeights<T>,
): Promise<void> {
  const { kernels, config, state, trace } = pass;
  const name = `model.layers.${layer}`;

  // [R, D]
  kernels.rmsnorm(state.normed, state.residual, weights.inputLayernorm, config.rmsNormEps);
  trace?.(`${name}.input_layernorm`, state.normed);
  await selfAttention(pass, layer, weights, `${name}.self_attn`);
  kernels.add(state.residual, state.residual, state.output);
  trace?.(`${name}.self_attn.residual`, state.residual);

  // [R, D]
  kernels.rmsnorm(state.normed, state.residual, weights.postAttentionLayernorm, config.rmsNormEps);
  trace?.(`${name}.post_attention_layernorm`, state.normed);
  await feedForward(pass, weights, `${name}.mlp`);
  kernels.add(state.residual, state.residual, state.output);
  trace?.(name, state.residual);
}

/** output = Wo · attention(rope(Wq·normed), rope(Wk·normed), Wv·normed) */
async function selfAttention<T extends Shaped>(
  { kernels, config, rows, state, trace, tracer }: Pass<T>,
  layer: number,
  weights: LayerWeights<T>,
  name: string,
): Promise<void> {
  const { normed, query, key, value, cosines, sines, context, output } = state;

  await kernels.matmul(query, normed, weights.qProj); // [R, H·d]
  trace?.(`${name}.q_proj`, query);
  await kernels.matmul(key, normed, weights.kProj); // [R, K·d]
  trace?.(`${name}.k_proj`, key);
  await kernels.matmul(value, normed, weights.vProj); // [R, K·d]
  trace?.(`${name}.v_proj`, value);

  kernels.rope(query, cosines, sines);
  trace?.(`${name}.q_rotated`, query);
  kernels.rope(key, cosines, sines);
  trace?.(`${name}.k_rotated`, key);

  kernels.store(layer, key, value, rows);
  const traced = `${name}.probabilities`;
  const recorder = tracer?.wants(traced) ? probabilityRecorder(rows, config) : undefined;
  await kernels.attention(context, query, layer, rows, config, recorder?.observe); // [R, H·d]
  if (recorder) tracer?.traceNumbers(traced, recorder.tensor());
  trace?.(`${name}.context`, context);

  await kernels.matmul(output, context, weights.oProj); // [R, D]
  trace?.(`${name}.o_proj`, output);
}

/** output = Wdown · (silu(Wgate·normed) · (Wup·normed)) */
async function feedForward<T extends Shaped>(
  { kernels, state, trace }: Pass<T>,
  weights: LayerWeights<T>,
  name: string,
): Promise<void> {
  const { normed, gate, up, output } = state;

  await kernels.matmul(gate, normed, weights.gateProj); // [R, F]
  trace?.(`${name}.gate_proj`, gate);
  await kernels.matmul(up, normed, weights.upProj); // [R, F]
  trace?.(`${name}.up_proj`, up);
  kernels.swiglu(gate, gate, up);
  trace?.(`${name}.swiglu`, gate);
  await kernels.matmul(output, gate, weights.downProj); // [R, D]
  trace?.(`${name}.down_proj`, output);
}

/**
 * Collects each row's attention weights [H, T of that row] into one tensor [R, H, T of the longest
 * row].
 */
function probabilityRecorder(rows: readonly Row<object>[], { numAttentionHeads }: LlamaConfig) {
  const longest = rows.reduce((most, { position }) => Math.max(most, position + 1), 0);
  const shape = [rows.length, numAttentionHeads, longest]; // [R, H, T]
  let data: Floats = new Float32Array(0);
  const observe = (row: number, { shape: [heads, count], data: seen }: Tensor) => {
    if (data.length === 0) data = zerosLike(seen, elementCount(shape));
    for (let h = 0; h < heads; h++) {
      data.set(seen.subarray(h * count, (h + 1) * count), (row * heads + h) * longest);
    }
  };
  return { observe, tensor: (): Tensor => ({ shape, data }) };
}
