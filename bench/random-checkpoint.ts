/**
 * Checkpoints of real shapes with random weights, in seconds: how fast a model runs does not depend
 * on what it has learned.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { elementCount } from '../src/base/tensor.js';
import { parseConfig } from '../src/files/config-json/config-json.js';
import { encode } from '../src/files/dtypes.js';
import { type SafetensorsInput, writeSafetensors } from '../src/files/safetensors/writer.js';
import { DTYPE_BYTES } from '../src/model/dtypes.js';
import { expectedWeights } from '../src/model/weights.js';
import type { Numbers } from './numbers.js';
import { randomNumbers } from './random-weights.js';
import type { Shape } from './shapes.js';
import { writeOnce } from './write-once.js';

const TYPES = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const;
export type CheckpointDType = keyof typeof TYPES;

export function makeRandomCheckpoint(
  path: string,
  shape: Shape,
  dtype: CheckpointDType = 'F16',
): Promise<void> {
  return makeCheckpoint(path, shape, randomNumbers(), dtype);
}

/**
 * Makes the Hugging Face directory `path`, with config.json and model.safetensors, if it is not
 * there yet.
 */
export async function makeCheckpoint(
  path: string,
  shape: Shape,
  numbers: Numbers,
  dtype: CheckpointDType,
): Promise<void> {
  const config = configJson(shape);
  const tensors = [...expectedWeights(parseConfig(config))].map(
    ([name, sizes]): SafetensorsInput => {
      return { name, dtype, shape: sizes, chunks: numbersOf(numbers, name, sizes, dtype) };
    },
  );
  const dataBytes = tensors.reduce(
    (sum, tensor) => sum + elementCount(tensor.shape) * DTYPE_BYTES[dtype],
    0,
  );

  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'config.json'), JSON.stringify(config, null, 2));
  await writeOnce(join(path, 'model.safetensors'), writeSafetensors(tensors), dataBytes);
}

/** The bytes of one tensor. */
export function numbersOf(
  numbers: Numbers,
  name: string,
  shape: readonly number[],
  dtype: CheckpointDType,
): Iterable<Uint8Array> {
  const count = elementCount(shape);
  return shape.length === 1
    ? [encode(dtype, numbers.vector(name, count))]
    : numbers.matrix(name, count, TYPES[dtype]);
}

export function configJson({
  V,
  D,
  F,
  L,
  H,
  K,
  positions,
  ropeFactor,
}: Shape): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    vocab_size: V,
    hidden_size: D,
    intermediate_size: F,
    num_hidden_layers: L,
    num_attention_heads: H,
    num_key_value_heads: K,
    max_position_embeddings: positions,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    rope_scaling: { type: 'linear', factor: ropeFactor },
    tie_word_embeddings: false,
    bos_token_id: 1,
    eos_token_id: 2,
  };
}
