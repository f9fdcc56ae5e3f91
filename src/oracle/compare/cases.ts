/** From what somebody gave to what is compared. */
import type { Floats } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { tensorNames } from '../../model/trace.js';
import type { Dump, DumpTensor } from '../dump/check-dump.js';
import type { Asked } from '../endpoint/asked.js';
import { ROUND } from '../noise/types.js';
import type { Observed } from '../observed/observed.js';

/** Tensors of a dump, in the order of computation. */
export function observedTensors({ tensors }: Dump, config: LlamaConfig): Observed[] {
  return tensorNames(config).flatMap(name => {
    const tensor = tensors.get(name);
    return tensor === undefined ? [] : [observedTensor(name, tensor)];
  });
}

function observedTensor(name: string, { rows, data, dtype }: DumpTensor): Observed {
  const width = data.length / rows.length;
  const rowAt = (i: number): Floats => data.subarray(i * width, (i + 1) * width);
  return {
    name,
    rows: rows.map((position, i) => ({ position, theirs: rowAt(i) })),
    round: dtype === 'F64' ? x => x : ROUND[dtype.toLowerCase() as keyof typeof ROUND],
  };
}

/** Log-probabilities of some tokens at some positions. */
export function observedScores({ scores }: Asked): Observed[] {
  const rows = scores.map(({ position, logprobs }) => ({
    position,
    columns: [...logprobs.keys()],
    theirs: Float64Array.from(logprobs.values()),
  }));
  return [{ name: 'lm_head', rows, isNormalized: true, round: x => x }];
}
