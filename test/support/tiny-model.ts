/** A model of 2 layers and few tokens, random, in either engine: passes take a millisecond. */
import { ExactEngine } from '../../src/engines/exact/exact-engine.js';
import { WasmEngine } from '../../src/engines/wasm/wasm-engine.js';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import { Llama } from '../../src/model/llama.js';
import { EMBEDDING } from '../../src/model/weights.js';
import { randomCheckpoint } from './random-model.js';

export const tinyConfig = (vocabSize: number) =>
  parseConfig({
    model_type: 'llama',
    vocab_size: vocabSize,
    hidden_size: 18,
    intermediate_size: 20,
    num_hidden_layers: 2,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    head_dim: 6,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    hidden_act: 'silu',
  });

const CONFIG = tinyConfig(60);

/** A token whose embedding, and so every logit after it, is NaN. */
export const NAN_TOKEN = 13;
/** Positions for which there is room in the WASM engine: ten pages. */
export const CONTEXT = 640;

export async function loadTiny(kernels: 'exact' | 'wasm', context = CONTEXT): Promise<Llama> {
  const checkpoint = randomCheckpoint(CONFIG, 'F32', (name, numbers, [, width]) =>
    name === EMBEDDING ? numbers.fill(NaN, NAN_TOKEN * width, (NAN_TOKEN + 1) * width) : numbers,
  );
  const engine =
    kernels === 'exact'
      ? new ExactEngine(CONFIG, checkpoint, { numerics: 'f32' })
      : await WasmEngine.load(CONFIG, checkpoint, { threads: 2, maxRows: 16, context });
  return new Llama(CONFIG, engine);
}
