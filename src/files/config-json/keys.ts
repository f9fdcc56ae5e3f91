/**
 * The keys of config.json that somebody has looked at. One in none of these lists is passed over
 * with a note: transformers' Llama reads no other (its modeling_llama.py, and of what it is built
 * on masking_utils.py, cache_utils.py and modeling_rope_utils.py, 4.57 and 5.24).
 */

/** What `readConfig` turns into a LlamaConfig. */
export const KEYS_READ: ReadonlySet<string> = new Set([
  'model_type',
  'vocab_size',
  'hidden_size',
  'intermediate_size',
  'num_hidden_layers',
  'num_attention_heads',
  'num_key_value_heads',
  'head_dim',
  'rms_norm_eps',
  'rope_theta',
  'rope_scaling',
  'rope_parameters',
  'rope_condense_ratio', // LongChat and LitGPT: the factor under another name
  'max_position_embeddings',
  'original_max_position_embeddings', // for the type llama3, whose scaling has it, too
  'tie_word_embeddings',
  'bos_token_id',
  'eos_token_id',
]);

/** Those of them for which null means the same as leaving them out. */
export const NULLABLE_KEYS: ReadonlySet<string> = new Set([
  'num_key_value_heads',
  'head_dim',
  'rope_theta',
  'rope_scaling',
  'rope_parameters',
  'rope_condense_ratio',
  'max_position_embeddings',
  'original_max_position_embeddings',
  'tie_word_embeddings',
]);

const ROPE_KEYS_OF_ALL = ['type', 'rope_type', 'factor', 'rope_theta', 'partial_rotary_factor'];

/** What `rope_scaling` and `rope_parameters` say, by their type. */
export const ROPE_KEYS: Readonly<Record<'default' | 'linear' | 'llama3', ReadonlySet<string>>> = {
  default: new Set(ROPE_KEYS_OF_ALL),
  linear: new Set(ROPE_KEYS_OF_ALL),
  llama3: new Set([
    ...ROPE_KEYS_OF_ALL,
    'low_freq_factor',
    'high_freq_factor',
    'original_max_position_embeddings',
  ]),
};

/**
 * What `architectures` usually says, as text; the second is how the first conversions of LLaMA, in
 * early 2023, spelt it.
 */
export const KNOWN_ARCHITECTURES: ReadonlySet<string> = new Set([
  '["LlamaForCausalLM"]',
  '["LLaMAForCausalLM"]',
]);

/** Keys that change the result, with the values for which they do not. */
export const IMPLEMENTED_VALUES: ReadonlyMap<string, readonly unknown[]> = new Map<
  string,
  readonly unknown[]
>([
  ['hidden_act', ['silu', null]],
  ['hidden_activation', ['silu', null]],
  ['attention_bias', [false, null]],
  ['mlp_bias', [false, null]],
  ['partial_rotary_factor', [1, null]],
  ['sliding_window', [null]],
  ['use_sliding_window', [false, null]],
  ['layer_types', [null]],
  ['attention_chunk_size', [null]],
  ['is_causal', [true, null]],
  ['use_bidirectional_attention', [false, null]],
  ['kv_sharing_modes', [null]],
  ['no_rope_layers', [null, []]],
  ['use_qk_norm', [false, null]],
  ['qk_layernorm', [false, null]],
  ['clip_qkv', [null]],
  ['quantization_config', [null]],
  ['compression_config', [null]],
  ['per_layer_config', [null]],
  ['pruned_heads', [{}, null]],
  ['is_encoder_decoder', [false, null]],
  ['add_cross_attention', [false, null]],
  ['num_experts', [null]],
  ['num_local_experts', [null]],
  // Granite, Gemma and Cohere scale embeddings, scores, residuals or logits.
  ['embedding_multiplier', [1, null]],
  ['residual_multiplier', [1, null]],
  ['attention_multiplier', [null]],
  ['query_pre_attn_scalar', [null]],
  ['logits_scaling', [1, null]],
  ['logit_scale', [1, null]],
  ['attn_logit_softcapping', [null]],
  ['final_logit_softcapping', [null]],
]);

/** Keys that do not change the logits, whatever their value. */
export const HARMLESS_KEYS: ReadonlySet<string> = new Set([
  'architectures',
  // Where the file comes from.
  'transformers_version',
  '_name_or_path',
  'name_or_path',
  '_commit_hash',
  'auto_map', // the published model names Together's own code; Hugging Face's computes the same
  'tokenizer_class',
  'unsloth_version',
  'unsloth_fixed',
  // How Hugging Face stores or runs it. `pretraining_tp` above 1 only splits matrices into slices:
  // the same sums, regrouped.
  'torch_dtype',
  'dtype',
  'pretraining_tp',
  'use_cache',
  '_attn_implementation',
  '_attn_implementation_autoset',
  'attn_implementation',
  '_flash_attn_2_enabled',
  'gradient_checkpointing',
  'chunk_size_feed_forward',
  'torchscript',
  'use_bfloat16',
  'tf_legacy_loss',
  'return_dict',
  'output_attentions',
  'output_hidden_states',
  'is_decoder',
  'cross_attention_hidden_size',
  'tie_encoder_decoder',
  // Only for training, or for heads other than the language model.
  'initializer_range',
  'attention_dropout',
  'attn_pdrop',
  'embd_pdrop',
  'resid_pdrop',
  'hidden_dropout',
  'finetuning_task',
  'id2label',
  'label2id',
  'num_labels',
  'problem_type',
  'task_specific_params',
  'prefix',
  // Ids that only batching, other tasks or generation look at.
  'pad_token_id',
  'unk_token_id',
  'sep_token_id',
  'decoder_start_token_id',
  // Superseded spelling of max_position_embeddings; Hugging Face's Llama does not read it.
  'max_sequence_length',
  // Settings of generate(), which belong into generation_config.json and were once written here.
  'max_length',
  'max_new_tokens',
  'min_length',
  'do_sample',
  'early_stopping',
  'num_beams',
  'num_beam_groups',
  'diversity_penalty',
  'temperature',
  'top_k',
  'top_p',
  'typical_p',
  'repetition_penalty',
  'length_penalty',
  'no_repeat_ngram_size',
  'encoder_no_repeat_ngram_size',
  'bad_words_ids',
  'num_return_sequences',
  'output_scores',
  'return_dict_in_generate',
  'forced_bos_token_id',
  'forced_eos_token_id',
  'remove_invalid_values',
  'exponential_decay_length_penalty',
  'suppress_tokens',
  'begin_suppress_tokens',
]);
