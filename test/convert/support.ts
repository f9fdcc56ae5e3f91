/** What tests of conversions compare: every tensor to the bit, the configuration, the tokenizer. */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { elementCount } from '../../src/base/tensor.js';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import { encodeNumbers } from '../../src/files/rows.js';
import { writeSafetensors } from '../../src/files/safetensors/safetensors.js';
import { openModelFiles } from '../../src/load/model-files.js';
import { openTokenizerModel } from '../../src/load/tokenizer.js';
import { expectedWeights } from '../../src/model/weights.js';
import type { SentencePieceModel } from '../../src/tokenizer/model/tokenizer-model.js';
import { goldenPath } from '../support/golden.js';
import { noise } from '../support/tensors.js';

export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

/**
 * The weights of the model at `path` as its files have them, but in Hugging Face's order of rows.
 */
export async function storedTensors(path: string): Promise<Map<string, StoredTensor>> {
  const { config, checkpoint } = await openModelFiles(path);
  const stored = new Map<string, StoredTensor>();
  for (const name of expectedWeights(config).keys()) {
    const tensor = checkpoint.tensors.get(name)!;
    stored.set(name, {
      dtype: tensor.dtype,
      shape: tensor.shape,
      bytes: Buffer.from(await tensor.readBytes()),
    });
  }
  await checkpoint.close();
  return stored;
}

export async function expectSameTensors(path: string, expected: string): Promise<void> {
  const [ours, theirs] = [await storedTensors(path), await storedTensors(expected)];
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
  for (const [name, { dtype, shape, bytes }] of theirs) {
    const own = ours.get(name)!;
    expect([name, own.dtype, own.shape]).toEqual([name, dtype, shape]);
    expect(own.bytes.equals(bytes), name).toBe(true);
  }
}

export async function configOf(path: string) {
  const { config, checkpoint } = await openModelFiles(path);
  await checkpoint.close();
  return config;
}

/** All that makes its ids, but for what follows from it. */
export async function tokenizerOf(path: string) {
  const { vocabulary, scores, spaces } = (await openTokenizerModel(path)) as SentencePieceModel;
  const { pieces, unkId, bosId, eosId } = vocabulary;
  const plain = pieces.map(({ text, type }) => ({ text, type }));
  return { pieces: plain, ids: { unkId, bosId, eosId }, scores: Array.from(scores!), spaces };
}

/**
 * A directory for each test, with nothing in it: `at('a', 'b')` is a path in it, `names()` what is
 * in it.
 */
export function temporaryDirectory(): {
  at: (...names: string[]) => string;
  names: () => Promise<string[]>;
} {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'llama-32k-convert-'));
  });
  afterEach(() => rm(directory, { recursive: true }));
  return {
    at: (...names) => join(directory, ...names),
    names: async () => (await readdir(directory)).sort(),
  };
}

/**
 * A model with rows of 256 and 512, which the K formats need, and a matrix that is read in three
 * pieces.
 */
export async function wideModel(path: string): Promise<void> {
  const config = {
    ...{
      model_type: 'llama',
      vocab_size: 4500,
      hidden_size: 256,
      intermediate_size: 512,
      num_hidden_layers: 2,
    },
    ...{ num_attention_heads: 4, num_key_value_heads: 2, max_position_embeddings: 128 },
  };
  const tensors = [...expectedWeights(parseConfig(config))].map(([name, shape], i) => {
    const numbers = Float32Array.from(noise(elementCount(shape), i + 1));
    return { name, dtype: 'F32' as const, shape, chunks: [encodeNumbers('F32', numbers)] };
  });
  await mkdir(path);
  await writeFile(`${path}/config.json`, JSON.stringify(config));
  await writeFile(`${path}/model.safetensors`, writeSafetensors(tensors));
  await cp(goldenPath('tokenizer/tokenizer.model'), `${path}/tokenizer.model`);
}
