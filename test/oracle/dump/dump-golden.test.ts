/** What transformers computed and NumPy and safetensors wrote: `reference/make_dumps.py`. */
import { describe, expect, it } from 'vitest';
import { roundToBF16, roundToF16 } from '../../../src/base/half.js';
import type { Tensor } from '../../../src/base/tensor.js';
import { tensorNames } from '../../../src/model/trace.js';
import { readDump } from '../../../src/oracle/dump/read-dump.js';
import { goldenPath, readIntegers, readTensors } from '../../support/golden-files.js';
import { CONFIG } from './support.js';

const traced = await readTensors('dumps/trace.safetensors');
const tokens = await readIntegers('dumps/trace.safetensors', 'tokens');
const EVERY = [0, 1, 2, 3, 4];
const read = (name: string) => readDump(goldenPath(`dumps/${name}`), CONFIG);

/** Some rows of what transformers computed, each number changed by `round`. */
function rowsOf(name: string, rows: readonly number[], round = (x: number) => x): Tensor {
  const { shape, data } = traced.get(name)!;
  const width = data.length / shape[0];
  const picked = rows.flatMap(row => [...data.subarray(row * width, (row + 1) * width)]);
  return { shape: [rows.length, ...shape.slice(1)], data: Float64Array.from(picked, round) };
}

const numbersOf = ({ shape, data }: Tensor) => ({ shape, data: Float64Array.from(data) });

describe('a trace in safetensors', () => {
  it('is read as it is, all tensors in the order of computation', async () => {
    const { tensors, notes, ...text } = await read('trace.safetensors');
    expect(text).toMatchObject({ tokens, positions: EVERY });
    expect([...tensors.keys()]).toEqual(tensorNames(CONFIG));
    for (const [name, tensor] of tensors) {
      expect(numbersOf(tensor)).toEqual(rowsOf(name, EVERY));
      expect(tensor).toMatchObject({ name, theirName: name, dtype: 'F32', rows: EVERY });
    }
    expect(notes).toEqual([]);
  });
});

describe('what hooks on all modules give, in a deflated npz', () => {
  it('has the numbers of the trace to the last bit, with batch axes, heads first', async () => {
    const { tokens: found, tensors } = await read('hooks.npz');
    expect(found).toEqual(tokens);
    const lost = /context|residual|swiglu/; // what no module returns
    expect([...tensors.keys()]).toEqual(tensorNames(CONFIG).filter(name => !lost.test(name)));
    for (const [name, tensor] of tensors) expect(numbersOf(tensor)).toEqual(rowsOf(name, EVERY));
  });

  it('is told what was done to it', async () => {
    expect((await read('hooks.npz')).notes).toEqual([
      'read by another name: input_ids as tokens, ' +
        'model.layers.0.self_attn.output.0 as model.layers.0.self_attn.o_proj, ' +
        'model.layers.0.self_attn.output.1 as model.layers.0.self_attn.probabilities and 6 more',
      'left out, cosines and sines: model.rotary_emb.output.0, model.rotary_emb.output.1',
      'left out, silu of the gate alone: model.layers.0.mlp.act_fn, model.layers.1.mlp.act_fn',
      'without their leading axes of 1: model.embed_tokens, model.layers.0.input_layernorm, ' +
        'model.layers.0.self_attn.q_proj and 31 more',
      'turned from heads of rows to rows of heads: model.layers.0.self_attn.q_rotated, ' +
        'model.layers.0.self_attn.k_rotated, model.layers.0.self_attn.probabilities and 3 more',
      'not given: self_attn.context, self_attn.residual, mlp.swiglu: layer 0, layer 1',
    ]);
  });
});

describe('logits of two positions, in a stored npz', () => {
  it('have the rows of these, in the order given', async () => {
    const { positions, tensors } = await read('logits.npz');
    expect(positions).toEqual([4, 1]);
    const logits = tensors.get('lm_head')!;
    expect(logits.rows).toEqual([4, 1]);
    expect(numbersOf(logits)).toEqual(rowsOf('lm_head', [4, 1]));
  });
});

describe('a directory of npy', () => {
  it('has tokens as big-endian int16 and positions as uint8', async () => {
    expect(await read('npy')).toMatchObject({ tokens, positions: [4, 1] });
  });

  const layer = 'model.layers.1';
  it.each<[string, string, readonly number[], string, ((x: number) => number)?]>([
    ['float64, column by column', 'lm_head', [4, 1], 'F64'],
    ['float16', 'model.embed_tokens', EVERY, 'F16', roundToF16],
    ['bfloat16, as ml_dtypes has it', layer, EVERY, 'BF16', roundToBF16],
    ['big-endian', 'model.norm', EVERY, 'F32'],
    [
      'big-endian, of three axes, column by column',
      `${layer}.self_attn.probabilities`,
      EVERY,
      'F64',
    ],
    ['version 2', `${layer}.mlp.gate_proj`, EVERY, 'F32'],
    ['version 3', `${layer}.mlp.up_proj`, EVERY, 'F32'],
  ])('has an array of %s', async (_, name, rows, dtype, round) => {
    const tensor = (await read('npy')).tensors.get(name)!;
    expect(numbersOf(tensor)).toEqual(rowsOf(name, rows, round));
    expect(tensor).toMatchObject({ rows, dtype });
  });
});
