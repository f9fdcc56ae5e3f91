import { expect, it } from 'vitest';
import { elementCount } from '../../src/base/tensor.js';
import { expectedWeights, mapLayer, weightsOf } from '../../src/model/weights.js';
import { SEVEN_B, TIED, TINY } from '../support/shapes.js';

it('Llama-2-7B has 291 weights of 6,738,415,616 numbers', () => {
  const weights = expectedWeights(SEVEN_B);
  expect(weights.size).toBe(291);
  expect([...weights.values()].reduce((sum, shape) => sum + elementCount(shape), 0)).toBe(
    6_738_415_616,
  );
  expect(weights.get('model.layers.31.mlp.down_proj.weight')).toEqual([4096, 11008]);
  expect(weights.get('lm_head.weight')).toEqual([32000, 4096]);
});

it('heads of another width and fewer key/value heads have their shapes', () => {
  expect(Object.fromEntries([...expectedWeights(TINY)].slice(0, 10))).toEqual({
    'model.embed_tokens.weight': [10, 6],
    'model.layers.0.input_layernorm.weight': [6],
    'model.layers.0.self_attn.q_proj.weight': [32, 6],
    'model.layers.0.self_attn.k_proj.weight': [16, 6],
    'model.layers.0.self_attn.v_proj.weight': [16, 6],
    'model.layers.0.self_attn.o_proj.weight': [6, 32],
    'model.layers.0.post_attention_layernorm.weight': [6],
    'model.layers.0.mlp.gate_proj.weight': [7, 6],
    'model.layers.0.mlp.up_proj.weight': [7, 6],
    'model.layers.0.mlp.down_proj.weight': [6, 7],
  });
  expect([...expectedWeights(TINY).keys()].slice(-2)).toEqual([
    'model.norm.weight',
    'lm_head.weight',
  ]);
  expect([...expectedWeights(TIED).keys()].at(-1)).toBe('model.norm.weight');
});

it('every weight of a layer has a field, and every field the name of its weight', () => {
  const ofLayer = weightsOf(TINY).filter(({ layer }) => layer === 1);
  const byField = Object.fromEntries(ofLayer.map(({ field, name }) => [field, name]));
  expect(mapLayer(1, name => name)).toEqual(byField);
  expect(ofLayer).toHaveLength(9);
});

it('llama.cpp knows them by other names, and no two by one', () => {
  const names = weightsOf(TINY).map(({ ggufName }) => ggufName);
  expect(new Set(names).size).toBe(names.length);
  expect(names.slice(0, 3)).toEqual([
    'token_embd.weight',
    'blk.0.attn_norm.weight',
    'blk.0.attn_q.weight',
  ]);
});
