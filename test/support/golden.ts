/**
 * Golden files for tests, see `test/support/golden-files.ts`, and the passes that many tests take.
 */

import type { Floats } from '../../src/base/tensor.js';
import { readTokens } from '../../src/model/chunks.js';
import type { Llama } from '../../src/model/llama.js';

export { rowsAfter as continuing } from '../../src/model/chunks.js';
export { goldenPath, openGolden, readIntegers, readTensors } from './golden-files.js';

/** Logits [tokens, V] of all tokens, fed in chunks of `chunk`. */
export async function allLogits(
  model: Llama,
  tokens: readonly number[],
  chunk = tokens.length,
): Promise<Floats> {
  const all = new Float64Array(tokens.length * model.config.vocabSize);
  for await (const { index, logits } of readTokens(model, tokens, { chunkSize: chunk })) {
    all.set(logits, index * model.config.vocabSize);
  }
  return all;
}
