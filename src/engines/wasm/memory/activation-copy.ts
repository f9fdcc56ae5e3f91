/** The one copy of an activation, in a form that its products want, that there is room for. */
import type { LlamaConfig } from '../../../model/config.js';
import type { Arena } from './arena.js';
import { blocksOf } from './weight-formats.js';

/** The most that 32 numbers take in any form, as float32 (asm/README.md). */
const BLOCK_BYTES = 128;
/** … of its sums: 80 bytes beside 256 numbers. */
const SUM_BYTES = 10;

/** Pointers into one bank. */
export interface ActivationCopy {
  readonly numbers: number;
  readonly scales: number;
  readonly sums: number;
  bank: number;
}

/** Room for `rows` rows of any activation that is multiplied with a matrix. */
export function reserveCopy(arena: Arena, config: LlamaConfig, rows: number): ActivationCopy {
  const blocks = rows * blocksOf(widestInput(config));
  return {
    numbers: arena.reserve(blocks * BLOCK_BYTES),
    scales: arena.reserve(blocks * 4),
    sums: arena.reserve(blocks * SUM_BYTES),
    bank: 0,
  };
}

/** The longest row that is ever multiplied with a matrix. */
export function widestInput({
  hiddenSize,
  intermediateSize,
  numAttentionHeads,
  headDim,
}: LlamaConfig): number {
  return Math.max(hiddenSize, intermediateSize, numAttentionHeads * headDim);
}
