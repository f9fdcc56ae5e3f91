/**
 * Attention whose probabilities are changed before values are weighted with them, or whose values
 * are those of other heads.
 */
import type { Floats, Tensor } from '../../base/tensor.js';
import type { Past } from '../../engines/exact/exact-kernels.js';
import type { LlamaConfig } from '../../model/config.js';
import type { HeadShape, Visible } from '../../ops/attention.js';
import type { Setup } from '../run/setup.js';
import { changeKernels, rowOf } from './changes.js';

/** Changes the probabilities [H, T] of one token in place. */
export type ChangeOfProbabilities = (
  probabilities: Tensor,
  query: Floats,
  visible: Visible,
) => void;

/** By query head, which head of keys and values is its own. */
type HeadOf = (queryHead: number) => number;

/** Consecutive heads share one. */
export function sharedHead({ numAttentionHeads, numKeyValueHeads }: LlamaConfig): HeadOf {
  const groupSize = numAttentionHeads / numKeyValueHeads;
  return h => Math.floor(h / groupSize);
}

export function changeProbabilities(
  setup: Setup,
  change: ChangeOfProbabilities,
  valueHead: HeadOf = sharedHead(setup.config),
): Setup {
  const { numAttentionHeads: numHeads, numKeyValueHeads, headDim } = setup.config;
  const shape = { numHeads, numKeyValueHeads, headDim };
  return changeKernels(setup, kernels => ({
    attention: (out, query, layer, rows, config, observe) =>
      kernels.attention(out, query, layer, rows, config, (r, probabilities) => {
        const { sequence, position } = rows[r];
        const visible = (sequence as Past).visible(layer, position);
        change(probabilities, rowOf(query, r), visible);
        weighValues(rowOf(out, r), probabilities, visible, shape, valueHead);
        observe?.(r, probabilities);
      }),
  }));
}

/** out [H, d] = Σ_t p[h, t] · v[t, valueHead(h)] */
function weighValues(
  out: Floats,
  { data: p }: Tensor,
  { values, count }: Visible,
  { numHeads, numKeyValueHeads, headDim }: HeadShape,
  valueHead: HeadOf,
): void {
  out.fill(0);
  for (let h = 0; h < numHeads; h++) {
    for (let t = 0; t < count; t++) {
      const weight = p[h * count + t];
      const value = (t * numKeyValueHeads + valueHead(h)) * headDim;
      for (let i = 0; i < headDim; i++) out[h * headDim + i] += weight * values[value + i];
    }
  }
}
