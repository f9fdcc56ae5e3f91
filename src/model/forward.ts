/**
 * Llama, whole: tokens in, logits out.
 *
 *   x      = E[tokens]
 *   x      = block₀(x), block₁(x), …
 *   logits = Whead · rmsnorm(x)
 *
 * A forward pass takes rows: (token, position, sequence) triples. A prompt is many rows of one
 * sequence, a decoding step one row of each of many sequences, and any mixture is allowed; there is
 * no second code path. Each row's result depends on its own sequence alone.
 *
 * `config.ts` says what the letters of shapes such as [R, D] stand for.
 */

import { ropeFrequencies } from '../ops/rope.js';
import { block, type Pass } from './block.js';
import type { LlamaConfig } from './config.js';
import type { Awaitable, Kernels, ModelWeights, Shaped } from './kernels.js';
import { createRunState } from './run-state.js';
import type { Row } from './sequence.js';
import type { Tracer } from './trace.js';

export interface ForwardHooks<T> {
  readonly tracer?: Tracer<T> | undefined;
  /** Before layer `done` of `total`, and once more after the last. Cancels the pass by throwing. */
  readonly betweenLayers?: (done: number, total: number) => Awaitable<void>;
}

/**
 * Logits [logitsFor.length, V]: row i scores every token as the successor of `rows[logitsFor[i]]`.
 */
export async function forward<T extends Shaped>(
  kernels: Kernels<T>,
  config: LlamaConfig,
  weights: ModelWeights<T>,
  rows: readonly Row<object>[],
  logitsFor: readonly number[],
  { tracer, betweenLayers }: ForwardHooks<T> = {},
): Promise<T> {
  const { numHiddenLayers, headDim, ropeTheta, ropeScaling, rmsNormEps } = config;
  const trace =
    tracer &&
    ((name: string, x: T) => {
      if (tracer.wants(name)) tracer.trace(name, x);
    });
  const state = createRunState(kernels, config, rows.length, logitsFor.length);
  const pass: Pass<T> = { kernels, config, rows, state, trace, tracer };

  const { table, indices } = await weights.embedding(rows.map(row => row.token));
  kernels.embedding(state.residual, table, indices); // [R, D]
  trace?.('model.embed_tokens', state.residual);

  const frequencies = ropeFrequencies(headDim, ropeTheta, ropeScaling);
  kernels.ropeTable(
    state.cosines,
    state.sines,
    rows.map(row => row.position),
    frequencies,
  ); // [R, d/2]
  for (let layer = 0; layer < numHiddenLayers; layer++) {
    await betweenLayers?.(layer, numHiddenLayers);
    await block(pass, layer, await weights.layer(layer));
  }
  await betweenLayers?.(numHiddenLayers, numHiddenLayers);

  const { last, logits } = state;
  // every chunk of a prompt but the last: no need to touch the head
  if (logitsFor.length === 0) return logits;
  kernels.embedding(last, state.residual, logitsFor); // the rows asked for
  kernels.rmsnorm(last, last, await weights.norm(), rmsNormEps);
  trace?.('model.norm', last);
  await kernels.matmul(logits, last, await weights.lmHead()); // [logitsFor.length, V]
  trace?.('lm_head', logits);
  return logits;
}
