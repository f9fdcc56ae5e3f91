/**
 * Models whose widths fill no vector and no block: in every format the same bits however they are
 * computed, and the numbers of the exact kernels.
 *
 * Activations lie in rows of a stride, and memory is used again: before each pass, one over a token
 * whose embedding is NaN leaves NaN wherever this model keeps numbers.
 */
import { describe, expect, it } from 'vitest';
import type { Floats } from '../../../src/base/tensor.js';
import { ExactEngine } from '../../../src/engines/exact/exact-engine.js';
import type { CacheFormat } from '../../../src/engines/wasm/memory/cache-formats.js';
import type { WeightFormat } from '../../../src/engines/wasm/memory/weight-formats.js';
import type { WasmOptions } from '../../../src/engines/wasm/options.js';
import { WasmEngine } from '../../../src/engines/wasm/wasm-engine.js';
import { parseConfig } from '../../../src/files/config-json/config-json.js';
import type { LlamaConfig } from '../../../src/model/config.js';
import { Llama } from '../../../src/model/llama.js';
import { EMBEDDING } from '../../../src/model/weights.js';
import { dequantizeRow, quantizeRow } from '../../asm/block-formats.js';
import { continuing } from '../../support/golden.js';
import { type Change, randomCheckpoint } from '../../support/random-model.js';
import { distance } from '../../support/tensors.js';

/** [hidden, intermediate, heads, key-value heads, head size] */
const SHAPES: readonly (readonly number[])[] = [
  [33, 50, 3, 3, 22], // the widths of attention: 66, which is 2 more than a multiple of 4,
  [50, 33, 5, 1, 10], // 50 and 10,
  [1, 3, 1, 1, 2], // 2,
  [66, 127, 9, 3, 6], // 54 and 18,
  [127, 65, 6, 2, 34], // 204 and 68,
  [34, 1, 1, 1, 130], // 130,
  [63, 260, 7, 7, 14], // 98
];

/** Every format of weights and of caches, with every other one that could make a difference. */
const FORMATS: readonly (readonly [WeightFormat, CacheFormat])[] = [
  ['f32', 'f32'],
  ['bf16', 'f32'],
  ['f16', 'f32'],
  ['q8_0', 'f32'],
  ['q8_0', 'f16'],
  ['q8_0', 'q8'],
  ['q4_0', 'f32'],
  ['q4_0', 'f16'],
  ['q4_0', 'q8'],
];

/**
 * In σ of the logits, and what it is for: float32 sums; activations with 14 bits; with 7; keys and
 * values with 11 bits; with 7.
 */
const BOUNDS: Readonly<Record<WeightFormat | `cache ${CacheFormat}`, number>> = {
  f32: 5e-6,
  bf16: 5e-6,
  f16: 5e-6,
  q8_0: 2e-3,
  q4_0: 0.1,
  'cache f32': 0,
  'cache f16': 3e-3,
  'cache q8': 0.05,
};

const POISON = 0;
const TOKENS = [1, 200, 33, 4, 256, 90, 17, 8, 5, 31, 77];

function configOf([hidden, intermediate, heads, keyValueHeads, headDim]: readonly number[]) {
  return parseConfig({
    model_type: 'llama',
    vocab_size: 257,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: 2,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: headDim,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-5,
    hidden_act: 'silu',
  });
}

/** Random numbers that every format of 16 bits holds exactly; one token's are NaN. */
const held: Change = (name, numbers, [, width]) => {
  const rounded = numbers.map(x => Math.round(x * 2 ** 9) / 2 ** 9);
  return name === EMBEDDING ? rounded.fill(NaN, POISON * width, (POISON + 1) * width) : rounded;
};

/** The same as `format` holds them. */
const quantized =
  (format: WeightFormat): Change =>
  (name, numbers, shape) => {
    const rows = held(name, numbers, shape);
    if ((format !== 'q8_0' && format !== 'q4_0') || shape.length === 1 || name === EMBEDDING)
      return rows;
    const [count, width] = shape;
    for (let r = 0; r < count; r++) {
      const row = rows.subarray(r * width, (r + 1) * width);
      row.set(dequantizeRow(quantizeRow(format, row), width));
    }
    return rows;
  };

/** Logits of TOKENS in chunks of `chunk`, poisoned before each. */
async function poisonedLogits(model: Llama, chunk: number): Promise<Floats> {
  const sequence = model.createSequence();
  const logits: number[] = [];
  for (let start = 0; start < TOKENS.length; start += chunk) {
    const poison = model.createSequence();
    const rows = continuing(poison, new Array(TOKENS.length).fill(POISON));
    await expect(model.forward(rows)).rejects.toMatchObject({ code: 'NOT_FINITE' });
    poison.dispose();
    const part = continuing(sequence, TOKENS.slice(start, start + chunk));
    logits.push(...(await model.forward(part, { logitsFor: [...part.keys()] })).data);
  }
  sequence.dispose();
  return Float64Array.from(logits);
}

async function wasmLogits(config: LlamaConfig, options: WasmOptions, chunks: readonly number[]) {
  const checkpoint = randomCheckpoint(config, 'F32', held);
  const model = new Llama(config, await WasmEngine.load(config, checkpoint, options));
  const logits: Floats[] = [];
  for (const chunk of chunks) logits.push(await poisonedLogits(model, chunk));
  await model.close();
  return logits;
}

async function exactLogits(config: LlamaConfig, weights: WeightFormat): Promise<Floats> {
  const model = new Llama(
    config,
    new ExactEngine(config, randomCheckpoint(config, 'F32', quantized(weights))),
  );
  const rows = continuing(model.createSequence(), TOKENS);
  return (await model.forward(rows, { logitsFor: [...rows.keys()] })).data;
}

describe.each(SHAPES)(
  'hidden size %i, intermediate size %i, %i heads, %i key-value heads of %i',
  (...shape) => {
    const config = configOf(shape);
    it.each(FORMATS)(
      '%s weights, %s cache: the same bits at once, by 4, by 1, on 1 thread and 3; within BOUNDS',
      async (weights, cache) => {
        const formats = { weights, cache, context: 128 };
        const [whole, ...parts] = await wasmLogits(config, { ...formats, threads: 1 }, [11, 1]);
        const [three] = await wasmLogits(config, { ...formats, threads: 3 }, [4]);
        for (const other of [...parts, three]) expect(other).toEqual(whole);
        const truth = await exactLogits(config, weights);
        expect(distance(whole, truth)).toBeLessThan(BOUNDS[weights] + BOUNDS[`cache ${cache}`]);
      },
    );
  },
);
