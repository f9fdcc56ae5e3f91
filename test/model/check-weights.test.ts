import { describe, it } from 'vitest';
import type { LlamaErrorCode } from '../../src/base/errors.js';
import { elementCount } from '../../src/base/tensor.js';
import { checkTiedHead, checkWeights } from '../../src/model/check-weights.js';
import type { Checkpoint, CheckpointTensor } from '../../src/model/checkpoint.js';
import type { LlamaConfig } from '../../src/model/config.js';
import type { DType } from '../../src/model/dtypes.js';
import { expectedWeights } from '../../src/model/weights.js';
import { expectRefused } from '../files/helpers.js';
import { TIED, TINY } from '../support/shapes.js';

function tensor(
  name: string,
  shape: readonly number[],
  dtype: DType = 'F16',
  data?: number[],
): CheckpointTensor {
  const numbers = Float32Array.from(data ?? { length: elementCount(shape) });
  const width = elementCount(shape.slice(1));
  return {
    name,
    dtype,
    shape,
    byteLength: 0,
    read: async (first = 0, count = shape[0]! - first) =>
      numbers.subarray(first * width, (first + count) * width),
    readInto: async () => {},
    readBytes: async () => new Uint8Array(),
  };
}

/** A checkpoint with the weights of `config`, but for `changes`; undefined takes a tensor away. */
function checkpointOf(
  config: LlamaConfig,
  changes: Record<string, CheckpointTensor | undefined> = {},
): Checkpoint {
  const tensors = new Map(
    [...expectedWeights(config)].map(([name, shape]) => [name, tensor(name, shape)]),
  );
  for (const [name, changed] of Object.entries(changes)) {
    if (changed) tensors.set(name, changed);
    else tensors.delete(name);
  }
  return { name: 'the checkpoint', tensors, close: async () => {} };
}

const extra = (name: string, shape: number[], dtype?: DType) => ({
  [name]: tensor(name, shape, dtype),
});

function expectMismatch(config: LlamaConfig, checkpoint: Checkpoint, ...words: string[]) {
  const code: LlamaErrorCode = 'TENSOR_MISMATCH';
  return expectRefused(
    (async () => checkWeights(config, checkpoint))(),
    code,
    'the checkpoint',
    'Do config and weights belong together?',
    ...words,
  );
}

describe('accepts', () => {
  it.each<[string, LlamaConfig, Record<string, CheckpointTensor>]>([
    ['a cache of cosines', TINY, extra('model.layers.0.self_attn.rotary_emb.cos_cached', [1, 9])],
    ['an extra state', TINY, extra('model.layers.1.mlp.up_proj._extra_state', [0], 'U8')],
    ['the head of a reward model', TINY, extra('v_head.summary.weight', [1, 6])],
    ['layers that the config leaves out', TINY, extra('model.layers.2.mlp.up_proj.weight', [7, 6])],
    ['exactly the weights', TINY, {}],
    ['the weights of a tied model', TIED, {}],
    ['stored rotary frequencies', TINY, extra('model.layers.0.self_attn.rotary_emb.inv_freq', [4])],
    ['rotary frequencies at the top', TINY, extra('model.rotary_emb.inv_freq', [4], 'I64')],
    ['a head in a tied model', TIED, extra('lm_head.weight', [10, 6])],
    ['F64', TINY, extra('model.norm.weight', [6], 'F64')],
    ['BF16', TINY, extra('model.norm.weight', [6], 'BF16')],
  ])('%s', (_, config, changes) => {
    checkWeights(config, checkpointOf(config, changes));
  });
});

describe('refuses', () => {
  it.each<[string, LlamaConfig, Record<string, CheckpointTensor | undefined>, string[]]>([
    ['a missing weight', TINY, { 'model.norm.weight': undefined }, ['missing: model.norm.weight']],
    ['a missing head', TINY, { 'lm_head.weight': undefined }, ['missing: lm_head.weight']],
    [
      'an unexpected tensor in a layer',
      TINY,
      extra('model.layers.1.self_attn.q_norm.weight', [8]),
      ['unexpected: model.layers.1.self_attn.q_norm'],
    ],
    [
      'a bias',
      TINY,
      extra('model.layers.0.self_attn.q_proj.bias', [32]),
      ['unexpected: model.layers.0.self_attn.q_proj.bias'],
    ],
    ['a bias of the head', TINY, extra('lm_head.bias', [10]), ['lm_head.bias']],
    [
      'a transposed matrix',
      TINY,
      extra('model.layers.1.mlp.up_proj.weight', [6, 7]),
      ['up_proj.weight is [6,7], not [7,6]'],
    ],
    ['a flat matrix', TINY, extra('model.embed_tokens.weight', [60]), ['[60], not [10,6]']],
    [
      'an integer weight',
      TINY,
      extra('model.norm.weight', [6], 'I8'),
      ['model.norm.weight is I8', 'BF16'],
    ],
    [
      'a head of another shape in a tied model',
      TIED,
      extra('lm_head.weight', [11, 6]),
      ['lm_head.weight is [11,6]'],
    ],
  ])('%s', async (_, config, changes, words) => {
    await expectMismatch(config, checkpointOf(config, changes), ...words);
  });

  it('naming the first three of many', async () => {
    const none: Checkpoint = { name: 'the checkpoint', tensors: new Map(), close: async () => {} };
    await expectMismatch(
      TINY,
      none,
      'missing: model.embed_tokens.weight, model.layers.0.input_layernorm.weight, ' +
        'model.layers.0.self_attn.q_proj.weight and 18 more.',
    );
  });
});

describe('the head of a tied model', () => {
  const numbers = Array.from({ length: 60 }, (_, i) => i / 8);
  const withHead = (head: number[]) =>
    checkpointOf(TIED, {
      'model.embed_tokens.weight': tensor('model.embed_tokens.weight', [10, 6], 'F32', numbers),
      'lm_head.weight': tensor('lm_head.weight', [10, 6], 'F32', head),
    });

  it('may be there if it is the embedding', async () => {
    await checkTiedHead(TIED, withHead(numbers));
    await checkTiedHead(TIED, checkpointOf(TIED));
    await checkTiedHead(TINY, { ...withHead(numbers.with(3, 1)) });
  });

  it('may not differ from it where it is read in a second piece', async () => {
    const rows = 2 ** 20 / 4 + 2; // a piece is 2^20 numbers
    const config = { ...TIED, vocabSize: rows, hiddenSize: 4 };
    const embedding = Array.from({ length: 4 * rows }, (_, i) => i % 1000);
    const withHead = (head: number[]) =>
      checkpointOf(config, {
        'model.embed_tokens.weight': tensor(
          'model.embed_tokens.weight',
          [rows, 4],
          'F32',
          embedding,
        ),
        'lm_head.weight': tensor('lm_head.weight', [rows, 4], 'F32', head),
      });
    await checkTiedHead(config, withHead(embedding));
    for (const row of [rows - 2, rows - 1]) {
      const differing = withHead(embedding.with(4 * row + 3, -1));
      await expectRefused(
        checkTiedHead(config, differing),
        'TENSOR_MISMATCH',
        `row ${row} of lm_head`,
      );
    }
  });

  it.each([0, 41, 59])('may not differ from it at %i', async at => {
    await expectRefused(
      checkTiedHead(TIED, withHead(numbers.with(at, -1))),
      'TENSOR_MISMATCH',
      'tie_word_embeddings',
      `row ${Math.floor(at / 6)} `,
    );
  });
});
