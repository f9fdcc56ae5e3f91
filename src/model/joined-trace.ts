/**
 * A text that is read in several passes is traced in as many parts; here they become the tensors
 * that one pass would have had.
 */
import { elementCount, type Tensor, zerosLike } from '../base/tensor.js';
import type { Trace } from './trace.js';

/** Keeps a copy of every tensor that its `trace` is told. */
export class JoinedTrace {
  readonly #parts = new Map<string, Tensor[]>();

  readonly trace: Trace = (name, { shape, data }) => {
    const parts = this.#parts.get(name) ?? [];
    parts.push({ shape: [...shape], data: data.slice() });
    this.#parts.set(name, parts);
  };

  /** By name, in the order of computation: rows after rows, as they were traced. */
  tensors(): Map<string, Tensor> {
    return new Map([...this.#parts].map(([name, parts]) => [name, joinRows(parts)]));
  }
}

/**
 * The rows of all parts [R₁, …], [R₂, …]. Rows may differ in length, as attention weights [R, H, T]
 * do; all become as long as the longest, and what a row does not have is 0.
 */
export function joinRows(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0];
  const longest = Math.max(...parts.map(({ shape }) => shape[shape.length - 1]));
  const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
  const shape = [rows, ...parts[0].shape.slice(1, -1), longest];
  const data = zerosLike(parts[0].data, elementCount(shape));
  let to = 0;
  for (const part of parts) {
    const width = part.shape[part.shape.length - 1];
    for (let from = 0; from < part.data.length; from += width, to += longest)
      data.set(part.data.subarray(from, from + width), to);
  }
  return { shape, data };
}

/** The rows of `x`, which are `rows`, in the order of `wanted`; NaN for one that is not there. */
export function placeRows(x: Tensor, rows: readonly number[], wanted: readonly number[]): Tensor {
  const width = elementCount(x.shape.slice(1));
  const places = new Map(rows.map((row, place) => [row, place]));
  const data = zerosLike(x.data, wanted.length * width).fill(NaN);
  wanted.forEach((row, i) => {
    const place = places.get(row);
    if (place !== undefined)
      data.set(x.data.subarray(place * width, (place + 1) * width), i * width);
  });
  return { shape: [wanted.length, ...x.shape.slice(1)], data };
}
