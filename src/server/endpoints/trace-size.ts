/** How large a trace will be, known before it is computed. */
import { elementCount } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { ApiError } from '../errors/api-error.js';

/** It is held in memory until it is written. */
const MAX_BYTES = 2 ** 30;

/** @throws {ApiError} 400 if the tensors of `names` have more bytes than are held */
export function checkSize(
  config: LlamaConfig,
  names: readonly string[],
  tokens: number,
  positions: number,
): void {
  let bytes = 0;
  for (const name of names) bytes += 4 * elementCount(shapeOf(name, config, tokens, positions));
  if (bytes <= MAX_BYTES) return;
  throw new ApiError(
    400,
    'trace_too_large',
    `the ${names.length} tensors of ${tokens} tokens have ${bytes} bytes, and the limit is ` +
      `${MAX_BYTES}; ask for fewer names or positions, or use llama-32k logits --trace`,
    { param: 'names', extra: { max_bytes: MAX_BYTES } },
  );
}

/** See the table of `src/model/trace.ts`. */
function shapeOf(
  name: string,
  config: LlamaConfig,
  tokens: number,
  positions: number,
): readonly number[] {
  const { vocabSize, hiddenSize, intermediateSize, headDim } = config;
  const { numAttentionHeads: heads, numKeyValueHeads: keyHeads } = config;
  if (name === 'lm_head') return [positions, vocabSize];
  if (name === 'model.norm') return [positions, hiddenSize];
  if (name.endsWith('.probabilities')) return [tokens, heads, tokens];
  if (/\.(k_proj|v_proj|k_rotated)$/.test(name)) return [tokens, keyHeads * headDim];
  if (/\.(q_proj|q_rotated|context)$/.test(name)) return [tokens, heads * headDim];
  if (/\.(gate_proj|up_proj|swiglu)$/.test(name)) return [tokens, intermediateSize];
  return [tokens, hiddenSize];
}
