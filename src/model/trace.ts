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

import { check, show } from '../base/errors.js';
import type { Tensor } from '../base/tensor.js';
import { escapeRegExp } from '../base/text.js';
import type { LlamaConfig } from './config.js';

/**
 * Called once per tensor, in the order of computation. The tensor is scratch: copy what is to be
 * kept.
 */
export type Trace = (name: string, tensor: Tensor) => void;

/** What a forward pass tells while it runs, over tensors as its kernels hold them. */
export interface Tracer<T> {
  /** Whether anybody wants the tensor of this name: what nobody wants need not be computed. */
  wants(name: string): boolean;
  /** Called for every tensor that is wanted, when it is computed. */
  trace(name: string, tensor: T): void;
  /** The same for what is not a tensor of the kernels. */
  traceNumbers(name: string, tensor: Tensor): void;
}

/** Of layer N, after `model.layers.N`; the last is the output of the block itself. */
const IN_LAYER = [
  '.input_layernorm',
  ...['q_proj', 'k_proj', 'v_proj', 'q_rotated', 'k_rotated', 'probabilities', 'context'].map(
    name => `.self_attn.${name}`,
  ),
  ...['.self_attn.o_proj', '.self_attn.residual', '.post_attention_layernorm'],
  ...['gate_proj', 'up_proj', 'swiglu', 'down_proj'].map(name => `.mlp.${name}`),
  '',
];

/** Those that have a row for every logit asked for, not for every token. */
const OF_LOGITS: readonly string[] = ['model.norm', 'lm_head'];

/** Whether the tensor of this name has a row for every row whose logits were asked for. */
export function isOfLogits(name: string): boolean {
  return OF_LOGITS.includes(name);
}

/** The names of all tensors of a model, in the order of computation. */
export function tensorNames({ numHiddenLayers }: Pick<LlamaConfig, 'numHiddenLayers'>): string[] {
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    IN_LAYER.map(name => `model.layers.${layer}${name}`),
  );
  return ['model.embed_tokens', ...layers.flat(), ...OF_LOGITS];
}

/**
 * Which of a model's tensors `patterns` name, in the order of computation; all if there are no
 * patterns. In a pattern `*` stands for any text: `model.layers.*.self_attn.probabilities`.
 * @throws {LlamaError} BAD_OPTION for a pattern that names none.
 */
export function selectTensors(
  config: Pick<LlamaConfig, 'numHiddenLayers'>,
  patterns: readonly string[] = ['*'],
): string[] {
  const names = tensorNames(config);
  const matchers = patterns.map(pattern => {
    const matcher = new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`);
    check(
      names.some(name => matcher.test(name)),
      'BAD_OPTION',
      () =>
        `there is no tensor ${show(pattern)} to trace; in layer 0 there are ` +
        `${names.filter(name => name.startsWith('model.layers.0')).join(', ')}, and besides ` +
        `model.embed_tokens, ${OF_LOGITS.join(', ')}`,
    );
    return matcher;
  });
  return names.filter(name => matchers.some(matcher => matcher.test(name)));
}

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
