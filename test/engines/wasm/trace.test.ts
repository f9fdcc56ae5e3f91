/**
 * The traces of the WASM kernels against Hugging Face transformers: every intermediate tensor that
 * the exact kernels have, by the same name.
 */
import { expect, it } from 'vitest';
import type { Tensor } from '../../../src/base/tensor.js';
import type { CacheFormat } from '../../../src/engines/wasm/memory/cache-formats.js';
import type { WasmOptions } from '../../../src/engines/wasm/options.js';
import { loadLlama } from '../../../src/load/model.js';
import { recordTrace, tensorNames } from '../../../src/model/trace.js';
import { continuing, goldenPath, readIntegers, readTensors } from '../../support/golden.js';
import { largestDifference, spread } from '../../support/tensors.js';

const tokensOf = (name: string) => readIntegers(`${name}/trace-f32.safetensors`, 'tokens');

/** The tensors of one call of `forward` over the golden prompt, with logits of rows `logitsFor`. */
async function traceOf(
  name: string,
  options: WasmOptions,
  traceNames?: readonly string[],
  logitsFor?: readonly number[],
): Promise<Map<string, Tensor>> {
  const { model } = await loadLlama(goldenPath(name), { weights: 'f32', ...options });
  try {
    const rows = continuing(model.createSequence(), await tokensOf(name));
    const plain = await model.forward(rows, { logitsFor: [...rows.keys()] });
    const { trace, tensors } = recordTrace();
    const again = continuing(model.createSequence(), await tokensOf(name));
    const asked = logitsFor ?? [...rows.keys()];
    const traced = await model.forward(again, { logitsFor: asked, trace, traceNames });
    if (logitsFor === undefined) expect(traced.data).toEqual(plain.data);
    return tensors;
  } finally {
    await model.close();
  }
}

/** The largest difference of any tensor, in standard deviations of the golden one, and where. */
function worst(ours: Map<string, Tensor>, golden: Map<string, Tensor>) {
  let [error, where] = [0, ''];
  for (const [name, { shape, data }] of golden) {
    expect(ours.get(name)?.shape, name).toEqual(shape);
    const difference = largestDifference(ours.get(name)?.data ?? [], data) / spread(data);
    if (difference >= error) [error, where] = [difference, name];
  }
  return { error, where };
}

it.each([
  ['mha', { threads: 1 }],
  ['gqa', { threads: 3 }],
  ['gqa', { threads: 2, maxRows: 5 }], // the golden prompt takes several passes
  ['gqa', { threads: 3, memoryBytes: 11 * 2 ** 20, context: 300 }], // and several banks
] as const)(
  'golden/%s, %j: the tensors of float32, each within 1e-4 σ (its own error), same logits',
  async (name, options) => {
    const golden = await readTensors(`${name}/trace-f32.safetensors`);
    const ours = await traceOf(name, options);
    expect([...ours.keys()].sort()).toEqual([...golden.keys()].sort());
    const { error, where } = worst(ours, golden);
    expect(error, where).toBeLessThan(1e-4);
  },
);

it.each([
  ['f16', 4e-3],
  ['q8', 0.1],
] as const)(
  'layer 0, a cache of %s: probabilities within %f σ (keys off by 2⁻¹² or 1/254 of the largest)',
  async (cache: CacheFormat, bound) => {
    const name = 'model.layers.0.self_attn.probabilities';
    const golden = await readTensors('gqa/trace-f32.safetensors');
    const ours = await traceOf('gqa', { threads: 2, cache }, [name]);
    expect([...ours.keys()]).toEqual([name]);
    const { error } = worst(ours, new Map([[name, golden.get(name) as Tensor]]));
    expect(error).toBeLessThan(bound);
    expect(error).toBeGreaterThan(bound / 20); // the keys are those of the cache
  },
);

it('the last rows come in the order asked for, over passes', async () => {
  const all = await traceOf('gqa', { threads: 2 });
  const some = await traceOf(
    'gqa',
    { threads: 2, maxRows: 4 },
    ['lm_head', 'model.norm'],
    [9, 0, 5],
  );
  expect([...some.keys()]).toEqual(['model.norm', 'lm_head']);
  for (const [name, { shape, data }] of some) {
    const width = shape[1];
    expect(shape[0]).toBe(3);
    for (const [i, row] of [9, 0, 5].entries()) {
      const expected = all.get(name)?.data.subarray(row * width, (row + 1) * width);
      expect(data.subarray(i * width, (i + 1) * width)).toEqual(expected);
    }
  }
});

it('names are told in the order of computation; one that is not there is BAD_OPTION', async () => {
  const { model } = await loadLlama(goldenPath('gqa'), { threads: 2 });
  const { trace, tensors } = recordTrace();
  await model.forward(continuing(model.createSequence(), [1, 2]), { trace });
  expect([...tensors.keys()]).toEqual(tensorNames(model.config));
  const wrong = { trace, traceNames: ['lm_head', 'model.layers.0.mlp'] };
  await expect(model.forward(continuing(model.createSequence(), [1]), wrong)).rejects.toMatchObject(
    {
      code: 'BAD_OPTION',
      message: expect.stringContaining('there is no tensor "model.layers.0.mlp"'),
    },
  );
  await model.close();
});
