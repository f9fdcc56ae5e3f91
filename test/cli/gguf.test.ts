/** The verbs over a GGUF file say what they say over the directory of the same model. */
import { expect, it } from 'vitest';
import { goldenPath } from '../support/golden.js';
import { cli, json } from './support.js';

const GGUF = goldenPath('gguf/mha-f32.gguf');
const DIRECTORY = goldenPath('mha');

it.each([
  ['generate', '--prompt', 'the letter', '--max-new-tokens', '12'],
  ['generate', '--tokens', '1,118', '--max-new-tokens', '8', '--kernels', 'exact', '--numerics', 'f32'],
  ['logits', '--tokens', '1,118,292', '--kernels', 'exact'],
  ['logits', '--prompt', 'the letter', '--raw', '--threads', '1'],
  ['tokenize', 'the last bee'],
  ['detokenize', '1,118,292'],
  ['estimate'],
])('%s %s %s', async (...args) => {
  const [file, directory] = [await json([...args, '--model', GGUF]), await json([...args, '--model', DIRECTORY])];
  for (const output of [file, directory]) for (const key of ['model', 'timings']) delete output[key];
  expect(file).toEqual(directory);
});

it('inspect', async () => {
  const [file, directory] = [await json(['inspect', '--model', GGUF]), await json(['inspect', '--model', DIRECTORY])];
  expect(file.config).toEqual(directory.config);
  expect(file.totals).toEqual(directory.totals);
  const { stdout } = await cli(['inspect', '--model', goldenPath('gguf/long-blocks.gguf')]);
  expect(stdout).toMatch(/^model\.layers\.0\.self_attn\.q_proj\.weight +Q4_0 +\[32, 32\] +576$/m);
  expect(stdout).toMatch(/^21 tensors, .* Q8_0, .* Q4_0, .* F32, .* F16, .* Q5_0, .* Q5_1, .* Q4_1$/m);
});
