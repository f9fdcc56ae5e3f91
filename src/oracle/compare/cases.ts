/** From what somebody gave to what is compared. */
import type { Floats } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { tensorNames } from '../../model/trace.js';
import type { Dump, DumpTensor } from '../dump/check-dump.js';
import type { Asked, AskedLogits } from '../endpoint/asked.js';
import { ROUND } from '../noise/types.js';
import type { Observed, ObservedRow } from '../observed/observed.js';

/** Tensors of a dump, in the order of computation. */
export function observedTensors({ tensors }: Dump, config: LlamaConfig): Observed[] {
  return tensorNames(config).flatMap(name => {
    const tensor = tensors.get(name);
    return tensor === undefined ? [] : [observedTensor(name, tensor)];
  });
}

function observedTensor(name: string, { rows, data, dtype }: DumpTensor): Observed {
  const round = dtype === 'F64' ? exactly : ROUND[dtype.toLowerCase() as keyof typeof ROUND];
  return { name, rows: rowsOf(rows, data), round };
}

const exactly = (x: number): number => x;

function rowsOf(positions: readonly number[], data: Floats): ObservedRow[] {
  const width = data.length / positions.length;
  return positions.map((position, i) => ({
    position,
    theirs: data.subarray(i * width, (i + 1) * width),
  }));
}

/** All logits of some positions. */
export const observedLogits = ({ positions, logits }: AskedLogits): Observed[] => [
  { name: 'lm_head', rows: rowsOf(positions, logits.data), round: exactly },
];

/** Log-probabilities of some tokens at some positions. */
export function observedScores({ scores }: Asked): Observed[] {
  const rows = scores.map(({ position, logprobs }) => ({
    position,
    columns: [...logprobs.keys()],
    theirs: Float64Array.from(logprobs.values()),
  }));
  return [{ name: 'lm_head', rows, isNormalized: true, round: exactly }];
}
