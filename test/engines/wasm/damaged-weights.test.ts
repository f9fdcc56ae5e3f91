/**
 * Weights that cannot be packed: whether the file is damaged or the format unfit, and so whether
 * other files or another option help.
 */
import { expect, it } from 'vitest';
import { toF16Bits } from '../../../src/base/half.js';
import type { WeightFormat } from '../../../src/engines/wasm/memory/weight-formats.js';
import { WasmEngine } from '../../../src/engines/wasm/wasm-engine.js';
import { parseConfig } from '../../../src/files/config-json/config-json.js';
import type { BlockDType } from '../../../src/model/dtypes.js';
import { randomCheckpoint, tensorOfBytes } from '../../support/random-model.js';

const CONFIG = parseConfig({
  model_type: 'llama',
  vocab_size: 40,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 2,
});
const NAME = 'model.layers.0.mlp.up_proj.weight';

const ROW = 33;

/** Loads a model with `value` in row 33 of a matrix; of blocks, as the scale of 32 numbers. */
async function loadWith(value: number, dtype: 'F32' | BlockDType, weights?: WeightFormat) {
  const checkpoint = randomCheckpoint(CONFIG, dtype);
  const { shape, byteLength, readBytes } = checkpoint.tensors.get(NAME)!;
  const bytes = await readBytes();
  const view = new DataView(bytes.buffer, (ROW * byteLength) / shape[0]);
  if (dtype === 'F32') view.setFloat32(0, value, true);
  else view.setUint16(0, toF16Bits(value), true);
  const tensors = new Map(checkpoint.tensors);
  tensors.set(NAME, tensorOfBytes(NAME, shape, dtype, bytes));
  const damaged = { ...checkpoint, tensors };
  const engine = await WasmEngine.load(CONFIG, damaged, { weights, threads: 2 });
  await engine.close();
}

it.each([
  ['F32', 'f16', NaN, 1],
  ['F32', 'q8_0', Infinity, 1],
  ['F32', 'q4_0', NaN, 1],
  ['Q8_0', undefined, NaN, 32],
  ['Q8_0', 'f16', -Infinity, 32],
  ['Q8_0', 'q4_0', NaN, 32],
  ['Q4_0', undefined, NaN, 32],
  ['Q4_0', 'q8_0', NaN, 32],
] as const)('%s in the file, as %s: %f is of the file', async (dtype, weights, value, count) => {
  await expect(loadWith(value, dtype, weights)).rejects.toMatchObject({
    code: 'BAD_CHECKPOINT',
    message: expect.stringMatching(
      `^${count} numbers of ${NAME}, which is ${dtype} in the file, are NaN or infinite; .*Fetch`,
    ),
  });
});

const SCALED = ['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'] as const;
it.each(SCALED)('a scale of 200 in %s blocks: float32 reads it', async dtype => {
  await expect(loadWith(200, dtype)).rejects.toMatchObject({
    code: 'BAD_CHECKPOINT',
    message: expect.stringContaining(`1 scales of ${NAME}, which is ${dtype} in the file,`),
  });
  await expect(loadWith(200, dtype, 'f32')).resolves.toBeUndefined();
});

it.each([
  ['F32', 'f16', 70_000],
  ['F32', 'q8_0', 20_000],
  ['Q8_0', 'q4_0', 200],
] as const)('%s in the file, as %s: %d is too large for what was asked for', async (...given) => {
  const [dtype, weights, value] = given;
  await expect(loadWith(value, dtype, weights)).rejects.toMatchObject({
    code: 'BAD_OPTION',
    message: expect.stringContaining(`too large for ${weights}`),
  });
  await expect(loadWith(value, dtype, 'f32')).resolves.toBeUndefined();
});
