/**
 * The exact kernels' key-value cache: per layer one growing array of keys and one of values,
 * position after position.
 */

import type { Floats } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { EngineSequence } from '../../model/engine-sequence.js';
import type { Visible } from '../../ops/attention.js';
import type { Rounding } from '../../ops/rounding.js';

interface LayerCache {
  keys: Floats; // [capacity, K·d]
  values: Floats; // [capacity, K·d]
}

export class ExactSequence extends EngineSequence {
  readonly #config: LlamaConfig;
  readonly #Numbers: Rounding['Numbers'];
  #layers: LayerCache[] = [];

  constructor(engine: object, config: LlamaConfig, Numbers: Rounding['Numbers']) {
    super(engine);
    this.#config = config;
    this.#Numbers = Numbers;
    this.forget(0);
  }

  write(layer: number, position: number, keys: Floats, values: Floats): void {
    const cache = this.#layers[layer];
    const end = (position + 1) * this.#width;
    if (end > cache.keys.length) {
      cache.keys = this.#grow(cache.keys, end);
      cache.values = this.#grow(cache.values, end);
    }
    cache.keys.set(keys, end - this.#width);
    cache.values.set(values, end - this.#width);
  }

  /** What the token at `position` may see: everything up to and including itself. */
  visible(layer: number, position: number): Visible {
    const { keys, values } = this.#layers[layer];
    return { keys, values, count: position + 1 };
  }

  protected copy(): ExactSequence {
    const twin = new ExactSequence(this.engine, this.#config, this.#Numbers);
    const end = this.length * this.#width;
    twin.#layers = this.#layers.map(({ keys, values }) => ({
      keys: keys.slice(0, end),
      values: values.slice(0, end),
    }));
    return twin;
  }

  /** What is held of a shorter past is written over. */
  protected forget(length: number): void {
    if (length > 0) return;
    this.#layers = Array.from({ length: this.#config.numHiddenLayers }, () => ({
      keys: new this.#Numbers(0),
      values: new this.#Numbers(0),
    }));
  }

  get #width(): number {
    return this.#config.numKeyValueHeads * this.#config.headDim;
  }

  #grow(old: Floats, needed: number): Floats {
    const larger = new this.#Numbers(Math.max(needed, 2 * old.length));
    larger.set(old);
    return larger;
  }
}
