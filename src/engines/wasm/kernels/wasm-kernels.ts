/**
 * The kernels of one thread of the pool. Every thread runs the same forward pass over the same
 * tensors, each computing its share of every operation; where one needs what others computed, they
 * meet at a barrier (`hazards.ts`).
 *
 * A tensor is a place in the arena, the same place in every bank. Which bank has its numbers
 * every thread knows from the sequence of operations alone, so they agree without talking.
 */

import { elementCount, type Tensor } from '../../../base/tensor.js';
import type { LlamaConfig } from '../../../model/config.js';
import type { Kernels, Row, Sequence } from '../../../model/kernels.js';
import { ropeTable } from '../../../ops/rope.js';
import { ROUNDINGS } from '../../../ops/rounding.js';
import { PAGE_POSITIONS } from '../memory/cache-formats.js';
import {
  ARENA,
  ATTENTION_HEADS,
  ATTENTION_ROWS,
  type BankLayout,
  type MemoryLayout,
  type PlaceFormat,
  TILE,
  threadScratch,
  widestInput,
} from '../memory/layout.js';
import { blocksOf } from '../memory/weight-formats.js';
import type { Control } from '../threads/control.js';
import { Hazards } from '../threads/hazards.js';
import type { Build } from './builds.js';
import type { KernelExports } from './exports.js';

export interface WasmTensor {
  readonly shape: readonly number[];
  readonly pointer: number;
  /** Distance of two rows, in floats. */
  readonly stride: number;
  readonly format: PlaceFormat | 'activation';
  /** Which memory has the numbers. */
  bank: number;
}

/** A sequence as the workers see it: where its pages are. */
export interface PagedSequence extends Sequence {
  readonly pages: readonly number[];
}

export interface Bank {
  readonly kernels: KernelExports;
  readonly memory: WebAssembly.Memory;
}

export interface Thread {
  readonly index: number;
  readonly count: number;
  readonly build: Build;
}

/** How the quantized copy of an activation is laid out, see asm/README.md. */
type Quantization = 'int16' | 'halves' | 'int8' | 'int8 by 256';

/** The most that a block of 32 takes in any layout. */
const BLOCK_BYTES = 64;

/**
 * Into how many pieces per thread an operation is cut: enough that nobody waits long for the last
 * one.
 */
const PIECES_PER_THREAD = 8;

/**
 * With fewer rows than this the int16 layout is as fast as two 7-bit halves: both wait for memory.
 */
const HALVES_FROM_ROWS = 4;

const align = (x: number, to: number): number => Math.ceil(x / to) * to;

export class WasmKernels implements Kernels<WasmTensor> {
  readonly #config: LlamaConfig;
  readonly #banks: readonly Bank[];
  readonly #layout: MemoryLayout;
  readonly #control: Control;
  readonly #thread: Thread;
  readonly #hazards = new Hazards();

  readonly #indexScratch: number;
  readonly #attentionScratch: number;
  readonly #arena: number;
  readonly #widestBlocks: number;
  #cursor: number;
  /** Counts what was dealt out in this pass. */
  #operation = 0;
  /** How many keys and values of this pass the format of the cache could not hold. */
  tooLarge = 0;

  /** Stands for keys and values of all layers. */
  readonly #cache = {};
  #pageTables = new Map<Sequence, number>();
  /** Where the one quantized copy of an activation goes. */
  #copy: QuantizedCopy = { numbers: 0, scales: 0, sums: 0, bank: 0 };
  /** What it is a copy of at the moment, and how it is laid out. */
  #quantized: { readonly of: WasmTensor; readonly as: Quantization } | undefined;

  constructor(
    config: LlamaConfig,
    banks: readonly Bank[],
    layout: MemoryLayout,
    control: Control,
    thread: Thread,
  ) {
    this.#config = config;
    this.#banks = banks;
    this.#layout = layout;
    this.#control = control;
    this.#thread = thread;
    const own = threadScratch(config, layout.cache, layout.maxRows);
    this.#indexScratch = ARENA + thread.index * own;
    this.#attentionScratch = this.#indexScratch + align(layout.maxRows * 4, 64);
    this.#arena = ARENA + thread.count * own;
    this.#widestBlocks = blocksOf(widestInput(config));
    this.#cursor = this.#arena;
  }

  /**
   * Before every pass: an empty arena, and the page tables of all sequences in it, in every bank.
   */
  begin(rows: readonly Row[]): void {
    this.#cursor = this.#arena;
    this.#operation = 0;
    this.tooLarge = 0;
    this.#quantized = undefined;
    this.#hazards.clear();
    this.#pageTables = new Map();
    for (const { sequence } of rows) {
      if (this.#pageTables.has(sequence)) continue;
      const { pages } = sequence as PagedSequence;
      const pointer = this.#reserve(pages.length * 4);
      this.#pageTables.set(sequence, pointer);
      if (this.#thread.index === 0) {
        for (const { memory } of this.#banks)
          new Uint32Array(memory.buffer, pointer, pages.length).set(pages);
      }
    }
    const blocks = rows.length * this.#widestBlocks;
    const numbers = this.#reserve(blocks * BLOCK_BYTES);
    this.#copy = {
      numbers,
      scales: this.#reserve(blocks * 4),
      sums: this.#reserve(blocks * 4),
      bank: 0,
    };
    this.#control.wait();
  }

  tensor(...shape: number[]): WasmTensor {
    const width = shape[shape.length - 1];
    const stride = align(width, TILE);
    const pointer = this.#reserve((elementCount(shape) / (width || 1)) * stride * 4);
    return { shape, pointer, stride, format: 'activation', bank: 0 };
  }

  /** Only the leader may call this: the others have nothing to do with results. */
  read({ shape, pointer, stride, bank }: WasmTensor): Tensor {
    const [rows, width] = shape;
    const data = new Float32Array(rows * width);
    const { buffer } = this.#banks[bank].memory;
    for (let r = 0; r < rows; r++)
      data.set(new Float32Array(buffer, pointer + r * stride * 4, width), r * width);
    return { shape, data };
  }

  /** Waits until what `x` holds is complete. */
  settle(x: WasmTensor): void {
    this.#meet([x], []);
  }

  embedding(out: WasmTensor, table: WasmTensor, indices: readonly number[]): void {
    this.#meet([table], [out]); // rows of the table may be anybody's
    out.bank = table.bank;
    const { kernels, memory } = this.#banks[table.bank];
    const [from, to] = this.#share(indices.length);
    if (table.format === 'activation') {
      const { buffer } = memory;
      for (let r = from; r < to; r++) {
        const row = new Float32Array(
          buffer,
          table.pointer + indices[r] * table.stride * 4,
          table.stride,
        );
        new Float32Array(buffer, out.pointer + r * out.stride * 4, out.stride).set(row);
      }
      return;
    }
    new Uint32Array(memory.buffer, this.#indexScratch, indices.length).set(indices);
    const width = table.shape[1];
    const { embedF32, embedF16, embedBF16 } = kernels;
    const embed =
      table.format === 'rows-f32' ? embedF32 : table.format === 'rows-f16' ? embedF16 : embedBF16;
    embed(out.pointer, out.stride, table.pointer, this.#indexScratch, width, from, to);
  }

  rmsnorm(out: WasmTensor, x: WasmTensor, weight: WasmTensor, eps: number): void {
    const [rows, width] = x.shape;
    const { kernels } = this.#enter(weight.bank, [x], [out], rows);
    kernels.rmsnorm(
      out.pointer,
      x.pointer,
      weight.pointer,
      width,
      x.stride,
      eps,
      ...this.#share(rows),
    );
  }

  matmul(out: WasmTensor, x: WasmTensor, weight: WasmTensor): void {
    this.#deal(Math.ceil(weight.shape[0] / TILE), this.#linear(out, x, weight));
  }

  ropeTable(
    cosines: WasmTensor,
    sines: WasmTensor,
    positions: readonly number[],
    frequencies: Float32Array,
  ): void {
    this.#meet([], [cosines, sines]);
    const half = frequencies.length;
    const [from, to] = this.#share(positions.length);
    // `rope` wants the rows without gaps.
    const { buffer } = this.#banks[cosines.bank].memory;
    const part = (table: WasmTensor): Tensor => ({
      shape: [to - from, half],
      data: new Float32Array(buffer, table.pointer + from * half * 4, (to - from) * half),
    });
    ropeTable(part(cosines), part(sines), positions.slice(from, to), frequencies, ROUNDINGS.f32);
  }

  rope(x: WasmTensor, cosines: WasmTensor, sines: WasmTensor): void {
    const half = cosines.shape[1];
    const [rows, width] = x.shape;
    const { kernels } = this.#enter(x.bank, [cosines, sines], [x], rows);
    kernels.rope(
      x.pointer,
      x.stride,
      cosines.pointer,
      sines.pointer,
      half,
      width / (2 * half),
      ...this.#share(rows),
    );
  }

  store(layer: number, keys: WasmTensor, values: WasmTensor, rows: readonly Row[]): void {
    const { kernels } = this.#enter(
      this.#bankOf(layer),
      [keys, values],
      [this.#cache],
      rows.length,
    );
    const { storeKeyValueF32, storeKeyValueF16, storeKeyValueQ8 } = kernels;
    const storeRow = { f32: storeKeyValueF32, f16: storeKeyValueF16, q8: storeKeyValueQ8 }[
      this.#layout.cache
    ];
    const { kvBase, pageBytes } = this.#layerPages(layer);
    const { numKeyValueHeads, headDim } = this.#config;
    const source = [keys.pointer, keys.stride, values.pointer, values.stride];
    const [from, to] = this.#share(rows.length);
    for (let r = from; r < to; r++) {
      const { position, sequence } = rows[r];
      const page = (sequence as PagedSequence).pages[Math.floor(position / PAGE_POSITIONS)];
      const slot = position % PAGE_POSITIONS;
      const target = [kvBase + page * pageBytes, slot];
      this.tooLarge += storeRow(...source, r, ...target, numKeyValueHeads, headDim) ?? 0;
    }
  }

  attention(
    out: WasmTensor,
    query: WasmTensor,
    layer: number,
    rows: readonly Row[],
    config: LlamaConfig,
  ): void {
    const bank = this.#bankOf(layer);
    const { kernels } = this.#enter(bank, [query, this.#cache], [out]);
    const { attentionF32, attentionF16, attentionQ8 } = kernels;
    const attend = { f32: attentionF32, f16: attentionF16, q8: attentionQ8 }[this.#layout.cache];
    const { numAttentionHeads, numKeyValueHeads, headDim } = config;
    const { kvBase, pageBytes } = this.#layerPages(layer);
    const groupSize = numAttentionHeads / numKeyValueHeads;
    const scale = Math.fround(1 / Math.sqrt(headDim));
    const runs = runsOf(rows);
    // Heads in a call read one stretch of memory; but every thread should have work.
    const heads = Math.min(ATTENTION_HEADS, Math.ceil(numKeyValueHeads / (2 * this.#thread.count)));
    const calls = Math.ceil(numKeyValueHeads / heads);
    this.#deal(runs.length * calls, (from, to) => {
      for (let item = from; item < to; item++) {
        const { first, count } = runs[Math.floor(item / calls)];
        const { position, sequence } = rows[first];
        const offset = first * query.stride * 4;
        const firstHead = (item % calls) * heads;
        attend(
          ...[out.pointer + offset, query.pointer + offset, query.stride, count],
          ...[this.#pageTables.get(sequence) as number, kvBase, pageBytes, position + 1],
          ...[
            firstHead,
            Math.min(firstHead + heads, numKeyValueHeads),
            numKeyValueHeads,
            groupSize,
            headDim,
            scale,
            this.#attentionScratch,
          ],
        );
      }
    });
  }

  swiglu(out: WasmTensor, gate: WasmTensor, up: WasmTensor): void {
    const { rows, range } = this.#floats(gate, gate.shape[0] >= this.#thread.count);
    const { kernels } = this.#enter(gate.bank, [gate, up], [out], rows);
    kernels.swiglu(out.pointer, gate.pointer, up.pointer, ...range);
  }

  add(out: WasmTensor, x: WasmTensor, y: WasmTensor): void {
    const { rows, range } = this.#floats(x, true); // so little that a barrier would take longer
    const { kernels } = this.#enter(y.bank, [x, y], [out], rows);
    kernels.add(out.pointer, x.pointer, y.pointer, ...range);
  }

  /**
   * Brings what an operation reads into the memory where it runs, and waits where it must. `rows`:
   * it is divided by so many rows.
   */
  #enter(bank: number, reads: readonly object[], writes: readonly object[], rows?: number): Bank {
    for (const x of reads) if (isTensor(x) && x.bank !== bank) this.#move(x, bank);
    this.#meet(reads, writes, rows);
    for (const x of writes) if (isTensor(x)) x.bank = bank;
    return this.#banks[bank];
  }

  #meet(reads: readonly object[], writes: readonly object[], rows?: number): void {
    if (this.#hazards.needBarrier(reads, writes, rows)) this.#control.wait();
    if (this.#quantized !== undefined && writes.includes(this.#quantized.of))
      this.#quantized = undefined;
  }

  /** Copies `x` to the same place in another memory. */
  #move(x: WasmTensor, bank: number): void {
    this.#meet([x], [x]);
    if (this.#thread.index === 0) {
      const bytes = (elementCount(x.shape) / x.shape[x.shape.length - 1]) * x.stride * 4;
      const source = new Uint8Array(this.#banks[x.bank].memory.buffer, x.pointer, bytes);
      new Uint8Array(this.#banks[bank].memory.buffer, x.pointer, bytes).set(source);
    }
    x.bank = bank;
  }

  /**
   * What computes tiles `from … to − 1` of a matrix product. Arguments one by one: to spread them
   * would take longer than a small tile.
   */
  #linear(out: WasmTensor, x: WasmTensor, weight: WasmTensor): (from: number, to: number) => void {
    const { bank, format, pointer } = weight;
    const [rows, inner] = x.shape;
    const blocks = blocksOf(inner);
    if (format === 'q4_0' || format === 'q4_k' || format === 'q6_k') {
      const copy = this.#quantize(x, bank, format === 'q4_0' ? 'int8' : 'int8 by 256');
      const { numbers, scales, sums } = copy;
      const { matmulQ4, matmulQ4K, matmulQ6K } = this.#enter(bank, [copy], [out]).kernels;
      const multiply = format === 'q4_0' ? matmulQ4 : format === 'q4_k' ? matmulQ4K : matmulQ6K;
      return (from, to) => {
        multiply(out.pointer, out.stride, numbers, scales, sums, rows, pointer, blocks, from, to);
      };
    }
    if (format === 'q8_0') {
      const halves = this.#thread.build === 'dot4' && rows >= HALVES_FROM_ROWS;
      const copy = this.#quantize(x, bank, halves ? 'halves' : 'int16');
      const { numbers, scales } = copy;
      const { matmulQ8, matmulQ8Halves } = this.#enter(bank, [copy], [out]).kernels;
      const multiply = halves ? matmulQ8Halves : matmulQ8;
      return (from, to) => {
        multiply(out.pointer, out.stride, numbers, scales, rows, pointer, blocks, from, to);
      };
    }
    const { matmulF32, matmulF16, matmulBF16 } = this.#enter(bank, [x], [out]).kernels;
    const multiply = format === 'f32' ? matmulF32 : format === 'f16' ? matmulF16 : matmulBF16;
    return (from, to) => {
      multiply(out.pointer, out.stride, x.pointer, x.stride, rows, pointer, inner, from, to);
    };
  }

  /** The quantized copy of `x`, made once for all the matrices that it meets. */
  #quantize(x: WasmTensor, bank: number, as: Quantization): QuantizedCopy {
    const copy = this.#copy;
    const quantized = this.#quantized;
    if (quantized?.of === x && quantized.as === as && copy.bank === bank) return copy;
    const [rows, width] = x.shape;
    const { kernels } = this.#enter(bank, [x], [copy], rows);
    copy.bank = bank;
    const { numbers, scales, sums } = copy;
    const [from, to] = this.#share(rows);
    if (as === 'int8')
      kernels.quantize8(numbers, scales, sums, x.pointer, x.stride, width, from, to);
    else if (as === 'int8 by 256') {
      kernels.quantize8K(numbers, scales, sums, x.pointer, x.stride, width, from, to);
    } else if (as === 'halves')
      kernels.quantize14Halves(numbers, scales, x.pointer, x.stride, width, from, to);
    else kernels.quantize14(numbers, scales, x.pointer, x.stride, width, from, to);
    this.#quantized = { of: x, as };
    return copy;
  }

  #bankOf(layer: number): number {
    return this.#layout.banks.findIndex(({ endLayer }) => layer < endLayer);
  }

  /** Where the pages of `layer` begin. */
  #layerPages(layer: number): Pick<BankLayout, 'kvBase' | 'pageBytes'> {
    const { kvBase, pageBytes, firstLayer } = this.#layout.banks[this.#bankOf(layer)];
    return { kvBase: kvBase + (layer - firstLayer) * this.#layout.layerPageBytes, pageBytes };
  }

  /**
   * Calls `work` with pieces of 0 … count − 1 until all threads together have done all. Dealt out
   * rather than divided up: a thread whose core has other things to do must not keep the others
   * waiting with a fixed share.
   */
  #deal(count: number, work: (from: number, to: number) => void): void {
    const operation = this.#operation++;
    const size = Math.max(1, Math.ceil(count / (this.#thread.count * PIECES_PER_THREAD)));
    for (
      let from = this.#control.deal(operation, size);
      from < count;
      from = this.#control.deal(operation, size)
    ) {
      work(from, Math.min(from + size, count));
    }
  }

  /** This thread's part of `count` things, for what is too little to be dealt out. */
  #share(count: number): [from: number, to: number] {
    const { index, count: threads } = this.#thread;
    return [Math.floor((count * index) / threads), Math.floor((count * (index + 1)) / threads)];
  }

  /**
   * This thread's part of the floats of `x`, padding included: whole rows, whose number is told
   * then, or else whole cache lines.
   */
  #floats(
    { shape, stride }: WasmTensor,
    byRows: boolean,
  ): { rows?: number; range: [from: number, to: number] } {
    const [rows] = shape;
    const unit = byRows ? stride : TILE;
    const [from, to] = this.#share((rows * stride) / unit);
    return { ...(byRows && { rows }), range: [from * unit, to * unit] };
  }

  #reserve(bytes: number): number {
    const pointer = this.#cursor;
    this.#cursor += align(bytes, 64);
    if (this.#cursor > ARENA + this.#layout.arenaBytes)
      throw new RangeError('the arena is too small for this pass');
    return pointer;
  }
}

/** Pointers into one bank. */
interface QuantizedCopy {
  readonly numbers: number;
  readonly scales: number;
  readonly sums: number;
  bank: number;
}

/** Stretches of rows that are consecutive positions of one sequence, of at most ATTENTION_ROWS. */
function runsOf(rows: readonly Row[]): { readonly first: number; readonly count: number }[] {
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

const isTensor = (x: object): x is WasmTensor => 'stride' in x;
