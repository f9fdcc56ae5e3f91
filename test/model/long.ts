/** 8,300 real positions (golden/long): what the tests of each arithmetic share. */

import type { Tensor } from '../../src/base/tensor.js';
import type { NumericsName } from '../../src/ops/rounding.js';
import { continuing, openGolden, readIntegers, readTensors } from '../support/golden.js';

/** Logits [13, V] at positions 0 … 8,299 of one pass over the whole text. */
export async function longLogits(numerics: NumericsName): Promise<Tensor> {
  const model = await openGolden('long', numerics);
  const tokens = await readIntegers('long/tokens.safetensors', 'tokens');
  const positions = await readIntegers('long/tokens.safetensors', 'positions');
  const logits = await model.forward(continuing(model.createSequence(), tokens), {
    logitsFor: positions,
  });
  await model.close();
  return logits;
}

export async function goldenLongLogits(numerics: NumericsName): Promise<Tensor> {
  const logits = (await readTensors(`long/logits-${numerics}.safetensors`)).get('logits');
  if (logits === undefined) throw new Error('golden/long has no logits');
  return logits;
}
