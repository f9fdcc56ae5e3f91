/**
 * Weights into the banks: packed from the checkpoint, or as they were packed the last time, if
 * somebody keeps that.
 */
import type { Checkpoint } from '../../../model/checkpoint.js';
import { isBlockDType } from '../../../model/dtypes.js';
import type { MemoryLayout } from '../memory/layout.js';
import { LAYOUT_VERSION } from '../memory/weight-formats.js';
import { type LoadHooks, loadWeights } from './load-weights.js';
import type { Pool } from './pool.js';

/** Keeps packed weights from one loading to the next. What it keeps, it gives back to the bit. */
export interface PackedStore {
  /**
   * Whether `bytes` are to be kept. `isComputed`: of blocks, or from blocks; 16 and 32 bit numbers
   * are only put into another order, which takes no longer than reading them.
   */
  wants(bytes: number, isComputed: boolean): boolean;
  /**
   * Fills `parts`, which hold zeros, with what was kept under `key`. False if there is nothing, or
   * nothing to be believed; then they hold zeros again.
   */
  read(key: string, parts: readonly Uint8Array[], hooks: LoadHooks): Promise<boolean>;
  /** Whether there is room for `parts`, after it was made. */
  makeRoom(parts: readonly Uint8Array[]): Promise<boolean>;
  /** Keeps `parts` under `key`, if it can. */
  write(key: string, parts: readonly Uint8Array[], hooks: LoadHooks): Promise<void>;
}

/** What is to be loaded, and into what. */
export interface Loading {
  readonly checkpoint: Checkpoint;
  readonly layout: MemoryLayout;
  readonly memories: readonly WebAssembly.Memory[];
  readonly pool: Pool;
}

export async function placeWeights(
  loading: Loading,
  hooks: LoadHooks,
  store?: PackedStore,
): Promise<void> {
  const { checkpoint, layout, memories, pool } = loading;
  const pack = (own: LoadHooks) => loadWeights(checkpoint, layout, memories, pool, own);
  const parts = partsOf(layout, memories);
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  const key = store?.wants(bytes, isComputed(loading)) ? await keyOf(loading) : undefined;
  if (store === undefined || key === undefined) return pack(hooks);
  if (await store.read(key, parts, hooks)) return;
  if (!(await store.makeRoom(parts))) return pack(hooks);
  const [packing, writing] = inHalves(hooks);
  await pack(packing);
  const isUnchanged = (await keyOf(loading)) === key; // while it was read
  if (isUnchanged) await store.write(key, parts, writing);
  writing.onProgress(bytes, bytes);
}

function isComputed({ checkpoint, layout }: Loading): boolean {
  const isQuantized = Object.values(layout.places).some(({ format }) => format.startsWith('q'));
  return isQuantized || [...checkpoint.tensors.values()].some(({ dtype }) => isBlockDType(dtype));
}

/** The weights in the banks, in the order of their places. */
function partsOf({ places }: MemoryLayout, memories: readonly WebAssembly.Memory[]): Uint8Array[] {
  return Object.values(places).map(
    ({ bank, pointer, bytes }) => new Uint8Array(memories[bank].buffer, pointer, bytes),
  );
}

/**
 * All that decides which bytes packing makes; undefined if the checkpoint cannot be told from
 * others. Where they lie, in how many banks, is not in it: it depends on threads and context.
 */
async function keyOf({ checkpoint, layout }: Loading): Promise<string | undefined> {
  const identity = await checkpoint.identify?.();
  if (identity === undefined) return undefined;
  const weights = Object.entries(layout.places).map(([name, { format, shape }]) => {
    return [name, format, shape];
  });
  return JSON.stringify({ layout: LAYOUT_VERSION, identity, weights });
}

/** For two jobs on the same bytes, one after the other: progress is that of both together. */
function inHalves({ signal, onProgress }: LoadHooks) {
  const half = (before: number) => ({
    signal,
    onProgress: (done: number, total: number) => onProgress?.(before * total + done, 2 * total),
  });
  return [half(0), half(1)] as const;
}
