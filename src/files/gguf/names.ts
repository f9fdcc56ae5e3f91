/** The tensors of a Llama by the names llama.cpp gives them, and by those of Hugging Face. */

/** Those that are there once. */
const MODEL_NAMES: readonly Pair[] = [
  ['token_embd.weight', 'model.embed_tokens.weight'],
  ['output_norm.weight', 'model.norm.weight'],
  ['output.weight', 'lm_head.weight'],
];

/** Those of a layer: `blk.N.….weight` and `model.layers.N.….weight`. */
const LAYER_NAMES: readonly Pair[] = [
  ['attn_norm', 'input_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
];

type Pair = readonly [gguf: string, huggingFace: string];

/** Without a head, the embedding is used for it. */
export const OUTPUT = 'output.weight';
/** Factors for rope's frequencies, one each; Llama 3.1 and later have them. */
export const ROPE_FACTORS = 'rope_freqs.weight';

const toHuggingFace = new Map([...MODEL_NAMES, ...LAYER_NAMES]);
const toGguf = new Map([...toHuggingFace].map(([gguf, huggingFace]) => [huggingFace, gguf]));

/**
 * The name that Hugging Face has for the tensor that llama.cpp calls `name`; undefined if a Llama
 * has no such tensor.
 */
export function huggingFaceName(name: string): string | undefined {
  return translated(name, /^blk\.(0|[1-9]\d*)\.(\w+)\.weight$/, toHuggingFace, 'model.layers');
}

/** The inverse of `huggingFaceName`. */
export function ggufName(name: string): string | undefined {
  return translated(name, /^model\.layers\.(0|[1-9]\d*)\.([\w.]+)\.weight$/, toGguf, 'blk');
}

function translated(
  name: string,
  inLayer: RegExp,
  names: ReadonlyMap<string, string>,
  prefix: string,
) {
  const [, layer, part] = inLayer.exec(name) ?? [];
  if (layer === undefined) return names.get(name);
  const other = names.get(part);
  return other && `${prefix}.${layer}.${other}.weight`;
}
