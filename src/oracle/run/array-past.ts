/** Keys and values of one text whose length is known. */
import type { Floats } from '../../base/tensor.js';
import type { Past } from '../../engines/exact/exact-kernels.js';
import type { LlamaConfig } from '../../model/config.js';
import type { Visible } from '../../ops/attention.js';

type Shape = Pick<LlamaConfig, 'numHiddenLayers' | 'numKeyValueHeads' | 'headDim'>;

export class ArrayPast implements Past {
  readonly #width: number;
  readonly #length: number;
  readonly #layers = new Map<number, { readonly keys: Floats; readonly values: Floats }>();

  /** Room for `length` positions, whose numbers are float64. */
  constructor({ numKeyValueHeads, headDim }: Shape, length: number) {
    this.#width = numKeyValueHeads * headDim;
    this.#length = length;
  }

  write(layer: number, position: number, keys: Floats, values: Floats): void {
    const own = this.#layer(layer);
    own.keys.set(keys, position * this.#width);
    own.values.set(values, position * this.#width);
  }

  visible(layer: number, position: number): Visible {
    return { ...this.#layer(layer), count: position + 1 };
  }

  #layer(layer: number) {
    let own = this.#layers.get(layer);
    if (own === undefined) {
      const size = this.#length * this.#width;
      own = { keys: new Float64Array(size), values: new Float64Array(size) }; // [T, K·d]
      this.#layers.set(layer, own);
    }
    return own;
  }
}
