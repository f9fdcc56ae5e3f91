/** What every thread has for itself while it computes, before the arena that all share. */
import type { LlamaConfig } from '../../../model/config.js';
import type { Arena } from './arena.js';
import { ATTENTION_HEADS, ATTENTION_ROWS, attentionScratchBytes } from './attention-scratch.js';
import type { CacheFormat } from './cache-formats.js';
import { TILE } from './weight-formats.js';

/** 256 numbers of 16 outputs, as float32 (`asm/matmul-float.ts`). */
export const PANEL_BYTES = 256 * TILE * 4;

/** Pointers, the same in every bank. */
export interface ThreadScratch {
  /** Indices of rows to look up. */
  readonly indices: number;
  /** A panel of weights as float32, or the running sums of few rows. */
  readonly panel: number;
  /** What attention needs for one call. */
  readonly attention: number;
}

/** Room for each of `threads` threads that compute at most `maxRows` rows at a time. */
export function reserveScratch(
  arena: Arena,
  config: LlamaConfig,
  { cache, maxRows, threads }: { cache: CacheFormat; maxRows: number; threads: number },
): ThreadScratch[] {
  const { headDim, numAttentionHeads, numKeyValueHeads } = config;
  const groupSize = numAttentionHeads / numKeyValueHeads;
  const heads = Math.min(ATTENTION_HEADS, numKeyValueHeads);
  const shape = { headDim, groupSize, heads, rows: ATTENTION_ROWS };
  return Array.from({ length: threads }, () => ({
    indices: arena.reserve(maxRows * 4),
    panel: arena.reserve(PANEL_BYTES),
    attention: arena.reserve(attentionScratchBytes(cache, shape)),
  }));
}
