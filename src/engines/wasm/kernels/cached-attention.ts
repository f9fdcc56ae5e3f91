/**
 * Attention over the keys and values of the sequences in a pass, and storing them: pages of 64
 * positions in the bank of their layer.
 */
import type { Floats, Tensor } from '../../../base/tensor.js';
import type { LlamaConfig } from '../../../model/config.js';
import { PAGE_POSITIONS, type Row } from '../../../model/sequence.js';
import { attentionProbabilities } from '../../../ops/attention.js';
import { ROUNDINGS } from '../../../ops/rounding.js';
import type { Arena, WasmTensor } from '../memory/arena.js';
import { reservePageTable } from '../memory/arena-layout.js';
import { ATTENTION_HEADS, ATTENTION_ROWS } from '../memory/attention-scratch.js';
import { readKeys } from '../memory/cached-keys.js';
import type { BankLayout, MemoryLayout } from '../memory/layout.js';
import type { KernelExports } from './exports.js';
import type { LockStep } from './lock-step.js';

/** A sequence as the workers see it: where its pages are. */
export interface PagedSequence {
  readonly pages: readonly number[];
}

export class CachedAttention {
  readonly #config: LlamaConfig;
  readonly #layout: MemoryLayout;
  readonly #lockStep: LockStep;
  /** Of this thread, in every bank. */
  readonly #scratch: number;
  /** Stands for keys and values of all layers. */
  readonly #cache = {};
  #pageTables = new Map<object, number>();
  /** How many keys and values of this pass the format of the cache could not hold. */
  readonly #tooLarge = new Map<object, number>();

  constructor(config: LlamaConfig, layout: MemoryLayout, lockStep: LockStep, scratch: number) {
    this.#config = config;
    this.#layout = layout;
    this.#lockStep = lockStep;
    this.#scratch = scratch;
  }

  /** Before every pass: the page tables of all sequences in it, in every bank. */
  begin(arena: Arena, rows: readonly Row<object>[]): void {
    this.#tooLarge.clear();
    this.#pageTables = new Map();
    for (const { sequence } of rows) {
      if (this.#pageTables.has(sequence)) continue;
      const { pages } = sequence as PagedSequence;
      const pointer = reservePageTable(arena, pages.length);
      this.#pageTables.set(sequence, pointer);
      if (!this.#lockStep.isLeader) continue;
      for (const { memory } of this.#lockStep.banks)
        new Uint32Array(memory.buffer, pointer, pages.length).set(pages);
    }
  }

  /** Writes keys and values [R, K·d] of `layer` at their rows' positions. */
  store(layer: number, keys: WasmTensor, values: WasmTensor, rows: readonly Row<object>[]): void {
    const { bank, kvBase, pageBytes } = this.#pagesOf(layer);
    const { kernels } = this.#lockStep.enter(bank, [keys, values], [this.#cache], rows.length);
    const storeRow = kernels[STORE[this.#layout.cache]];
    const { numKeyValueHeads, headDim } = this.#config;
    const source = [keys.pointer, keys.stride, values.pointer, values.stride];
    const [from, to] = this.#lockStep.share(rows.length);
    for (let r = from; r < to; r++) {
      const { position, sequence } = rows[r];
      const page = (sequence as PagedSequence).pages[Math.floor(position / PAGE_POSITIONS)];
      const slot = position % PAGE_POSITIONS;
      const target = [kvBase + page * pageBytes, slot];
      const tooLarge = storeRow(...source, r, ...target, numKeyValueHeads, headDim) ?? 0;
      if (tooLarge > 0) this.#tooLarge.set(sequence, this.tooLargeOf(sequence) + tooLarge);
    }
  }

  /** How many keys and values of `sequence` this thread could not store in this pass. */
  tooLargeOf(sequence: object): number {
    return this.#tooLarge.get(sequence) ?? 0;
  }

  /** out, query [R, H·d] */
  attend(out: WasmTensor, query: WasmTensor, layer: number, rows: readonly Row<object>[]): void {
    const { bank, kvBase, pageBytes } = this.#pagesOf(layer);
    const { kernels } = this.#lockStep.enter(bank, [query, this.#cache], [out]);
    const attention = kernels[ATTENTION[this.#layout.cache]];
    const { numAttentionHeads, numKeyValueHeads, headDim } = this.#config;
    const groupSize = numAttentionHeads / numKeyValueHeads;
    const scale = Math.fround(1 / Math.sqrt(headDim));
    const runs = runsOf(rows);
    // Heads in a call read one stretch of memory; but every thread should have work.
    const perThread = Math.ceil(numKeyValueHeads / (2 * this.#lockStep.threads));
    const heads = Math.min(ATTENTION_HEADS, perThread);
    const calls = Math.ceil(numKeyValueHeads / heads);
    this.#lockStep.deal(runs.length * calls, (from, to) => {
      for (let item = from; item < to; item++) {
        const { first, count } = runs[Math.floor(item / calls)];
        const { position, sequence } = rows[first];
        const offset = first * query.stride * 4;
        const firstHead = (item % calls) * heads;
        attention(
          ...[out.pointer + offset, query.pointer + offset, query.stride, count],
          ...[this.#pageTables.get(sequence) as number, kvBase, pageBytes, position + 1],
          ...[
            firstHead,
            Math.min(firstHead + heads, numKeyValueHeads),
            numKeyValueHeads,
            groupSize,
            headDim,
            scale,
            this.#scratch,
          ],
        );
      }
    });
  }

  /**
   * Tells `observe` what share each row of query [R, H·d] gives to each position it sees. The
   * kernels keep no such numbers: they are computed again, by the specification, from the keys as
   * cached.
   */
  observe(
    layer: number,
    rows: readonly Row<object>[],
    query: Floats,
    observe: (row: number, probabilities: Tensor) => void,
  ): void {
    const { numAttentionHeads: numHeads, numKeyValueHeads, headDim } = this.#config;
    const shape = { numHeads, numKeyValueHeads, headDim };
    const width = numHeads * headDim;
    const keysOf = this.#keyReader(layer, rows);
    for (const [r, { sequence, position }] of rows.entries()) {
      const visible = { keys: keysOf(sequence), count: position + 1 };
      const data = new Float32Array(numHeads * visible.count); // [H, T]
      const row = query.subarray(r * width, (r + 1) * width); // [H·d]
      attentionProbabilities(data, row, visible, shape, ROUNDINGS.f32);
      observe(r, { shape: [numHeads, visible.count], data });
    }
  }

  /** What gives all keys [T, K·d] that the rows of a sequence see, each sequence's read once. */
  #keyReader(layer: number, rows: readonly Row<object>[]): (sequence: object) => Float32Array {
    const { bank, kvBase, pageBytes } = this.#pagesOf(layer);
    const { numKeyValueHeads, headDim } = this.#config;
    const { buffer } = this.#lockStep.banks[bank].memory;
    const shape = { format: this.#layout.cache, numKeyValueHeads, headDim };
    const lengths = new Map(rows.map(({ sequence, position }) => [sequence, position + 1]));
    const known = new Map<object, Float32Array>();
    return sequence => {
      const { pages } = sequence as PagedSequence;
      const pointers = pages.map(page => kvBase + page * pageBytes);
      const keys =
        known.get(sequence) ?? readKeys(buffer, pointers, lengths.get(sequence) ?? 0, shape);
      known.set(sequence, keys);
      return keys;
    };
  }

  /** Where the pages of `layer` begin. */
  #pagesOf(layer: number): Pick<BankLayout, 'kvBase' | 'pageBytes'> & { readonly bank: number } {
    const { banks, layerPageBytes } = this.#layout;
    const bank = banks.findIndex(({ endLayer }) => layer < endLayer);
    const { kvBase, pageBytes, firstLayer } = banks[bank];
    return { bank, kvBase: kvBase + (layer - firstLayer) * layerPageBytes, pageBytes };
  }
}

const STORE = {
  f32: 'storeKeyValueF32',
  f16: 'storeKeyValueF16',
  q8: 'storeKeyValueQ8',
} as const satisfies Record<MemoryLayout['cache'], keyof KernelExports>;

const ATTENTION = {
  f32: 'attentionF32',
  f16: 'attentionF16',
  q8: 'attentionQ8',
} as const satisfies Record<MemoryLayout['cache'], keyof KernelExports>;

/** Stretches of rows that are consecutive positions of one sequence, of at most ATTENTION_ROWS. */
function runsOf(
  rows: readonly Row<object>[],
): { readonly first: number; readonly count: number }[] {
  const runs: { first: number; count: number }[] = [];
  rows.forEach(({ sequence, position }, r) => {
    const run = runs.at(-1);
    const before = rows[r - 1];
    const goesOn = before?.sequence === sequence && before.position + 1 === position;
    if (run && goesOn && run.count < ATTENTION_ROWS) run.count++;
    else runs.push({ first: r, count: 1 });
  });
  return runs;
}
