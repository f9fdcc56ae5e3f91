/**
 * Models of golden/ as GGUF files, written by llama.cpp's own package (reference/make_gguf.py):
 * they are the same models.
 */
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roundToF16 } from '../../../src/base/half.js';
import { BLOCK_FORMATS, type BlockFormat } from '../../../src/files/blocks/blocks.js';
import { loadModel } from '../../../src/load/model.js';
import { openModelFiles } from '../../../src/load/model-files.js';
import type { LoadOptions } from '../../../src/load/options.js';
import { openTokenizer } from '../../../src/load/tokenizer.js';
import type { CheckpointTensor } from '../../../src/model/checkpoint.js';
import { isBlockDType } from '../../../src/model/dtypes.js';
import { complete } from '../../../src/text/generate.js';
import { allLogits, goldenPath, readIntegers, readTensors } from '../../support/golden.js';
import { distance } from '../../support/tensors.js';
import { vectors } from '../../tokenizer/support.js';
import { expectRefused } from '../helpers.js';

const MODELS = [
  ['mha', 'gguf/mha-f32.gguf'],
  ['tied', 'gguf/tied-bf16-00001-of-00002.gguf'],
  ['long', 'gguf/long-blocks.gguf'],
] as const;
const PARTS = ['tied-bf16-00001-of-00002.gguf', 'tied-bf16-00002-of-00002.gguf'];

/** The numbers of `tensor` as they come out of a file that holds them in the format `dtype`. */
async function rounded(tensor: CheckpointTensor, dtype: string): Promise<Float32Array> {
  const numbers = Float32Array.from(await tensor.read());
  if (dtype === 'F16') return numbers.map(roundToF16);
  if (!isBlockDType(dtype)) return numbers;
  const format: BlockFormat = BLOCK_FORMATS[dtype];
  const blocks = new Uint8Array((numbers.length / format.numbers) * format.bytes);
  format.encode!(numbers, blocks);
  format.decode(blocks, numbers);
  return numbers;
}

describe.each(MODELS)('golden/%s as %s', (name, path) => {
  it('has the configuration of config.json', async () => {
    const [ours, theirs] = [
      await openModelFiles(goldenPath(path)),
      await openModelFiles(goldenPath(name)),
    ];
    expect(ours.config).toEqual(theirs.config);
    expect(ours.path).toBe(goldenPath(path));
    await ours.checkpoint.close();
    await theirs.checkpoint.close();
  });

  it('has its weights by the same names, in the same order of rows', async () => {
    const [ours, theirs] = [
      await openModelFiles(goldenPath(path)),
      await openModelFiles(goldenPath(name)),
    ];
    expect([...ours.checkpoint.tensors.keys()].sort()).toEqual(
      [...theirs.checkpoint.tensors.keys()].sort(),
    );
    for (const [key, tensor] of ours.checkpoint.tensors) {
      const expected = await rounded(theirs.checkpoint.tensors.get(key)!, tensor.dtype);
      expect(await tensor.read(), `${key} ${tensor.dtype}`).toEqual(expected);
    }
    await ours.checkpoint.close();
    await theirs.checkpoint.close();
  });

  it('has its tokenizer', async () => {
    const tokenizer = await openTokenizer(goldenPath(path));
    for (const { text, ids, continuation } of vectors.encode) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.encode(text, { continuation: true })).toEqual(continuation);
    }
    for (const { ids, text } of vectors.decode) expect(tokenizer.decode(ids)).toBe(text);
    expect(tokenizer).toMatchObject({ vocabSize: 331, bosId: 1, eosId: 2, unkId: 0 });
  });
});

const ENGINES: LoadOptions[] = [
  { kernels: 'exact', numerics: 'f64' },
  { kernels: 'exact', numerics: 'f16' },
  { kernels: 'wasm', threads: 2 },
  { kernels: 'wasm', threads: 1, weights: 'q8_0' },
];

describe.each(MODELS.slice(0, 2))('golden/%s as %s', (name, path) => {
  it.each(ENGINES)('%j: logits are the same bits as from safetensors', async options => {
    const tokens = await readIntegers('mha/trace-f32.safetensors', 'tokens');
    const logits = async (model: string) => {
      await using loaded = await loadModel(goldenPath(model), options);
      return await allLogits(loaded.model, tokens);
    };
    expect(await logits(path)).toEqual(await logits(name));
  });
});

describe('golden/llama3, whose file has factors of frequencies', () => {
  const path = goldenPath('gguf/llama3-f32.gguf');

  it('is read with them, since no Llama 3 has those', async () => {
    const { config, checkpoint } = await openModelFiles(path);
    await checkpoint.close();
    const { ropeScaling } = config;
    expect(ropeScaling).toMatchObject({ type: 'factors' });
    expect(ropeScaling?.type === 'factors' && ropeScaling.factors.map(x => x.toFixed(4))).toEqual([
      ...['1.0000', '1.0917', '4.3879'],
      ...new Array(10).fill('8.0000'),
    ]);
  });

  it.each([
    ['exact', 1e-6, 'a unit in the last place of two frequencies'],
    ['wasm', 2e-5, 'that, and float32'],
  ] as const)('%s kernels: logits within %f σ of float64 (%s)', async (kernels, bound, _reason) => {
    const tokens = await readIntegers('llama3/trace-f32.safetensors', 'tokens');
    const truth = (await readTensors('llama3/trace-f64.safetensors')).get('lm_head');
    await using loaded = await loadModel(path, { kernels });
    expect(distance(await allLogits(loaded.model, tokens), truth?.data ?? [])).toBeLessThan(bound);
  });
});

it('blocks as f32: exact f64 and WASM kernels differ by rounding only (2e-5 σ)', async () => {
  const tokens = (await readIntegers('long/tokens.safetensors', 'tokens')).slice(0, 40);
  const logits = async (options: LoadOptions) => {
    await using loaded = await loadModel(goldenPath('gguf/long-blocks.gguf'), options);
    return await allLogits(loaded.model, tokens);
  };
  const exact = await logits({ kernels: 'exact' });
  const wasm = await logits({ kernels: 'wasm', weights: 'f32', threads: 2 });
  const worst = Math.max(...exact.map((x, i) => Math.abs(x - wasm[i])));
  expect(worst).toBeLessThan(2e-5 * 2.85); // the σ of golden/long's logits
});

it('says the greedy text that transformers says', async () => {
  const [plain] = JSON.parse(readFileSync(goldenPath('mha/greedy.json'), 'utf8')).cases;
  await using loaded = await loadModel(goldenPath('gguf/mha-f32.gguf'), {
    kernels: 'exact',
    numerics: 'f32',
  });
  const options = { temperature: 0, maxNewTokens: plain.options.max_new_tokens };
  expect((await complete(loaded.model, loaded.tokenizer, plain.prompt, options)).tokens).toEqual(
    plain.tokens,
  );
});

describe('parts', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'llama-32k-gguf-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('are found from any of them', async () => {
    const { checkpoint } = await openModelFiles(goldenPath(`gguf/${PARTS[1]}`));
    expect(checkpoint.name).toBe(goldenPath(`gguf/${PARTS[0]}`));
    expect(checkpoint.tensors.size).toBe(20);
    await checkpoint.close();
  });

  it('that are missing are named', async () => {
    await copyFile(goldenPath(`gguf/${PARTS[1]}`), join(directory, PARTS[1]));
    await expectRefused(
      openModelFiles(join(directory, PARTS[1])),
      'NOT_FOUND',
      join(directory, PARTS[0]),
    );
    await rm(join(directory, PARTS[1]));
    await copyFile(goldenPath(`gguf/${PARTS[0]}`), join(directory, PARTS[0]));
    await expectRefused(
      openModelFiles(join(directory, PARTS[0])),
      'NOT_FOUND',
      join(directory, PARTS[1]),
    );
  });
});
