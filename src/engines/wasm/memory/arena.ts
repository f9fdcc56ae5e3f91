/**
 * The part of a bank that every pass fills anew: activations, page tables, the quantized copy. A
 * tensor lies at the same place in every bank, and has its numbers in one of them.
 */
import { alignTo } from '../../../base/align.js';
import { elementCount } from '../../../base/tensor.js';
import { LINE_BYTES } from './shared-memory.js';
import { type PlaceFormat, TILE } from './weight-formats.js';

export interface WasmTensor {
  readonly shape: readonly number[];
  readonly pointer: number;
  /** Distance of two rows, in floats. */
  readonly stride: number;
  readonly format: PlaceFormat | 'activation';
  /** Which memory has the numbers. */
  bank: number;
  /** Counts how often the numbers were written. */
  version: number;
}

/** Bytes that lie one after another, given out from the first one on. */
export class Arena {
  readonly #start: number;
  readonly #end: number;
  #next: number;

  /** Without an `end` it only counts: see `arena-layout.ts`. */
  constructor(start: number, end = Infinity) {
    this.#start = start;
    this.#end = end;
    this.#next = start;
  }

  /** Everything that was given out may be given out again. */
  clear(): void {
    this.#next = this.#start;
  }

  /** Where `bytes` bytes are from now on somebody's. */
  reserve(bytes: number): number {
    const pointer = this.#next;
    this.#next += alignTo(bytes, LINE_BYTES);
    if (this.#next > this.#end) throw new RangeError('the arena is too small for this pass');
    return pointer;
  }

  /** An activation; rows begin at multiples of a tile's 16 floats. */
  tensor(...shape: number[]): WasmTensor {
    const width = shape[shape.length - 1];
    const stride = alignTo(width, TILE);
    const pointer = this.reserve((elementCount(shape) / (width || 1)) * stride * 4);
    return { shape, pointer, stride, format: 'activation', bank: 0, version: 0 };
  }

  /** Where what was given out ends. */
  get end(): number {
    return this.#next;
  }
}
