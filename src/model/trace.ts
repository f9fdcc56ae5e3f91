/**
 * The names of every intermediate tensor, and a recorder for them.
 *
 * These names are stable: goldens, the oracle and pictures use them. Where Hugging Face has a
 * module, the name is the module's path and the tensor its output; the five that no module returns
 * are named for what they are. N counts layers from 0; T is the number of positions that the
 * longest row sees.
 *
 * | name                                    | shape     | what it is                             |
 * |-----------------------------------------|-----------|----------------------------------------|
 * | model.embed_tokens                      | [R, D]    | the tokens' embeddings                 |
 * | model.layers.N.input_layernorm          | [R, D]    | first RMSNorm of the block             |
 * | model.layers.N.self_attn.q_proj         | [R, H·d]  | queries before rotation                |
 * | model.layers.N.self_attn.k_proj         | [R, K·d]  | keys before rotation                   |
 * | model.layers.N.self_attn.v_proj         | [R, K·d]  | values                                 |
 * | model.layers.N.self_attn.q_rotated      | [R, H·d]  | queries after RoPE                     |
 * | model.layers.N.self_attn.k_rotated      | [R, K·d]  | keys after RoPE, as the cache has them |
 * | model.layers.N.self_attn.probabilities  | [R, H, T] | attention weights; 0 where not visible |
 * | model.layers.N.self_attn.context        | [R, H·d]  | weighted values: input of o_proj       |
 * | model.layers.N.self_attn.o_proj         | [R, D]    | output of attention                    |
 * | model.layers.N.self_attn.residual       | [R, D]    | block input + o_proj                   |
 * | model.layers.N.post_attention_layernorm | [R, D]    | second RMSNorm of the block            |
 * | model.layers.N.mlp.gate_proj            | [R, F]    | gate                                   |
 * | model.layers.N.mlp.up_proj              | [R, F]    | up                                     |
 * | model.layers.N.mlp.swiglu               | [R, F]    | silu(gate) · up: input of down_proj    |
 * | model.layers.N.mlp.down_proj            | [R, D]    | output of the feed-forward network     |
 * | model.layers.N                          | [R, D]    | output of the block                    |
 * | model.norm                              | [R, D]    | last RMSNorm, of the rows with logits  |
 * | lm_head                                 | [R, V]    | logits of those rows                   |
 */
import type { Tensor } from '../base/tensor.js';

/**
 * Called once per tensor, in the order of computation. The tensor is scratch: copy what is to be
 * kept.
 */
export type Trace = (name: string, tensor: Tensor) => void;

/** A trace that keeps a copy of every tensor whose name `keep` accepts. */
export function recordTrace(keep: (name: string) => boolean = () => true): {
  readonly trace: Trace;
  readonly tensors: Map<string, Tensor>;
} {
  const tensors = new Map<string, Tensor>();
  const trace: Trace = (name, { shape, data }) => {
    if (keep(name)) tensors.set(name, { shape: [...shape], data: data.slice() });
  };
  return { trace, tensors };
}
