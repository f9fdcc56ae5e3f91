/** Models in llama.cpp's blocks, which the engine takes as they are. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Floats } from '../../../src/base/tensor.js';
import { ExactEngine } from '../../../src/engines/exact/exact-engine.js';
import type { WasmOptions } from '../../../src/engines/wasm/options.js';
import { WasmEngine } from '../../../src/engines/wasm/wasm-engine.js';
import { BLOCK_FORMATS } from '../../../src/files/blocks/blocks.js';
import { parseConfig } from '../../../src/files/config-json/config-json.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import type { BlockDType } from '../../../src/model/dtypes.js';
import { Llama } from '../../../src/model/llama.js';
import { allLogits } from '../../support/golden.js';
import { randomCheckpoint } from '../../support/random-model.js';
import { rootMeanSquareDifference, spread } from '../../support/tensors.js';

const CONFIG = parseConfig({
  model_type: 'llama',
  vocab_size: 257,
  hidden_size: 256,
  intermediate_size: 512,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
});
/** All but those that are held against their packed form above. */
const TAKEN = ['Q4_1', 'Q5_0', 'Q5_1', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const;

const TOKENS = [1, 200, 33, 4, 256, 90, 17];

const checkpointOf = (dtype: BlockDType | 'F32') => randomCheckpoint(CONFIG, dtype);

const open: Llama[] = [];
async function logits(checkpoint: Checkpoint, options: WasmOptions = {}, chunk?: number) {
  const model = new Llama(
    CONFIG,
    await WasmEngine.load(CONFIG, checkpoint, { threads: 2, ...options }),
  );
  open.push(model);
  const { name } = model.engine;
  return { name, numbers: await allLogits(model, TOKENS, chunk) };
}
afterEach(async () => {
  await Promise.all(open.splice(0).map(model => model.close()));
});

describe('a model in blocks', () => {
  it.each([
    ['Q8_0', 'q8_0'],
    ['Q4_0', 'q4_0'],
  ] as const)(
    'of %s gives the bits of the same numbers quantized while they are loaded',
    async (dtype, weights) => {
      const blocks = checkpointOf(dtype);
      const own = await logits(blocks);
      expect(own.name).toBe(`wasm-${weights}`);
      expect(own.numbers).toEqual((await logits(checkpointOf('F32'), { weights })).numbers);
    },
  );

  // Activations of 8 bits are off by max|x| / 127 / √12, some 0.005 σ of a linear layer's result;
  // nine follow one another here: 0.015 σ, and 0.021 where the blocks are random bytes, which are
  // not centred.
  it.each(TAKEN)(
    'of %s runs as it is: RMS within 0.02 σ (random bytes: 0.025) of float64, 2e-5 as f32',
    async dtype => {
      const blocks = checkpointOf(dtype);
      const exact = new Llama(CONFIG, new ExactEngine(CONFIG, blocks));
      const truth = await allLogits(exact, TOKENS);
      const errorOf = (numbers: Floats) => rootMeanSquareDifference(numbers, truth) / spread(truth);
      const own = await logits(blocks);
      expect(own.name).toBe(`wasm-${dtype.toLowerCase()}`);
      const bound = BLOCK_FORMATS[dtype].encode ? 0.02 : 0.025;
      expect(errorOf(own.numbers)).toBeLessThan(bound);
      const wide = await logits(blocks, { weights: 'f32' });
      expect(errorOf(wide.numbers)).toBeLessThan(2e-5);
    },
  );

  it.each(TAKEN)(
    'of %s gives the same bits with 1, 2 and 3 threads and token by token',
    async dtype => {
      const blocks = checkpointOf(dtype);
      const one = await logits(blocks, { threads: 1 });
      for (const threads of [2, 3])
        expect((await logits(blocks, { threads })).numbers).toEqual(one.numbers);
      expect((await logits(blocks, {}, 1)).numbers).toEqual(one.numbers);
    },
  );

  it('takes the bytes of its blocks, and at most 8 more for 256 numbers', async () => {
    for (const dtype of TAKEN) {
      const engine = await WasmEngine.load(CONFIG, checkpointOf(dtype), { threads: 1 });
      const { shape, bytes } = engine.layout.places['model.layers.0.mlp.down_proj.weight'];
      const blocks = (shape[0] * shape[1]) / BLOCK_FORMATS[dtype].numbers;
      const more = bytes / blocks - BLOCK_FORMATS[dtype].bytes;
      expect(more).toBeGreaterThanOrEqual(0);
      expect(more).toBeLessThanOrEqual(8);
      await engine.close();
    }
  });
});
