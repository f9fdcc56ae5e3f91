import { LlamaError } from '../../base/errors.js';
import type { LlamaConfig } from '../../model/config.js';
import type { FloatDType } from '../../model/dtypes.js';
import type { RopeScaling } from '../../ops/rope-scaling/rope-scaling.js';

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
  const { eosTokenIds } = config;
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
    rope_scaling: ropeScalingJson(config.ropeScaling),
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: TORCH_DTYPES[dtype],
    vocab_size: config.vocabSize,
  };
  const text = JSON.stringify(json, null, 2);
  // transformers 4 refuses a factor that is a Python int; JavaScript does not write 8.0.
  return `${text.replace(/("(?:low_freq_|high_freq_)?factor": \d+)(?=,)/g, '$1.0')}\n`;
}

/**
 * As transformers 4 and 5 read it.
 * @throws {LlamaError} UNSUPPORTED for factors of single frequencies.
 */
function ropeScalingJson(scaling: RopeScaling | undefined): object | null {
  switch (scaling?.type) {
    case undefined:
      return null;
    case 'linear':
      return { factor: scaling.factor, type: 'linear' };
    case 'llama3':
      return {
        factor: scaling.factor,
        high_freq_factor: scaling.highFreqFactor,
        low_freq_factor: scaling.lowFreqFactor,
        original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
        rope_type: 'llama3',
      };
    case 'factors':
      throw new LlamaError(
        'UNSUPPORTED',
        'the file divides the frequencies of the rotary embedding by factors of its own ' +
          '(rope_freqs.weight), those of no known Llama 3, and config.json has no place for ' +
          'them; convert the model that this file was made from, or write a GGUF file',
      );
  }
}
