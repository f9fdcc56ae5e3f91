/**
 * The rows whose logits are asked for, each once: an engine has room for every row of a pass, and
 * to compute one twice is work for nothing.
 */
import type { Tensor } from '../base/tensor.js';
import { placeRows } from './joined-trace.js';

export class AskedRows {
  /** What is to be computed, in the order in which it is first asked for. */
  readonly distinct: readonly number[];
  readonly #asked: readonly number[];

  constructor(logitsFor: readonly number[]) {
    this.distinct = [...new Set(logitsFor)];
    this.#asked = logitsFor;
  }

  /** From a row for each of `distinct`, [distinct.length, W], one for each that was asked for. */
  repeat(x: Tensor): Tensor {
    if (this.distinct.length === this.#asked.length) return x;
    return placeRows(x, this.distinct, this.#asked); // [logitsFor.length, W]
  }
}
