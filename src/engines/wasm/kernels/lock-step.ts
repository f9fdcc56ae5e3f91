/**
 * The contract that every operation keeps. All threads go through the same operations over the same
 * tensors in the same order: in lock-step, though nobody counts the steps for them.
 *
 * - What a thread does follows from that order and from its index alone. Nothing that is decided by
 *   time, by chance or by what a memory holds may change which operation comes next, or which bank
 *   a tensor is in: the others would decide otherwise and wait for ever.
 * - Every operation says through `enter` what it reads and what it writes, before it touches it.
 *   Where another thread's work is in the way all wait for each other, there and nowhere else
 *   (`threads/hazards.ts`).
 * - A thread writes only its part of a result: a fixed share (`share`), or pieces dealt out
 *   (`deal`). Parts are whole outputs, so the bits do not depend on who computes what.
 */
import { elementCount } from '../../../base/tensor.js';
import type { WasmTensor } from '../memory/arena.js';
import type { Control } from '../threads/control.js';
import { Hazards } from '../threads/hazards.js';
import type { KernelExports } from './exports.js';

/** A memory, and the kernels that compute in it. */
export interface Bank {
  readonly kernels: KernelExports;
  readonly memory: WebAssembly.Memory;
}

/**
 * Into how many pieces per thread an operation is cut: enough that nobody waits long for the last
 * one.
 */
const PIECES_PER_THREAD = 8;

export class LockStep {
  /** Of how many threads. */
  readonly threads: number;
  readonly banks: readonly Bank[];
  readonly #index: number;
  readonly #control: Control;
  readonly #hazards = new Hazards();
  /** Counts what was dealt out in this pass. */
  #operation = 0;

  constructor(banks: readonly Bank[], control: Control, index: number, threads: number) {
    this.banks = banks;
    this.threads = threads;
    this.#index = index;
    this.#control = control;
  }

  /** The leader does what must be done once, and reads results. */
  get isLeader(): boolean {
    return this.#index === 0;
  }

  /** Before every pass, when all have prepared what is their own. */
  begin(): void {
    this.#operation = 0;
    this.#hazards.clear();
    this.#control.wait();
  }

  /**
   * Brings what an operation reads into the memory where it runs, and waits where it must. `rows`:
   * it is divided by so many rows.
   */
  enter(bank: number, reads: readonly object[], writes: readonly object[], rows?: number): Bank {
    for (const x of reads) if (isTensor(x) && x.bank !== bank) this.#move(x, bank);
    this.#meet(reads, writes, rows);
    for (const x of writes) {
      if (!isTensor(x)) continue;
      x.bank = bank;
      x.version++;
    }
    return this.banks[bank];
  }

  /** Waits until what `x` holds is complete. */
  settle(x: WasmTensor): void {
    this.#meet([x], []);
  }

  /**
   * Calls `work` with pieces of 0 … count − 1 until all threads together have done all. Dealt out
   * rather than divided up: a thread whose core has other things to do must not keep the others
   * waiting with a fixed share.
   */
  deal(count: number, work: (from: number, to: number) => void): void {
    const operation = this.#operation++;
    const size = Math.max(1, Math.ceil(count / (this.threads * PIECES_PER_THREAD)));
    for (
      let from = this.#control.deal(operation, size);
      from < count;
      from = this.#control.deal(operation, size)
    ) {
      work(from, Math.min(from + size, count));
    }
  }

  /** This thread's part of `count` things, for what is too little to be dealt out. */
  share(count: number): [from: number, to: number] {
    const { threads } = this;
    const index = this.#index;
    return [Math.floor((count * index) / threads), Math.floor((count * (index + 1)) / threads)];
  }

  #meet(reads: readonly object[], writes: readonly object[], rows?: number): void {
    if (this.#hazards.needBarrier(reads, writes, rows)) this.#control.wait();
  }

  /** Copies `x` to the same place in another memory. */
  #move(x: WasmTensor, bank: number): void {
    this.#meet([x], [x]);
    if (this.isLeader) {
      const bytes = (elementCount(x.shape) / x.shape[x.shape.length - 1]) * x.stride * 4;
      const source = new Uint8Array(this.banks[x.bank].memory.buffer, x.pointer, bytes);
      new Uint8Array(this.banks[bank].memory.buffer, x.pointer, bytes).set(source);
    }
    x.bank = bank;
  }
}

const isTensor = (x: object): x is WasmTensor => 'stride' in x;
