import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNames } from '../../../src/oracle/dump/names-file.js';
import { nearest } from '../../../src/oracle/dump/nearest.js';
import { expectRefused } from '../../files/helpers.js';
import { checked, filled, LOGITS, TOKENS } from './support.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-dump-'));
});
afterAll(() => rm(directory, { recursive: true }));

const LAYER = 'model.layers.1';
const ATTENTION = `${LAYER}.self_attn`;

/** By the name that the only tensor gets here. */
async function nameOf(theirs: string, shape: readonly number[]): Promise<string> {
  const { tensors } = await checked([TOKENS, filled(theirs, shape)]);
  return [...tensors.keys()].join();
}

describe('names of hooks on modules', () => {
  it.each<[string, string, readonly number[]]>([
    [`${ATTENTION}.q_proj.output`, `${ATTENTION}.q_proj`, [1, 5, 24]],
    [`${ATTENTION}`, `${ATTENTION}.o_proj`, [1, 5, 8]],
    [`${ATTENTION}.0`, `${ATTENTION}.o_proj`, [1, 5, 8]],
    [`${ATTENTION}.1`, `${ATTENTION}.probabilities`, [1, 4, 5, 5]],
    [`${LAYER}.mlp`, `${LAYER}.mlp.down_proj`, [1, 5, 8]],
    [`${LAYER}.0`, LAYER, [1, 5, 8]],
    [`${LAYER}.output.0`, LAYER, [1, 5, 8]],
    ['model.layers.0', 'model.layers.0', [1, 5, 8]],
    ['model', 'model.norm', [1, 5, 8]],
    ['lm_head.output', 'lm_head', [1, 5, 331]],
    ['logits', 'lm_head', [1, 5, 331]],
  ])('%s is %s', async (theirs, ours, shape) => {
    expect(await nameOf(theirs, shape)).toBe(ours);
  });
});

describe('names of llama.cpp', () => {
  // as a run of llama.cpp 0.5 on golden/gguf/llama3-f32.gguf had them, each compared with the trace
  it.each<[string, string, readonly number[]]>([
    ['embd', 'model.embed_tokens', [5, 8]],
    ['inp_embd', 'model.embed_tokens', [5, 8]],
    ['attn_norm-1', `${LAYER}.input_layernorm`, [5, 8]],
    ['Vcur-1', `${ATTENTION}.v_proj`, [5, 2, 6]],
    ['kqv_out-1', `${ATTENTION}.context`, [5, 24]],
    ['kqv_merged_cont-1', `${ATTENTION}.context`, [5, 24]],
    ['attn_out-1', `${ATTENTION}.o_proj`, [5, 8]],
    ['ffn_inp-1', `${ATTENTION}.residual`, [5, 8]],
    ['ffn_norm-1', `${LAYER}.post_attention_layernorm`, [5, 8]],
    ['ffn_gate-1', `${LAYER}.mlp.gate_proj`, [5, 11]],
    ['ffn_up-1', `${LAYER}.mlp.up_proj`, [5, 11]],
    ['ffn_swiglu-1', `${LAYER}.mlp.swiglu`, [5, 11]],
    ['ffn_gate_par-1', `${LAYER}.mlp.swiglu`, [5, 11]],
    ['ffn_out-1', `${LAYER}.mlp.down_proj`, [5, 8]],
    ['l_out-1', LAYER, [5, 8]],
    ['result_norm', 'model.norm', [5, 8]],
    ['result_output', 'lm_head', [5, 331]],
  ])('%s is %s', async (theirs, ours, shape) => {
    expect(await nameOf(theirs, shape)).toBe(ours);
  });

  it('that are nothing of a trace are left out, with the reason', async () => {
    const others = ['norm-0', 'kq-0', 'kq_soft_max-1', 'cache_k_l0 (view)', 'Vcur-0 (reshaped)'];
    const left = [...others, 'node_65'].map(name => filled(name, [2, 2]));
    expect((await checked([TOKENS, LOGITS, ...left])).notes).toEqual([
      'read by another name: logits as lm_head',
      'left out, a norm before its weight: norm-0',
      'left out, attention in the shape of the cache: kq-0, kq_soft_max-1',
      'left out, the cache: cache_k_l0 (view)',
      'left out, views of others: Vcur-0 (reshaped)',
      'left out, tensors without a name: node_65',
    ]);
  });

  it('of layers that the model has not are unknown', async () => {
    await expectRefused(nameOf('l_out-2', [5, 8]), 'TENSOR_MISMATCH', '"l_out-2"');
  });

  it.each(['Qcur-0', 'Kcur-1'])('%s is refused: it may be rotated or not', async name => {
    const words = ['before and after rotation', '--names', `${name[0].toLowerCase()}_rotated`];
    await expectRefused(nameOf(name, [5, 12]), 'TENSOR_MISMATCH', `"${name}"`, ...words);
  });

  it('Qcur, said to be rotated, is put from pairs of neighbours into halves', async () => {
    const names = new Map([['Qcur-*', 'model.layers.*.self_attn.q_rotated']]);
    const { tensors, notes } = await checked([TOKENS, filled('Qcur-1', [5, 4, 6])], { names });
    const { data } = tensors.get(`${ATTENTION}.q_rotated`)!;
    expect([...data.subarray(6, 18)]).toEqual([6, 8, 10, 7, 9, 11, 12, 14, 16, 13, 15, 17]);
    expect(notes).toContain("put from the order of GGUF's heads into that of Hugging Face: Qcur-1");
  });
});

describe('names that are unknown', () => {
  it('are refused with the nearest that is known, and what to do', async () => {
    const names = ['model.layers.0.self_attn.qproj', 'logit', 'a', 'b'];
    const dump = checked([TOKENS, LOGITS, ...names.map(name => filled(name, [5, 8]))]);
    await expectRefused(
      dump,
      'TENSOR_MISMATCH',
      '"model.layers.0.self_attn.qproj" (the nearest name is model.layers.0.self_attn.q_proj)',
      '"logit" (the nearest name is logits)',
      'and 1 more',
      '--names',
    );
  });

  it('are refused at once although they are very long', async () => {
    const start = performance.now();
    const name = 'x'.repeat(1e6);
    await expectRefused(checked([filled(name, [1])]), 'TENSOR_MISMATCH', 'xxx...');
    expect(performance.now() - start).toBeLessThan(1000); // 15 ms, and 20 s if compared whole
  });

  it('of two that are as near, the first is told', () => {
    expect(nearest('abc', ['xyz', 'abd', 'abe'])).toBe('abd');
    expect(nearest('', ['ab', 'a'])).toBe('a');
  });
});

describe('--names', () => {
  const file = async (text: string) => {
    const path = join(directory, 'names.json');
    await writeFile(path, text);
    return readNames(path);
  };

  it('says what tensors are, one by one or of every layer', async () => {
    const names = await file(
      '{"out": "lm_head", "block.*.q": "model.layers.*.self_attn.q_proj", "ids": "tokens"}',
    );
    const { tensors } = await checked(
      [
        { ...TOKENS, name: 'ids' },
        ...[filled('out', [5, 331]), filled('block.0.q', [5, 24]), filled('block.1.q', [5, 24])],
      ],
      { names },
    );
    expect([...tensors].map(([name, { theirName }]) => [name, theirName])).toEqual([
      ['model.layers.0.self_attn.q_proj', 'block.0.q'],
      ['model.layers.1.self_attn.q_proj', 'block.1.q'],
      ['lm_head', 'out'],
    ]);
  });

  it('comes before what a name would be without it', async () => {
    const names = new Map([['kqv_out-1', `${ATTENTION}.o_proj`]]); // as before March 2025
    const { tensors } = await checked([TOKENS, filled('kqv_out-1', [5, 8])], { names });
    expect([...tensors.keys()]).toEqual([`${ATTENTION}.o_proj`]);
  });

  it('has names that nothing has: they are told', async () => {
    const names = new Map([['nobody', 'lm_head']]);
    expect((await checked([TOKENS, LOGITS], { names })).notes).toContain(
      'in --names, and not among the tensors: nobody',
    );
  });

  it('has a name of ours that is none: the nearest is told', async () => {
    const names = new Map([['out', 'lm_heat']]);
    const dump = checked([TOKENS, filled('out', [5, 331])], { names });
    await expectRefused(dump, 'BAD_OPTION', '"out"', '"lm_heat"', 'nearest name is lm_head');
  });

  it.each<[string, string, ...string[]]>([
    ['no JSON', '{', 'not JSON'],
    ['a list', '["a"]', '["a"]', '{"their name": "our name"}'],
    ['a number', '{"a": 1}', '"a" is to be 1'],
    ['a star on one side', '{"a.*": "lm_head"}', '"a.*"', 'one * if theirs has one'],
    ['two stars', '{"*.*": "*.*"}', '"*.*"'],
    ['a name twice', '{"a": "lm_head", "a": "model.norm"}', 'twice'],
  ])('is refused with %s', async (_, text, ...words) => {
    await expectRefused(file(text), 'BAD_OPTION', 'names.json', ...words);
  });

  it('is refused where there is no file', async () => {
    await expectRefused(readNames(join(directory, 'none.json')), 'NOT_FOUND', 'none.json');
  });
});
