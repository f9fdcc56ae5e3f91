/**
 * What the arena is while weights are loaded: two buffers through which they pass on their way in,
 * and for every thread a tile as float32.
 */
import { alignTo } from '../../../base/align.js';
import type { LlamaConfig } from '../../../model/config.js';
import { widestInput } from './activation-copy.js';
import type { Arena } from './arena.js';
import { TILE } from './weight-formats.js';

/** Of a buffer. */
export const STAGING_BYTES = 4 * 2 ** 20;

/** Pointers, the same in every bank. */
export interface Staging {
  readonly buffers: readonly [number, number];
  /** Of each thread. */
  readonly tiles: readonly number[];
}

/** Packing writes whole vectors of eight numbers: a tile has room for the last of them. */
export function reserveStaging(arena: Arena, config: LlamaConfig, threads: number): Staging {
  const tileBytes = TILE * alignTo(widestInput(config), 8) * 4;
  return {
    buffers: [arena.reserve(STAGING_BYTES), arena.reserve(STAGING_BYTES)],
    tiles: Array.from({ length: threads }, () => arena.reserve(tileBytes)),
  };
}
