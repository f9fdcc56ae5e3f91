/** `logits --trace`: intermediate tensors in a file, by name, from both kernels. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFile } from '../../src/files/file.js';
import { openSafetensors } from '../../src/files/safetensors/safetensors.js';
import { goldenPath, readIntegers, readTensors } from '../support/golden.js';
import { largestDifference, spread } from '../support/tensors.js';
import { cli, json } from './support.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-trace-'));
});
afterAll(() => rm(directory, { recursive: true }));

const tokens = await readIntegers('gqa/trace-f64.safetensors', 'tokens');
const gqa = ['--model', goldenPath('gqa'), '--tokens', tokens.join()];

describe.each([
  ['exact', 'f64', 'F64', 'exact-f64', 1e-12],
  ['exact', 'f32', 'F32', 'exact-f32', 1e-4],
  ['wasm', 'f32', 'F32', 'wasm-f32', 1e-4],
] as const)('--kernels %s, %s', (kernels, form, dtype, engine, bound) => {
  it(`writes the tensors of transformers, each within ${bound} σ, in chunks`, async () => {
    const path = join(directory, `${engine}.safetensors`);
    const choice = kernels === 'exact' ? '--numerics' : '--weights';
    const args = ['--kernels', kernels, choice, form, '--chunk', '7', '--trace', path];
    const { tokens: read } = await json(['logits', ...gqa, ...args]);
    const file = await openSafetensors(await openFile(path));
    const golden = await readTensors(`gqa/trace-${form}.safetensors`);
    expect([...file.tensors.keys()].sort()).toEqual([...golden.keys()].sort());
    expect(Object.fromEntries(file.metadata)).toEqual({
      kernels: engine,
      tokens: JSON.stringify(read),
      positions: JSON.stringify([...tokens.keys()]),
    });
    for (const [name, tensor] of file.tensors) {
      const { shape, data } = golden.get(name)!;
      expect([name, tensor.dtype, tensor.shape]).toEqual([name, dtype, shape]);
      expect(largestDifference(await tensor.read(), data) / spread(data), name).toBeLessThan(bound);
    }
    await file.close();
  });
});

it('--names chooses, and only rows that were asked for have logits', async () => {
  const path = join(directory, 'names.safetensors');
  const names = 'lm_head,*.self_attn.probabilities';
  await json(['logits', ...gqa, '--positions', '5,2', '--trace', path, '--names', names]);
  const file = await openSafetensors(await openFile(path));
  expect([...file.tensors.values()].map(({ name, shape }) => [name, shape]).sort()).toEqual([
    ['lm_head', [2, 331]],
    ...[0, 1, 2].map(layer => [`model.layers.${layer}.self_attn.probabilities`, [6, 6, 6]]),
  ]);
  expect(file.metadata.get('positions')).toBe('[2,5]');
  await file.close();
});

it('refuses --names alone, a name that is not there, and to replace a file', async () => {
  const taken = join(directory, 'taken');
  await writeFile(taken, 'mine');
  const free = join(directory, 'free');
  for (const [args, message] of [
    [['--names', 'lm_head'], '--names is for --trace'],
    [['--trace', free, '--names', 'lm_heads'], 'there is no tensor "lm_heads"'],
    [['--trace', taken], 'is there already'],
  ] as const) {
    const { code, stderr } = await cli(['logits', ...gqa, ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
  expect(await readFile(taken, 'utf8')).toBe('mine');
  await expect(stat(free)).rejects.toThrow();
});
