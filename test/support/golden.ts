/**
 * Golden files for tests, see `test/support/golden-files.ts`, and the passes that many tests take.
 */

import type { Floats } from '../../src/base/tensor.js';
import type { Row } from '../../src/model/kernels.js';
import type { Llama } from '../../src/model/llama.js';

export { goldenPath, openGolden, readIntegers, readTensors } from './golden-files.js';

/** The rows that continue `sequence` with `tokens`. */
export function continuing(sequence: Row['sequence'], tokens: readonly number[]): Row[] {
  return tokens.map((token, i) => ({ token, position: sequence.length + i, sequence }));
}

/** Logits [tokens, V] of all tokens, fed in chunks of `chunk`. */
export async function allLogits(
  model: Llama,
  tokens: readonly number[],
  chunk = tokens.length,
): Promise<Floats> {
  const sequence = model.createSequence();
  const logits = new Float64Array(tokens.length * model.config.vocabSize);
  for (let start = 0; start < tokens.length; start += chunk) {
    const rows = continuing(sequence, tokens.slice(start, start + chunk));
    const { data } = await model.forward(rows, { logitsFor: [...rows.keys()] });
    logits.set(data, start * model.config.vocabSize);
  }
  sequence.dispose();
  return logits;
}
