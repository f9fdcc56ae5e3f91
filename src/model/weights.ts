/**
 * Which weights a Llama consists of: the one table of their names and shapes. A new weight is one
 * line here; kernels, files and converters go through the table.
 *
 * Shapes are [out, in], in the letters of `src/model/config.ts`.
 */

import type { LlamaConfig } from './config.js';

/** A weight in all that does not depend on a configuration. */
interface Entry {
  /**
   * The name that Hugging Face gives it; of a layer's, what stands between its number and
   * `.weight`.
   */
  readonly name: string;
  /** The same for llama.cpp, and so for GGUF files. */
  readonly gguf: string;
  readonly shape: readonly Dimension[];
  /**
   * Whether its rows are turned in pairs by the rotary embedding; files differ in their order: see
   * `src/files/gguf/rotary-order.ts`.
   */
  readonly isRotated?: true;
}

const DIMENSIONS = {
  V: ({ vocabSize }: LlamaConfig) => vocabSize,
  D: ({ hiddenSize }: LlamaConfig) => hiddenSize,
  F: ({ intermediateSize }: LlamaConfig) => intermediateSize,
  H·d: ({ numAttentionHeads, headDim }: LlamaConfig) => numAttentionHeads * headDim,
  K·d: ({ numKeyValueHeads, headDim }: LlamaConfig) => numKeyValueHeads * headDim,
};

type Dimension = keyof typeof DIMENSIONS;

/** Those of a layer, by their field in `LayerWeights`, in the order in which it uses them. */
const OF_A_LAYER = {
  inputLayernorm: { name: 'input_layernorm', gguf: 'attn_norm', shape: ['D'] },
  qProj: { name: 'self_attn.q_proj', gguf: 'attn_q', shape: ['H·d', 'D'], isRotated: true },
  kProj: { name: 'self_attn.k_proj', gguf: 'attn_k', shape: ['K·d', 'D'], isRotated: true },
  vProj: { name: 'self_attn.v_proj', gguf: 'attn_v', shape: ['K·d', 'D'] },
  oProj: { name: 'self_attn.o_proj', gguf: 'attn_output', shape: ['D', 'H·d'] },
  postAttentionLayernorm: { name: 'post_attention_layernorm', gguf: 'ffn_norm', shape: ['D'] },
  gateProj: { name: 'mlp.gate_proj', gguf: 'ffn_gate', shape: ['F', 'D'] },
  upProj: { name: 'mlp.up_proj', gguf: 'ffn_up', shape: ['F', 'D'] },
  downProj: { name: 'mlp.down_proj', gguf: 'ffn_down', shape: ['D', 'F'] },
} as const satisfies Record<string, Entry>;

/** Those that are there once. */
const OF_THE_MODEL = {
  embedding: { name: 'model.embed_tokens', gguf: 'token_embd', shape: ['V', 'D'] },
  norm: { name: 'model.norm', gguf: 'output_norm', shape: ['D'] },
  lmHead: { name: 'lm_head', gguf: 'output', shape: ['V', 'D'] },
} as const satisfies Record<string, Entry>;

/** What a weight is for. */
export type WeightField = keyof typeof OF_THE_MODEL | keyof typeof OF_A_LAYER;

/** One thing for each weight of a layer, such as the weight itself. */
export type LayerWeights<T> = Readonly<Record<keyof typeof OF_A_LAYER, T>>;

/** A weight of a model of known sizes. */
export interface Weight {
  readonly field: WeightField;
  /** Undefined for those that are there once. */
  readonly layer: number | undefined;
  /** Hugging Face's, in full, such as `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  /** llama.cpp's, in full, such as `blk.0.attn_q.weight`. */
  readonly ggufName: string;
  readonly shape: readonly number[];
  readonly isRotated: boolean;
}

export const EMBEDDING = `${OF_THE_MODEL.embedding.name}.weight`;
export const NORM = `${OF_THE_MODEL.norm.name}.weight`;
export const LM_HEAD = `${OF_THE_MODEL.lmHead.name}.weight`;

/** The name that a GGUF file has for the head; one without a head uses the embedding for it. */
export const GGUF_LM_HEAD = `${OF_THE_MODEL.lmHead.gguf}.weight`;

/**
 * All weights of a model, in the order in which it uses them; without the head when that is the
 * embedding.
 */
export function weightsOf(config: LlamaConfig): Weight[] {
  const { embedding, norm, lmHead } = OF_THE_MODEL;
  const layers = Array.from({ length: config.numHiddenLayers }, (_, layer) =>
    Object.entries(OF_A_LAYER).map(([field, entry]) =>
      weight(field as WeightField, entry, config, layer),
    ),
  );
  return [
    weight('embedding', embedding, config),
    ...layers.flat(),
    weight('norm', norm, config),
    ...(config.tieWordEmbeddings ? [] : [weight('lmHead', lmHead, config)]),
  ];
}

function weight(field: WeightField, entry: Entry, config: LlamaConfig, layer?: number): Weight {
  const [prefix, ggufPrefix] =
    layer === undefined ? ['', ''] : [layerPrefix(layer), `blk.${layer}.`];
  return {
    field,
    layer,
    name: `${prefix}${entry.name}.weight`,
    ggufName: `${ggufPrefix}${entry.gguf}.weight`,
    shape: entry.shape.map(dimension => DIMENSIONS[dimension](config)),
    isRotated: entry.isRotated ?? false,
  };
}

const layerPrefix = (layer: number): string => `model.layers.${layer}.`;

/** Name → shape of all weights, by Hugging Face's names; in the order of `weightsOf`. */
export function expectedWeights(config: LlamaConfig): Map<string, readonly number[]> {
  return new Map(weightsOf(config).map(({ name, shape }) => [name, shape]));
}

/** What `named` gives for each weight of layer `layer`, by Hugging Face's name. */
export function mapLayer<T>(layer: number, named: (name: string) => T): LayerWeights<T> {
  return Object.fromEntries(
    Object.entries(OF_A_LAYER).map(([field, { name }]) => [
      field,
      named(`${layerPrefix(layer)}${name}.weight`),
    ]),
  ) as LayerWeights<T>;
}
