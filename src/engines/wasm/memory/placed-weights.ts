/** The weights of a model that is loaded: nothing but places. */

import type { LayerWeights, ModelWeights } from '../../../model/kernels.js';
import { LM_HEAD } from '../../../model/weights.js';
import type { WasmTensor } from '../kernels/wasm-kernels.js';
import { type Plan, TABLE } from './plan.js';

export class PlacedWeights implements ModelWeights<WasmTensor> {
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  embedding(tokens: readonly number[]) {
    return { table: this.#at(TABLE), indices: tokens };
  }

  layer(index: number): LayerWeights<WasmTensor> {
    const at = (name: string) => this.#at(`model.layers.${index}.${name}.weight`);
    return {
      inputLayernorm: at('input_layernorm'),
      qProj: at('self_attn.q_proj'),
      kProj: at('self_attn.k_proj'),
      vProj: at('self_attn.v_proj'),
      oProj: at('self_attn.o_proj'),
      postAttentionLayernorm: at('post_attention_layernorm'),
      gateProj: at('mlp.gate_proj'),
      upProj: at('mlp.up_proj'),
      downProj: at('mlp.down_proj'),
    };
  }

  norm(): WasmTensor {
    return this.#at('model.norm.weight');
  }

  lmHead(): WasmTensor {
    return this.#at(LM_HEAD);
  }

  #at(name: string): WasmTensor {
    const { shape, pointer, format, shard } = this.#plan.places[name];
    return { shape, pointer, stride: shape[shape.length - 1], format, shard };
  }
}
