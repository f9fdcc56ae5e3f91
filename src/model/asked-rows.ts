/**
 * The rows whose logits are asked for, each once: an engine has room for every row of a pass, and
 * to compute one twice is work for nothing.
 */
import { type Tensor, zerosLike } from '../base/tensor.js';

export class AskedRows {
  /** What is to be computed, in the order in which it is first asked for. */
  readonly distinct: readonly number[];
  /** Of all that were asked for: where they are in `distinct`. */
  readonly #places: readonly number[];

  constructor(logitsFor: readonly number[]) {
    const places = new Map<number, number>();
    for (const row of logitsFor) if (!places.has(row)) places.set(row, places.size);
    this.distinct = [...places.keys()];
    this.#places = logitsFor.map(row => places.get(row)!);
  }

  /** From a row for each of `distinct`, [distinct.length, W], one for each that was asked for. */
  repeat(x: Tensor): Tensor {
    if (this.distinct.length === this.#places.length) return x;
    const width = x.shape[1];
    const data = zerosLike(x.data, this.#places.length * width);
    this.#places.forEach((place, i) => {
      data.set(x.data.subarray(place * width, (place + 1) * width), i * width);
    });
    return { shape: [this.#places.length, width], data }; // [logitsFor.length, W]
  }
}
