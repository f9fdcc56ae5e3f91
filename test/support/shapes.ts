/** Configurations that tests of weights share. */
import { parseConfig } from '../../src/files/config-json/config-json.js';
import type { LlamaConfig } from '../../src/model/config.js';

/** Llama-2-7B. */
export const SEVEN_B = parseConfig({
  model_type: 'llama',
  vocab_size: 32000,
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
});

/** No two sizes are the same, and queries have more heads than keys. */
export const TINY: LlamaConfig = {
  ...SEVEN_B,
  vocabSize: 10,
  hiddenSize: 6,
  intermediateSize: 7,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 8,
};

/** The same, the head being the embedding. */
export const TIED: LlamaConfig = { ...TINY, tieWordEmbeddings: true };
