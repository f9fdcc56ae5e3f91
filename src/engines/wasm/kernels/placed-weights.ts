/** The weights of a model that is loaded: nothing but places. */

import type { ModelWeights } from '../../../model/kernels.js';
import { type LayerWeights, LM_HEAD, mapLayer, NORM } from '../../../model/weights.js';
import type { WasmTensor } from '../memory/arena.js';
import type { MemoryLayout } from '../memory/layout.js';
import { TABLE } from '../memory/weight-items.js';

export class PlacedWeights implements ModelWeights<WasmTensor> {
  readonly #layout: MemoryLayout;

  constructor(layout: MemoryLayout) {
    this.#layout = layout;
  }

  embedding(tokens: readonly number[]) {
    return { table: this.#at(TABLE), indices: tokens };
  }

  layer(index: number): LayerWeights<WasmTensor> {
    return mapLayer(index, name => this.#at(name));
  }

  norm(): WasmTensor {
    return this.#at(NORM);
  }

  lmHead(): WasmTensor {
    return this.#at(LM_HEAD);
  }

  #at(name: string): WasmTensor {
    const { shape, pointer, format, bank } = this.#layout.places[name];
    return { shape, pointer, stride: shape[shape.length - 1], format, bank, version: 0 };
  }
}
