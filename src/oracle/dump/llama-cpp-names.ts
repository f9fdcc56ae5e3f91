/**
 * Names that llama.cpp's graph gives its tensors, as `cb_eval` and llama-eval-callback have them:
 * `cb(cur, "attn_norm", il)` is attn_norm-0 in layer 0 (src/models/llama.cpp and
 * src/llama-graph.cpp, in 2026).
 *
 * Two are not what they seem. kqv_out is the input of the output matrix; before March 2025 the name
 * came after that matrix, and kqv_merged_cont was its input. And Qcur and Kcur are three tensors
 * each, the product, its view in heads, and the rotated one, with neighbouring numbers as pairs,
 * because the rows of these matrices have another order in GGUF files
 * (`src/files/gguf/rotary-order.ts`).
 */
import { type Floats, zerosLike } from '../../base/tensor.js';
import { ggufRows } from '../../files/gguf/rotary-order.js';
import type { Meaning } from './meaning.js';

const ONCE: ReadonlyMap<string, string> = new Map([
  ['inp_tokens', 'tokens'],
  ['inp_out_ids', 'positions'],
  ['inp_embd', 'model.embed_tokens'], // before 2026
  ['embd', 'model.embed_tokens'],
  ['result_norm', 'model.norm'],
  ['result_output', 'lm_head'],
]);

/** By what stands before `-N`: what follows `model.layers.N`. */
const IN_LAYER: ReadonlyMap<string, string> = new Map([
  ['attn_norm', '.input_layernorm'],
  ['Vcur', '.self_attn.v_proj'],
  ['kqv_out', '.self_attn.context'],
  ['kqv_merged_cont', '.self_attn.context'],
  ['attn_out', '.self_attn.o_proj'],
  ['ffn_inp', '.self_attn.residual'],
  ['ffn_norm', '.post_attention_layernorm'],
  ['ffn_gate', '.mlp.gate_proj'],
  ['ffn_up', '.mlp.up_proj'],
  ['ffn_swiglu', '.mlp.swiglu'],
  ['ffn_gate_par', '.mlp.swiglu'], // before July 2025
  ['ffn_out', '.mlp.down_proj'],
  ['l_out', ''],
]);

const LEFT_OUT: readonly (readonly [name: RegExp, why: string])[] = [
  [/^norm(?:-\d+)?$/, 'a norm before its weight'],
  [/^ffn_silu-\d+$/, 'silu of the gate alone'],
  [/^(?:kq|kqv|kqv_merged|kq_soft_max(?:_ext)?)-\d+$/, 'attention in the shape of the cache'],
  [/^(?:k|v)-\d+$|^cache_[kv]_l\d+/, 'the cache'],
  [/ \((?:view|reshaped|permuted|transposed|copy|cont)\b/, 'views of others'],
  [/^(?:node|leaf)_\d+$/, 'tensors without a name'],
];

const ROTATED = /^[QK]cur-\d+$/;

/** Undefined if it is no such name. */
export function llamaCppMeaning(name: string): Meaning | undefined {
  if (ROTATED.test(name)) return { unclear: unclear(name) };
  const [, why] = LEFT_OUT.find(([pattern]) => pattern.test(name)) ?? [];
  if (why !== undefined) return { leftOut: why };
  const once = ONCE.get(name);
  if (once !== undefined) return { is: once };
  const [, before = '', layer] = /^(\w+)-(\d+)$/.exec(name) ?? [];
  const after = IN_LAYER.get(before);
  return after === undefined ? undefined : { is: `model.layers.${layer}${after}` };
}

function unclear(name: string): string {
  const letter = name[0].toLowerCase();
  return (
    'is the name of several tensors in llama.cpp, before and after rotation; keep the last one ' +
    `that comes and say so with --names: {"${name[0]}cur-*": ` +
    `"model.layers.*.self_attn.${letter}_rotated"}, or leave them out`
  );
}

/** Whether numbers of a head that are rotated together are neighbours in this tensor. */
export function hasNeighbouringPairs(theirs: string, ours: string): boolean {
  return ROTATED.test(theirs) && /\.self_attn\.[qk]_(?:proj|rotated)$/.test(ours);
}

/** A copy of heads of llama.cpp with their numbers in Hugging Face's order. */
export function inHuggingFaceOrder(heads: Floats, headDim: number): Floats {
  const order = ggufRows(headDim);
  const out = zerosLike(heads, heads.length);
  for (let head = 0; head < heads.length; head += headDim) {
    for (let i = 0; i < headDim; i++) out[head + i] = heads[head + order[i]];
  }
  return out;
}
