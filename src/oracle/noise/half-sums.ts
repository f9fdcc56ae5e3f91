/**
 * Attention as llama.cpp's flash attention takes it on a processor where keys and values are kept
 * in f16: the query is rounded to f16 before it meets them, and the sum of values is kept in f16,
 * so that every token of the text rounds it once more (ggml's `VKQ16`). That is by design, and its
 * default; what it loses grows with the text and is several times what f16 keys and values lose.
 */
import type { Floats, Tensor } from '../../base/tensor.js';
import type { Past } from '../../engines/exact/exact-kernels.js';
import type { Kernels } from '../../model/kernels.js';
import { attentionProbabilities } from '../../ops/attention.js';
import { ROUNDINGS } from '../../ops/rounding.js';
import { override } from '../run/run.js';
import { ROUND } from './types.js';

export function withHalfSums(kernels: Kernels<Tensor>): Kernels<Tensor> {
  return override(kernels, {
    attention: async (out, query, layer, rows, config, observe) => {
      const { numAttentionHeads: numHeads, numKeyValueHeads, headDim } = config;
      const shape = { numHeads, numKeyValueHeads, headDim };
      const width = numHeads * headDim;
      for (const [r, { sequence, position }] of rows.entries()) {
        const visible = (sequence as Past).visible(layer, position);
        const { count } = visible;
        const row = [r * width, (r + 1) * width] as const;
        const rounded = query.data.slice(...row).map(ROUND.f16);
        const probabilities = new Float64Array(numHeads * count);
        attentionProbabilities(probabilities, rounded, visible, shape, ROUNDINGS.f32);
        for (let h = 0; h < numHeads; h++) {
          const keyValueHead = Math.floor(h / (numHeads / numKeyValueHeads)) * headDim;
          const context = out.data.subarray(row[0] + h * headDim, row[0] + (h + 1) * headDim);
          const own = probabilities.subarray(h * count, (h + 1) * count);
          sumInHalf(context, own, visible.values, keyValueHead, numKeyValueHeads * headDim);
        }
        observe?.(r, { shape: [numHeads, count], data: probabilities });
      }
    },
  });
}

/** Before they are divided by their sum, probabilities are at most 1: in f16 that has room. */
function sumInHalf(
  out: Floats,
  probabilities: Float64Array,
  values: Floats,
  first: number,
  stride: number,
): void {
  const largest = probabilities.reduce((most, p) => Math.max(most, p), 0);
  out.fill(0);
  for (const [t, p] of probabilities.entries())
    for (let i = 0; i < out.length; i++)
      out[i] = ROUND.f16(out[i] + (p / largest) * values[first + t * stride + i]);
  for (let i = 0; i < out.length; i++) out[i] *= largest;
}
