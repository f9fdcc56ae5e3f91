import { describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../../src/base/errors.js';
import { checkDump } from '../../../src/oracle/dump/check-dump.js';
import {
  type GivenTensor,
  givenIntegers,
  givenTensor,
  type LoadedTensor,
} from '../../../src/oracle/dump/given.js';
import { permuteAxes } from '../../../src/oracle/dump/permute.js';
import { expectRefused } from '../../files/helpers.js';
import { CONFIG, checked, countingUp, filled, LOGITS, TOKENS } from './support.js';

const loaded = (name: string, tensor: LoadedTensor): GivenTensor => ({
  name,
  load: async () => tensor,
});
const ATTENTION = 'model.layers.0.self_attn';
const POSITIONS = givenIntegers('positions', [3, 1]);
const EVERY = [0, 1, 2, 3, 4];

/** What is read of one tensor beside the tokens. */
async function readOne(tensor: GivenTensor, ...others: GivenTensor[]) {
  const { tensors, notes } = await checked([TOKENS, tensor, ...others]);
  const [one] = tensors.values();
  return { ...one, data: [...one.data], notes };
}

describe('shapes', () => {
  const numbers = [...countingUp([5, 24]).data];
  const headsFirst = (rows: number, heads: number, width: number) => [
    ...permuteAxes(countingUp([heads, rows, width]).data, [heads, rows, width], [1, 0, 2]),
  ];

  it.each<[string, readonly number[], readonly number[]]>([
    ['as a trace has it', [5, 24], numbers],
    ['with a batch axis', [1, 5, 24], numbers],
    ['with two', [1, 1, 5, 24], numbers],
    ['heads apart', [5, 4, 6], numbers],
    ['heads apart, with a batch axis', [1, 5, 4, 6], numbers],
    ['heads first', [4, 5, 6], headsFirst(5, 4, 6)],
    ['heads first, with a batch axis', [1, 4, 5, 6], headsFirst(5, 4, 6)],
  ])('queries %s', async (_, shape, data) => {
    const read = await readOne(filled(`${ATTENTION}.q_rotated`, shape));
    expect(read).toMatchObject({ shape: [5, 24], rows: EVERY, data });
  });

  it.each<[string, readonly number[], readonly number[]]>([
    ['as a trace has them', [5, 4, 5], [...countingUp([5, 4, 5]).data]],
    ['heads first', [1, 4, 5, 5], headsFirst(5, 4, 5)],
  ])('probabilities %s', async (_, shape, data) => {
    const read = await readOne(filled(`${ATTENTION}.probabilities`, shape));
    expect(read).toMatchObject({ shape: [5, 4, 5], rows: EVERY, data });
  });

  it('rows of the positions, or of all tokens although there are positions', async () => {
    const norm = (rows: number) => filled('model.norm', [rows, 8]);
    expect(await readOne(norm(2), POSITIONS)).toMatchObject({ shape: [2, 8], rows: [3, 1] });
    expect(await readOne(norm(5), POSITIONS)).toMatchObject({ shape: [5, 8], rows: EVERY });
  });

  it('rows of positions that are all tokens have their order', async () => {
    const all = givenIntegers('positions', [4, 3, 2, 1, 0]);
    expect((await readOne(LOGITS, all)).rows).toEqual([4, 3, 2, 1, 0]);
  });

  it.each<[string, GivenTensor, ...string[]]>([
    [
      'too few rows',
      filled('logits', [4, 331]),
      '[4,331]',
      '[T, V], which is [5, 331]',
      'positions',
    ],
    ['too many columns', filled('model.norm', [5, 9]), '[5,9]', '[5, 8]'],
    ['a batch of two', filled('model.norm', [2, 5, 8]), '[2,5,8]', '[5, 8]'],
    ['no rows', filled('model.norm', [40]), '[40]', '[5, 8]'],
    [
      'repeated key heads',
      filled(`${ATTENTION}.k_rotated`, [4, 5, 6]),
      '[4,5,6]',
      'K·d',
      '[5, 12]',
    ],
    ['padded probabilities', filled(`${ATTENTION}.probabilities`, [5, 4, 8]), '[5, 4, 5]'],
  ])('%s are refused, with both shapes', async (_, tensor, ...words) => {
    await expectRefused(readOne(tensor), 'TENSOR_MISMATCH', `"${tensor.name}"`, ...words);
  });

  it('of rows of some positions are refused with both that they can have', async () => {
    const words = ['[3,331]', '[T, V] or [P, V]', '5 tokens', '2 positions', 'V 331'];
    await expectRefused(
      readOne(filled('logits', [3, 331]), POSITIONS),
      'TENSOR_MISMATCH',
      ...words,
    );
  });

  it('as many heads as rows are refused: nobody knows which are first', async () => {
    const four = givenIntegers('tokens', [1, 5, 6, 7]);
    const both = checked([four, filled(`${ATTENTION}.q_rotated`, [4, 4, 6])]);
    await expectRefused(both, 'TENSOR_MISMATCH', '[4,4,6]', 'cannot be told apart', '[T, H·d]');
    const sideBySide = checked([four, filled(`${ATTENTION}.q_rotated`, [4, 24])]);
    expect((await sideBySide).tensors.size).toBe(1);
  });

  it('of one head are clear: with one head no order is another', async () => {
    const keys = {
      source: 'theirs',
      tensors: [TOKENS, filled(`${ATTENTION}.k_rotated`, [1, 5, 6])],
    };
    const oneHead = { ...CONFIG, numKeyValueHeads: 1 };
    const { tensors } = await checkDump({ ...keys, notes: [] }, oneHead);
    const [{ shape, data }] = tensors.values();
    expect([shape, ...data]).toEqual([[5, 6], ...countingUp([30]).data]);
  });

  it('of one token are clear: with one row no order is another', async () => {
    const one = givenIntegers('tokens', [1]);
    const { tensors } = await checked([one, filled(`${ATTENTION}.q_rotated`, [1, 4, 1, 6])]);
    const [{ shape, data }] = tensors.values();
    expect([shape, ...data]).toEqual([[1, 24], ...countingUp([24]).data]);
  });
});

describe('numbers', () => {
  it('of every floating-point format keep its name', async () => {
    for (const dtype of ['F64', 'F32', 'F16', 'BF16'] as const) {
      const tensor = loaded('logits', { dtype, ...countingUp([5, 331]) });
      expect((await readOne(tensor)).dtype).toBe(dtype);
    }
  });

  it('that are NaN or infinite are kept, even everywhere: they are judged later', async () => {
    for (const x of [NaN, Infinity, -Infinity]) {
      const tensor = givenTensor('model.norm', {
        shape: [5, 8],
        data: new Float32Array(40).fill(x),
      });
      expect((await readOne(tensor)).data).toEqual(Array(40).fill(x));
    }
  });

  it.each<[string, GivenTensor, LlamaErrorCode, ...string[]]>([
    ['none', filled('logits', [0, 331]), 'BAD_INPUT', 'empty', '[0,331]'],
    [
      'all the same',
      givenTensor('logits', { shape: [5, 331], data: new Float32Array(1655).fill(0.5) }),
      'BAD_INPUT',
      '0.5 everywhere',
      '[5,331]',
    ],
    [
      'fewer than the shape says',
      givenTensor('logits', { shape: [5, 331], data: new Float32Array(1654) }),
      'BAD_INPUT',
      '1654 numbers',
      '[5,331]',
    ],
    [
      'integers',
      loaded('logits', { dtype: 'I8', ...countingUp([5, 331]) }),
      'UNSUPPORTED',
      'I8',
      'lm_head as float32',
    ],
  ])('that are %s are refused', async (_, tensor, code, ...words) => {
    await expectRefused(readOne(tensor), code, 'theirs: "logits"', ...words);
  });

  it('may be the same everywhere where the truth is: the probabilities of one token', async () => {
    const data = new Float32Array(4).fill(1);
    const ones = givenTensor(`${ATTENTION}.probabilities`, { shape: [1, 4, 1], data });
    expect((await checked([givenIntegers('tokens', [1]), ones])).tensors.size).toBe(1);
  });
});

describe('two names for one tensor', () => {
  const norm = filled('model.norm', [5, 8]);

  it('are one, with the name that is ours', async () => {
    const { tensors } = await checked([TOKENS, filled('model', [1, 5, 8]), norm]);
    expect([...tensors].map(([name, { theirName }]) => [name, theirName])).toEqual([
      ['model.norm', 'model.norm'],
    ]);
  });

  it('are refused if the numbers differ', async () => {
    const other = countingUp([5, 8]);
    other.data[39] = 0;
    const both = checked([TOKENS, norm, givenTensor('model', other)]);
    await expectRefused(both, 'TENSOR_MISMATCH', '"model.norm" and "model"', 'differ', '--names');
  });
});

describe('the text', () => {
  const withText = (...text: GivenTensor[]) => checked([...text, LOGITS]);

  it('is the one of --tokens where the dump has none, or the same', async () => {
    const tokens = [1, 5, 6, 7, 8];
    expect((await checked([LOGITS], { tokens })).tokens).toEqual(tokens);
    expect((await checked([LOGITS, TOKENS], { tokens })).tokens).toEqual(tokens);
    const other = checked([LOGITS, TOKENS], { tokens: [1, 2] });
    await expectRefused(other, 'BAD_INPUT', 'other tokens', 'leave --tokens out');
  });

  it.each<[string, readonly GivenTensor[], LlamaErrorCode, ...string[]]>([
    ['no tokens', [], 'BAD_INPUT', 'no tokens', '--tokens'],
    ['empty tokens', [givenIntegers('tokens', [])], 'BAD_INPUT', '"tokens" is empty'],
    ['tokens as floats', [filled('tokens', [5])], 'BAD_INPUT', 'F32', 'int64'],
    ['two texts', [ints('tokens', [2, 5])], 'BAD_INPUT', '[2,5]', 'one text'],
    ['a scalar', [ints('tokens', [])], 'BAD_INPUT', '[]', 'one text'],
    [
      'a token beyond the vocabulary',
      [givenIntegers('tokens', [1, 331])],
      'BAD_INPUT',
      'token 1 is 331',
    ],
    ['a negative token', [givenIntegers('tokens', [-1])], 'BAD_INPUT', 'token 0 is -1', '331'],
    ['too many tokens', [ints('tokens', [32769])], 'CONTEXT_OVERFLOW', '32769', '32768'],
    [
      'two lists of tokens that differ',
      [TOKENS, givenIntegers('input_ids', [1])],
      'BAD_INPUT',
      '"tokens" and "input_ids" differ',
    ],
    [
      'a position of no token',
      [TOKENS, givenIntegers('positions', [5])],
      'BAD_INPUT',
      '5',
      '0 … 4',
    ],
    ['a negative position', [TOKENS, givenIntegers('positions', [-1])], 'BAD_INPUT', 'position -1'],
    [
      'a position twice',
      [TOKENS, givenIntegers('positions', [1, 3, 1])],
      'BAD_INPUT',
      '1 comes twice',
    ],
  ])('is refused with %s', async (_, text, code, ...words) => {
    await expectRefused(withText(...text), code, 'theirs', ...words);
  });

  it('has tokens and positions with a batch axis too', async () => {
    const both = [ints('input_ids', [1, 5]), ints('positions', [1, 5])];
    const { tokens, positions } = await withText(...both);
    expect([tokens, positions]).toEqual([EVERY, EVERY]);
  });

  /** 0, 1, 2 … as integers. */
  function ints(name: string, shape: readonly number[]): GivenTensor {
    return loaded(name, { dtype: 'I32', ...countingUp(shape) });
  }
});

describe('what is missing', () => {
  it('is told of layers of which something is there', async () => {
    const norm = filled('model.layers.1.input_layernorm', [5, 8]);
    const { notes } = await checked([TOKENS, LOGITS, norm]);
    expect(notes).toEqual([
      'read by another name: logits as lm_head',
      'not given: self_attn.q_proj, self_attn.k_proj, self_attn.v_proj and 12 more: layer 1',
    ]);
  });

  it.each<[string, readonly GivenTensor[]]>([
    ['nothing', []],
    ['tokens alone', [TOKENS]],
    ['what is not compared', [TOKENS, filled('model.rotary_emb', [5, 6])]],
  ])('is everything: %s', async (_, tensors) => {
    await expectRefused(checked(tensors), 'BAD_INPUT', 'theirs', 'nothing to compare', 'logits');
  });
});
