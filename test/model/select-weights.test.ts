/** Which tensors of a checkpoint become the weights, and what is told of the rest. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import type { CheckpointTensor } from '../../src/model/checkpoint.js';
import type { LlamaConfig } from '../../src/model/config.js';
import { selectWeights } from '../../src/model/select-weights.js';
import { EMBEDDING, expectedWeights, LM_HEAD } from '../../src/model/weights.js';
import { randomCheckpoint } from '../support/random-model.js';

const UNTIED = parseConfig({
  model_type: 'llama',
  vocab_size: 10,
  hidden_size: 6,
  intermediate_size: 7,
  num_hidden_layers: 2,
  num_attention_heads: 3,
});
const TIED: LlamaConfig = { ...UNTIED, tieWordEmbeddings: true };

type Tensors = Map<string, CheckpointTensor>;

/** What is selected of the weights of `config` after `change`. */
function select(config: LlamaConfig, change: (tensors: Tensors) => Tensors | undefined) {
  const checkpoint = randomCheckpoint(config);
  const tensors = new Map(checkpoint.tensors);
  return selectWeights(config, { ...checkpoint, tensors: change(tensors) ?? tensors });
}

function vector(name: string, numbers: readonly number[]): CheckpointTensor {
  const data = Float32Array.from(numbers);
  return {
    name,
    dtype: 'F32',
    shape: [numbers.length],
    byteLength: data.byteLength,
    read: async () => data,
    readInto: async () => {},
    readBytes: async () => new Uint8Array(data.buffer),
  };
}

/** Fails unless `selected` has the weights of `config`, with the numbers that they had. */
async function expectWeights(config: LlamaConfig, selected: ReturnType<typeof select>) {
  const { tensors, notes } = await selected;
  const original = randomCheckpoint(config).tensors;
  expect([...tensors.keys()].sort()).toEqual([...expectedWeights(config).keys()].sort());
  for (const [name, tensor] of tensors) {
    expect(tensor.name).toBe(name);
    expect(await tensor.read(0, 1)).toEqual(await original.get(name)?.read(0, 1));
  }
  return notes;
}

const withoutPrefix = (tensors: Tensors): Tensors =>
  new Map(
    [...tensors].map(([name, tensor]) => {
      const bare = name.replace(/^model\./, '');
      return [bare, { ...tensor, name: bare }];
    }),
  );

describe('names', () => {
  it.each([
    ['with a head', UNTIED],
    ['tied', TIED],
  ])('without "model." in front, %s', async (_, config) => {
    expect(await expectWeights(config, select(config, withoutPrefix))).toEqual([]);
  });

  it('a tied model whose embedding has the name of the head', async () => {
    const renamed = select(TIED, tensors => {
      tensors.set(LM_HEAD, { ...tensors.get(EMBEDDING)!, name: LM_HEAD });
      tensors.delete(EMBEDDING);
    });
    expect(await expectWeights(TIED, renamed)).toEqual([]);
  });

  it.each(['module.', '_orig_mod.', 'model.model.', 'transformer.'])(
    'with %j in front, as other programs save them: refused, naming what is missing',
    async prefix => {
      const renamed = select(
        UNTIED,
        tensors => new Map([...tensors].map(([name, tensor]) => [`${prefix}${name}`, tensor])),
      );
      await expect(renamed).rejects.toMatchObject({
        code: 'TENSOR_MISMATCH',
        message: expect.stringContaining('missing: model.embed_tokens.weight'),
      });
    },
  );
});

describe('biases', () => {
  const Q = 'model.layers.1.self_attn.q_proj.bias';
  const withBias = (name: string, numbers: readonly number[]) =>
    select(UNTIED, tensors => {
      tensors.set(name, vector(name, numbers));
    });

  it.each([Q, 'model.norm.bias', 'lm_head.bias', 'model.layers.0.mlp.down_proj.bias'])(
    '%s of zeros, of either sign, changes no number: noted',
    async name => {
      const notes = await expectWeights(UNTIED, withBias(name, [0, -0, 0]));
      expect(notes).toEqual([expect.stringContaining(`biases that are 0`)]);
      expect(notes[0]).toContain(name);
    },
  );

  it.each([
    ['one number', [0, 1e-30, 0]],
    ['a NaN', [0, NaN, 0]],
  ])('with %s that is not 0: refused by name', async (_, numbers) => {
    await expect(withBias(Q, numbers)).rejects.toMatchObject({
      code: 'TENSOR_MISMATCH',
      message: expect.stringContaining(`unexpected: ${Q}`),
    });
  });

  it('of what has none in a Llama, or a LoRA inside the model: refused, also zeros', async () => {
    for (const name of [
      'model.layers.0.self_attn.q_norm.bias',
      'model.layers.0.self_attn.q_proj.lora_A.weight',
    ])
      await expect(withBias(name, [0, 0])).rejects.toMatchObject({ code: 'TENSOR_MISMATCH' });
  });
});
