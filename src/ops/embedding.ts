/**
 * Token embedding: row r of the result is row tokens[r] of the table.
 *
 *   out[r] = E[tokens[r]]
 *
 * Numerics: a copy. Llama does not scale embeddings (Gemma does, by √D).
 */
import type { Tensor } from '../base/tensor.js';

/** out [R, D], table [V, D], tokens [R] in 0 … V − 1. */
export function embedding(out: Tensor, table: Tensor, tokens: readonly number[]): void {
  const width = table.shape[1];
  for (let r = 0; r < tokens.length; r++) {
    const start = tokens[r] * width;
    out.data.set(table.data.subarray(start, start + width), r * width);
  }
}
