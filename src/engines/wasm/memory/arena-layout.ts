/**
 * Where things are in the arena, and how large it must be: found by doing everything that is done
 * in it, without a memory, so that no sum is written twice.
 */
import type { LlamaConfig } from '../../../model/config.js';
import { createRunState } from '../../../model/run-state.js';
import { reserveCopy } from './activation-copy.js';
import { Arena } from './arena.js';
import type { CacheFormat } from './cache-formats.js';
import { UNIT_BYTES } from './shared-memory.js';
import { reserveStaging, type Staging } from './staging.js';
import { reserveScratch, type ThreadScratch } from './thread-scratch.js';

export interface ArenaNeeds {
  readonly cache: CacheFormat;
  /** Rows computed at a time. */
  readonly maxRows: number;
  /** Of all sequences together. */
  readonly maxPages: number;
  readonly threads: number;
}

/** Pointers, the same in every bank. */
export interface ArenaLayout {
  /** Of each thread. */
  readonly scratch: readonly ThreadScratch[];
  /** Where what all threads share begins. */
  readonly shared: number;
  /** What lies there instead while weights are loaded. */
  readonly staging: Staging;
  readonly end: number;
}

/** Where the arena begins. What lies before stays free: no pointer is 0. */
const START = UNIT_BYTES;

/** An arena for the largest pass, and for loading. */
export function layOutArena(config: LlamaConfig, needs: ArenaNeeds): ArenaLayout {
  const own = new Arena(START);
  const scratch = reserveScratch(own, config, needs);
  const shared = new Arena(own.end);
  reserveLargestPass(shared, config, needs);
  const loading = new Arena(START);
  const staging = reserveStaging(loading, config, needs.threads);
  return { scratch, shared: own.end, staging, end: Math.max(shared.end, loading.end) };
}

/** `maxRows` rows, each of another sequence that has all pages, with logits for each. */
function reserveLargestPass(arena: Arena, config: LlamaConfig, needs: ArenaNeeds): void {
  const { maxRows, maxPages } = needs;
  for (let sequence = 0; sequence < maxRows; sequence++) reservePageTable(arena, maxPages);
  reserveCopy(arena, config, maxRows);
  createRunState(arena, config, maxRows, maxRows);
}

/** Where the numbers of a sequence's pages are written down for attention. */
export function reservePageTable(arena: Arena, pages: number): number {
  return arena.reserve(pages * 4);
}
