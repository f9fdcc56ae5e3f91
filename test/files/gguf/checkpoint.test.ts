import { describe, expect, it } from 'vitest';
import { elementCount } from '../../../src/base/tensor.js';
import { ggufCheckpoint } from '../../../src/files/gguf/checkpoint.js';
import { openGguf } from '../../../src/files/gguf/gguf.js';
import { memorySource } from '../../../src/files/source.js';
import { checkWeights } from '../../../src/model/check-weights.js';
import type { LlamaConfig } from '../../../src/model/config.js';
import { selectWeights } from '../../../src/model/select-weights.js';
import { weightsOf } from '../../../src/model/weights.js';
import { expectRefused, watched } from '../helpers.js';
import { ggufOf, info } from './build.js';

const CONFIG: LlamaConfig = {
  ...{
    vocabSize: 5,
    hiddenSize: 8,
    intermediateSize: 3,
    numHiddenLayers: 11,
    numAttentionHeads: 2,
  },
  ...{ numKeyValueHeads: 1, headDim: 4, rmsNormEps: 1e-5, ropeTheta: 10000 },
  ropeScaling: undefined,
  ...{ maxPositionEmbeddings: 64, tieWordEmbeddings: false, bosTokenId: 1, eosTokenIds: [2] },
};

/** A file of F32 tensors, each with the numbers 0, 1, 2 … or as given. */
function fileOf(
  shapes: Readonly<Record<string, readonly number[]>>,
  numbers: Readonly<Record<string, number[]>> = {},
) {
  let offset = 0;
  const data: Buffer[] = [];
  const infos = Object.entries(shapes).map(([name, shape]) => {
    const values = Float32Array.from(
      numbers[name] ?? { length: elementCount(shape) },
      (x, i) => x ?? i,
    );
    const bytes = Buffer.alloc(Math.ceil(values.byteLength / 32) * 32);
    bytes.set(new Uint8Array(values.buffer));
    data.push(bytes);
    const at = offset;
    offset += bytes.length;
    return info(name, shape.toReversed(), 0, at);
  });
  return ggufOf({ infos, data: Buffer.concat(data) });
}

const MODEL = Object.fromEntries(weightsOf(CONFIG).map(({ ggufName, shape }) => [ggufName, shape]));
const openCheckpoint = async (bytes: Uint8Array) =>
  ggufCheckpoint(await openGguf(memorySource(bytes, 'x.gguf')), CONFIG);

it('knows every weight of a model by both names', () => {
  expect(Object.keys(MODEL)).toHaveLength(weightsOf(CONFIG).length);
  expect(MODEL).toMatchObject({
    'token_embd.weight': [5, 8],
    'blk.10.ffn_down.weight': [8, 3],
    'output.weight': [5, 8],
  });
});

it('has all weights, and moves the rows of Q and K only', async () => {
  const checkpoint = await openCheckpoint(fileOf(MODEL));
  checkWeights(CONFIG, checkpoint);
  const first = async (name: string) => {
    const tensor = checkpoint.tensors.get(`model.layers.10.${name}.weight`)!;
    const numbers = await tensor.read();
    return Array.from({ length: tensor.shape[0] }, (_, row) => numbers[row * 8] / 8);
  };
  expect(await first('self_attn.q_proj')).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  expect(await first('self_attn.k_proj')).toEqual([0, 2, 1, 3]);
  expect(await first('self_attn.v_proj')).toEqual([0, 1, 2, 3]);
  expect(await first('self_attn.o_proj')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

it('accepts biases of zeros, by the names that Hugging Face has for them', async () => {
  const biases = ['blk.0.attn_q.bias', 'output_norm.bias'];
  const zeros = Object.fromEntries(biases.map(name => [name, [8]]));
  const values = Object.fromEntries(biases.map(name => [name, new Array(8).fill(0)]));
  const checkpoint = await openCheckpoint(fileOf({ ...MODEL, ...zeros }, values));
  const { notes } = await selectWeights(CONFIG, checkpoint);
  expect(notes).toEqual([
    'x.gguf holds biases that are 0, and change nothing: ' +
      'model.layers.0.self_attn.q_proj.bias, model.norm.bias',
  ]);
});

describe('refuses', () => {
  it.each([
    'blk.0.attn_q.bias',
    'blk.0.ffn_gate_inp.weight',
    'blk.00.attn_q.weight',
    'output.bias',
  ])('the tensor %s, which a Llama does not have in such a place', async name => {
    const checkpoint = await openCheckpoint(fileOf({ ...MODEL, [name]: [4] }));
    await expectRefused(
      selectWeights(CONFIG, checkpoint),
      'TENSOR_MISMATCH',
      'x.gguf',
      `unexpected: ${name}.`,
    );
  });

  it.each([
    ['model.layers.0.self_attn.q_proj.weight', 'blk.0.attn_q.weight'],
    ['layers.0.self_attn.q_proj.weight', 'blk.0.attn_q.weight'],
    ['model.norm.weight', 'output_norm.weight'],
    ['lm_head.weight', 'output.weight'],
  ])('%s in place of %s: the order of its rows is not known', async (name, ggufName) => {
    const { [ggufName]: shape, ...others } = MODEL;
    for (const shapes of [
      { ...others, [name]: shape },
      { ...MODEL, [name]: shape },
    ]) {
      const opened = openCheckpoint(fileOf(shapes));
      await expectRefused(opened, 'TENSOR_MISMATCH', 'x.gguf', `"${name}"`, 'order the rows');
    }
  });

  it('a layer too few', async () => {
    const { 'blk.3.ffn_norm.weight': _, ...less } = MODEL;
    const checkpoint = await openCheckpoint(fileOf(less));
    expect(() => checkWeights(CONFIG, checkpoint)).toThrow(
      'missing: model.layers.3.post_attention_layernorm.weight',
    );
  });
});

it.each([
  'blk.11.attn_norm.weight',
  'blk.0.attn_rot_embd.weight',
  'v.patch_embd.weight',
  'attn_q.weight',
  'x',
])('passes over %s, and says so', async name => {
  const checkpoint = await openCheckpoint(fileOf({ ...MODEL, [name]: [4] }));
  const { tensors, notes } = await selectWeights(CONFIG, checkpoint);
  expect(tensors.size).toBe(weightsOf(CONFIG).length);
  expect(notes).toEqual([`x.gguf holds tensors that the model does not use: ${name}`]);
});

it('closes its file', async () => {
  const source = watched(fileOf(MODEL));
  const checkpoint = await ggufCheckpoint(await openGguf(source), CONFIG);
  await checkpoint.close();
  expect(source.closed).toBe(1);
});
