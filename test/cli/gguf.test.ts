/** The verbs over a GGUF file say what they say over the directory of the same model. */
import { expect, it } from 'vitest';
import { goldenPath } from '../support/golden.js';
import { json } from './support.js';

const GGUF = goldenPath('gguf/mha-f32.gguf');
const DIRECTORY = goldenPath('mha');

it.each([
  ['generate', '--prompt', 'the letter', '--max-new-tokens', '12'],
  [
    'generate',
    '--tokens',
    '1,118',
    '--max-new-tokens',
    '8',
    '--kernels',
    'exact',
    '--numerics',
    'f32',
  ],
  ['logits', '--tokens', '1,118,292', '--kernels', 'exact'],
  ['logits', '--prompt', 'the letter', '--raw', '--threads', '1'],
  ['tokenize', 'the last bee'],
  ['detokenize', '1,118,292'],
  ['estimate'],
])('%s %s %s', async (...args) => {
  const [file, directory] = [
    await json([...args, '--model', GGUF]),
    await json([...args, '--model', DIRECTORY]),
  ];
  for (const output of [file, directory])
    for (const key of ['model', 'timings']) delete output[key];
  expect(file).toEqual(directory);
});

it('inspect', async () => {
  const [file, directory] = [
    await json(['inspect', '--model', GGUF]),
    await json(['inspect', '--model', DIRECTORY]),
  ];
  expect(file.config).toEqual(directory.config);
  expect(file.totals).toEqual(directory.totals);
});
