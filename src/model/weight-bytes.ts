/** How large the weights of a model are. */
import { sum } from '../base/sum.js';
import type { Checkpoint } from './checkpoint.js';
import type { LlamaConfig } from './config.js';
import { expectedWeights } from './weights.js';

/** Bytes that the files of `checkpoint`, which has them, take for the weights of `config`. */
export function weightBytes(config: LlamaConfig, { tensors }: Checkpoint): number {
  return sum([...expectedWeights(config).keys()].map(name => tensors.get(name)!.byteLength));
}
