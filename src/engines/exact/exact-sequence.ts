/**
 * The exact kernels' key-value cache: per layer one growing array of keys and one of values,
 * position after position.
 */

import { check, LlamaError } from '../../base/errors.js';
import type { Floats } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import type { Sequence } from '../../model/kernels.js';
import type { Visible } from '../../ops/attention.js';
import type { Rounding } from '../../ops/rounding.js';

interface LayerCache {
  keys: Floats; // [capacity, K·d]
  values: Floats; // [capacity, K·d]
}

/** The sequence as its own kernels know it. */
export function exactSequence(sequence: Sequence): ExactSequence {
  check(
    sequence instanceof ExactSequence,
    'BAD_INPUT',
    () => 'this sequence belongs to other kernels; create it with the same model',
  );
  return sequence;
}

export class ExactSequence implements Sequence {
  length = 0;
  readonly #width: number;
  readonly #Numbers: Rounding['Numbers'];
  #layers: LayerCache[];

  constructor(config: LlamaConfig, Numbers: Rounding['Numbers']) {
    this.#width = config.numKeyValueHeads * config.headDim;
    this.#Numbers = Numbers;
    this.#layers = Array.from({ length: config.numHiddenLayers }, () => ({
      keys: new Numbers(0),
      values: new Numbers(0),
    }));
  }

  write(layer: number, position: number, keys: Floats, values: Floats): void {
    const cache = this.#layer(layer);
    const end = (position + 1) * this.#width;
    if (end > cache.keys.length) {
      cache.keys = this.#grown(cache.keys, end);
      cache.values = this.#grown(cache.values, end);
    }
    cache.keys.set(keys, end - this.#width);
    cache.values.set(values, end - this.#width);
  }

  /** What the token at `position` may see: everything up to and including itself. */
  visible(layer: number, position: number): Visible {
    const { keys, values } = this.#layer(layer);
    return { keys, values, count: position + 1 };
  }

  commit(position: number): void {
    this.length = Math.max(this.length, position + 1);
  }

  truncate(length: number): void {
    check(
      Number.isInteger(length) && length >= 0 && length <= this.length,
      'BAD_INPUT',
      () =>
        `cannot truncate a sequence of ${this.length} positions to ${length}; give an integer ` +
        `from 0 to ${this.length}`,
    );
    this.length = length;
  }

  dispose(): void {
    this.#layers = [];
    this.length = 0;
  }

  #layer(index: number): LayerCache {
    const layer = this.#layers[index];
    if (layer === undefined)
      throw new LlamaError('DISPOSED', 'this sequence was disposed; create a new one');
    return layer;
  }

  #grown(old: Floats, needed: number): Floats {
    const larger = new this.#Numbers(Math.max(needed, 2 * old.length));
    larger.set(old);
    return larger;
  }
}
