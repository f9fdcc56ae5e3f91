/**
 * A tensor whose elements lie in a file with gaps, repeated or in another order: a view that
 * PyTorch saved with all of what it is a view of, such as a transposed matrix. Element (i, j, …) is
 * the one at i · stride₀ + j · stride₁ + …
 */

import { elementCount, type Floats } from '../../base/tensor.js';
import type { CheckpointTensor } from '../../model/checkpoint.js';
import { DTYPE_BYTES, type DType } from '../../model/dtypes.js';
import { allocateBytes, decode } from '../dtypes.js';
import { decodable, type TensorInfo } from '../row-major.js';
import { checkRowRange, checkTarget, PIECE_BYTES } from '../rows.js';
import type { ByteSource } from '../source.js';

export interface StridedInfo extends TensorInfo {
  /** By how many elements the next along each axis is further on, 0 or more. */
  readonly strides: readonly number[];
}

/**
 * One axis of what is copied: `size` elements, `stride` apart in the file and `step` apart in the
 * result.
 */
interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly step: number;
}

const ONE_ELEMENT: Axis = { size: 1, stride: 0, step: 0 };

/** Whether the elements lie one after the other, the last index running fastest. */
export function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  return shape.includes(0) || axesOf(shape, strides).every(({ stride, step }) => stride === step);
}

/**
 * Whether elements with different indices, other than along a stride of 0, are the same one, or the
 * axes interleave.
 */
export function isOverlapping(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return false;
  let extent = 1; // of all axes with smaller strides
  for (const { size, stride } of axesOf(shape, strides).reverse()) {
    if (stride === 0) continue;
    if (stride < extent) return true;
    extent += (size - 1) * stride;
  }
  return false;
}

/**
 * The axes that have more than one element, largest stride first: the order in which the file is
 * read forward.
 */
function axesOf(shape: readonly number[], strides: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1) axes.push({ size: shape[i], stride: strides[i], step });
    step *= shape[i];
  }
  return axes.sort((a, b) => b.stride - a.stride);
}

/**
 * Not for overlapping views: without them, reading some rows passes over every byte of the file at
 * most once.
 */
export class StridedTensor implements CheckpointTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly #strides: readonly number[];
  readonly #offset: number;
  readonly #source: ByteSource;

  constructor(source: ByteSource, info: StridedInfo) {
    this.#source = source;
    this.name = info.name;
    this.dtype = info.dtype;
    this.shape = info.shape;
    this.byteLength = info.byteLength;
    this.#strides = info.strides;
    this.#offset = info.offset;
  }

  async read(first = 0, count = this.shape[0] - first): Promise<Floats> {
    return decode(decodable(this, this.#source.name), await this.readBytes(first, count));
  }

  async readBytes(first = 0, count = this.shape[0] - first): Promise<Uint8Array> {
    const bytes = allocateBytes(this.#bytesOf(first, count));
    await this.readInto(bytes, first, count);
    return bytes;
  }

  async readInto(target: Uint8Array, first = 0, count = this.shape[0] - first): Promise<void> {
    checkTarget(target, this.name, count, this.#bytesOf(first, count));
    if (target.length === 0) return;
    const elementBytes = DTYPE_BYTES[this.dtype];
    const axes = axesOf(this.shape.with(0, count), this.#strides);
    const begin = this.#offset + first * this.#strides[0] * elementBytes;
    const elements = axes.reduce((sum, { size, stride }) => sum + (size - 1) * stride, 1);
    await new Gathering(this.#source, begin, elements * elementBytes, target, elementBytes).copy(
      axes,
    );
  }

  /** @throws {RangeError} if there are no such rows. */
  #bytesOf(first: number, count: number): number {
    checkRowRange(this.name, this.shape[0], first, count);
    return elementCount(this.shape.with(0, count)) * DTYPE_BYTES[this.dtype]; // [count, …]
  }
}

/** Copies elements from a range of a file, in its order, to where they belong in memory. */
class Gathering {
  readonly #source: ByteSource;
  /** The range, in bytes; `from` below counts elements from its beginning. */
  readonly #begin: number;
  readonly #length: number;
  readonly #target: Uint8Array;
  readonly #elementBytes: number;
  /** What is in memory of the range. */
  readonly #piece: Uint8Array;
  #pieceBegin = 0;
  #pieceEnd = 0;

  constructor(
    source: ByteSource,
    begin: number,
    length: number,
    target: Uint8Array,
    elementBytes: number,
  ) {
    this.#source = source;
    this.#begin = begin;
    this.#length = length;
    this.#target = target;
    this.#elementBytes = elementBytes;
    this.#piece = new Uint8Array(Math.min(PIECE_BYTES, length));
  }

  /**
   * Copies all elements of `axes`, of which the first is at `from` in the file and belongs to `to`.
   */
  async copy(axes: readonly Axis[], from = 0, to = 0): Promise<void> {
    const [axis = ONE_ELEMENT, ...inner] = axes;
    if (inner.length === 0) return this.#copyAlong(axis, from, to);
    for (let i = 0; i < axis.size; i++)
      await this.copy(inner, from + i * axis.stride, to + i * axis.step);
  }

  async #copyAlong({ size, stride, step }: Axis, from: number, to: number): Promise<void> {
    for (let done = 0; done < size; ) {
      const at = (from + done * stride) * this.#elementBytes;
      if (at < this.#pieceBegin || at >= this.#pieceEnd) await this.#readPiece(at);
      // Infinity for a stride of 0
      const inPiece = Math.ceil((this.#pieceEnd - at) / (stride * this.#elementBytes));
      const count = Math.min(size - done, inPiece);
      this.#copyElements(count, at - this.#pieceBegin, stride, to + done * step, step);
      done += count;
    }
  }

  async #readPiece(at: number): Promise<void> {
    const piece = this.#piece.subarray(0, this.#length - at);
    await this.#source.readInto(this.#begin + at, piece);
    this.#pieceBegin = at;
    this.#pieceEnd = at + piece.length;
  }

  /** @param at where the first is in the piece, in bytes */
  #copyElements(count: number, at: number, stride: number, to: number, step: number): void {
    const piece = this.#piece;
    const target = this.#target;
    const elementBytes = this.#elementBytes;
    for (let i = 0; i < count; i++) {
      const [source, destination] = [
        at + i * stride * elementBytes,
        (to + i * step) * elementBytes,
      ];
      for (let byte = 0; byte < elementBytes; byte++)
        target[destination + byte] = piece[source + byte];
    }
  }
}
