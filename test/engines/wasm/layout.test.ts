/** Sizes, exact also where they are more than 2^32. */
import { describe, expect, it } from 'vitest';
import { type CacheFormat, headPageBytes } from '../../../src/engines/wasm/memory/cache-formats.js';
import { memoryNeeds } from '../../../src/engines/wasm/memory/memory-needs.js';
import { layoutFor } from '../../../src/engines/wasm/wasm-engine.js';
import { parseConfig } from '../../../src/files/config-json/config-json.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import { expectedWeights } from '../../../src/model/weights.js';

/** Llama-2-7B-32K, without its numbers. */
const CONFIG = parseConfig({
  model_type: 'llama',
  vocab_size: 32000,
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-5,
  rope_scaling: { type: 'linear', factor: 8 },
  hidden_act: 'silu',
});

const unread = () => Promise.reject(new Error('nothing is read'));
const CHECKPOINT: Checkpoint = {
  name: '7B',
  tensors: new Map(
    [...expectedWeights(CONFIG)].map(([name, shape]) => {
      const byteLength = shape.reduce((a, b) => a * b, 2);
      return [
        name,
        {
          name,
          dtype: 'F16',
          shape,
          byteLength,
          read: unread,
          readInto: unread,
          readBytes: unread,
        },
      ];
    }),
  ),
  close: async () => {},
};

const layout7B = (cache: CacheFormat | undefined, context?: number) =>
  layoutFor(CONFIG, CHECKPOINT, { threads: 2, cache, context });

describe('the layout of 7B', () => {
  it.each([
    ['f32', 1_048_576],
    ['f16', 524_288],
    ['q8', 282_624],
  ] as const)('takes for each position, in a cache of %s, %i bytes', (cache, bytes) => {
    expect(memoryNeeds(layout7B(cache), 64).cache / 64).toBe(bytes);
  });

  it('has keys of 32 layers, 32,768 positions, 4,096 numbers: 2^32, 0 in an int32', () => {
    const { banks, maxPages } = layout7B('f16');
    const cache = banks.reduce((sum, { pageBytes }) => sum + maxPages * pageBytes, 0);
    expect(cache).toBe(2 * 2 * 2 ** 32);
    expect(banks.reduce((sum, { firstLayer, endLayer }) => sum + endLayer - firstLayer, 0)).toBe(
      32,
    );
    for (const { kvBase, pageBytes } of banks)
      expect(kvBase + maxPages * pageBytes).toBeLessThanOrEqual(2 ** 32);
  });

  it('holds keys and values as float32 unless told otherwise', () => {
    expect(layout7B(undefined)).toEqual(layout7B('f32'));
  });

  it('needs fewer memories with a smaller cache', () => {
    const memories = (['f32', 'f16', 'q8'] as const).map(cache => layout7B(cache).banks.length);
    expect(memories).toEqual([16, 8, 6]);
  });

  it('refuses more than a memory holds, and tells that a smaller cache would help', () => {
    expect(() => layout7B('f32', 130_000)).toThrow(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringContaining('smaller cache: f16, q8'),
      }),
    );
    expect(layout7B('q8', 130_000).banks).toHaveLength(16);
  });
});

describe('headPageBytes', () => {
  it.each([
    // d, padded to 16 among values; q8: integers, of keys by fours, and scales for blocks of 32 of
    // the key and for the value
    ['f32', 22, 64 * 4 * (22 + 32)],
    ['f16', 22, 64 * 2 * (22 + 32)],
    ['q8', 22, 64 * (24 + 32 + 4 + 4)],
    ['q8', 23, 64 * (24 + 32 + 4 + 4)],
    ['q8', 80, 64 * (80 + 80 + 3 * 4 + 4)],
    ['q8', 128, 64 * (128 + 128 + 4 * 4 + 4)],
  ] as const)('of %s and heads of %i is %i', (format, headDim, bytes) => {
    expect(headPageBytes(format, headDim)).toBe(bytes);
  });
});
