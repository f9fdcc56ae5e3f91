import type { LlamaConfig } from '../../model/config.js';
import type { FloatDType } from '../../model/dtypes.js';

const TORCH_DTYPES: Readonly<Record<FloatDType, string>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/**
 * @param dtype what most numbers of the checkpoint are in: what transformers computes in unless it
 * is told otherwise
 */
export function configJson(config: LlamaConfig, dtype: FloatDType): string {
  const { eosTokenIds, ropeFactor } = config;
  const json = {
    architectures: ['LlamaForCausalLM'],
    attention_bias: false,
    bos_token_id: config.bosTokenId ?? null,
    eos_token_id: eosTokenIds.length > 1 ? eosTokenIds : (eosTokenIds[0] ?? null),
    head_dim: config.headDim,
    hidden_act: 'silu',
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    mlp_bias: false,
    model_type: 'llama',
    num_attention_heads: config.numAttentionHeads,
    num_hidden_layers: config.numHiddenLayers,
    num_key_value_heads: config.numKeyValueHeads,
    rms_norm_eps: config.rmsNormEps,
    rope_scaling: ropeFactor === 1 ? null : { factor: ropeFactor, type: 'linear' },
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: TORCH_DTYPES[dtype],
    vocab_size: config.vocabSize,
  };
  const text = JSON.stringify(json, null, 2);
  // transformers 4 refuses a factor that is a Python int; JavaScript does not write 8.0.
  return `${text.replace(/("factor": \d+)(?=,)/, '$1.0')}\n`;
}
