/** Models of golden/, written as GGUF files and read again. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dtypeInFile, type GgufFileType } from '../../../src/convert/gguf/recipes.js';
import { ggufOfModel, type ModelToWrite } from '../../../src/convert/gguf/write-model.js';
import { encode } from '../../../src/files/dtypes.js';
import type { GgufFile } from '../../../src/files/gguf/gguf.js';
import { openGgufFile } from '../../../src/files/gguf/model.js';
import type { GgufValue } from '../../../src/files/gguf/values.js';
import { writeGguf } from '../../../src/files/gguf/writer.js';
import { encodeNumbers } from '../../../src/files/rows.js';
import { openModelFiles } from '../../../src/load/model-files.js';
import { openTokenizerModel } from '../../../src/load/tokenizer.js';
import type { Checkpoint, CheckpointTensor } from '../../../src/model/checkpoint.js';
import { weightsOf } from '../../../src/model/weights.js';
import { readGgufTokenizer } from '../../../src/tokenizer/gguf/gguf-tokenizer.js';
import { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { goldenPath } from '../../support/golden.js';
import { vectors } from '../../tokenizer/support.js';
import { collect, expectRefused } from '../helpers.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'llama-32k-write-'));
});
afterAll(() => rm(directory, { recursive: true }));

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const file of open.splice(0)) await file.close();
});

async function openGguf(path: string): Promise<GgufFile> {
  const file = await openGgufFile(path);
  open.push(file);
  return file;
}

async function openModel(path: string) {
  const { config, checkpoint } = await openModelFiles(path);
  open.push(checkpoint);
  return { config, checkpoint };
}

async function goldenModel(name: string): Promise<ModelToWrite> {
  return {
    name,
    ...(await openModel(goldenPath(name))),
    tokenizer: await openTokenizerModel(goldenPath('tokenizer')),
  };
}

/** Writes `model`; returns the path. */
async function written(model: ModelToWrite, fileType: GgufFileType): Promise<string> {
  const { metadata, tensors } = ggufOfModel(model, fileType);
  const path = join(directory, `${model.name}-${fileType}.gguf`);
  await writeFile(path, writeGguf(metadata, tensors));
  return path;
}

it('writes every tensor of mha to the same bytes as gguf-py', async () => {
  const ours = await openGguf(await written(await goldenModel('mha'), 'F32'));
  const theirs = await openGguf(goldenPath('gguf/mha-f32.gguf'));
  expect([...ours.tensors.keys()].sort()).toEqual([...theirs.tensors.keys()].sort());
  for (const [name, tensor] of ours.tensors) {
    const expected = theirs.tensors.get(name)!;
    expect([name, tensor.dtype, tensor.shape]).toEqual([name, expected.dtype, expected.shape]);
    expect(Buffer.compare(await tensor.readBytes(), await expected.readBytes()), name).toBe(0);
  }
  const keys = [...theirs.metadata.keys()].filter(
    key => key !== 'general.name' && key !== 'tokenizer.ggml.token_type',
  );
  for (const key of keys) {
    const [ourValue, theirValue] = [ours.metadata.get(key)!, theirs.metadata.get(key)!];
    expect([key, ourValue.type, ourValue.value]).toEqual([key, theirValue.type, theirValue.value]);
  }
  expect([...ours.metadata.keys()].sort()).toEqual([...theirs.metadata.keys()].sort());
});

describe.each([
  ['mha', 'F32'],
  ['gqa', 'BF16'],
  ['tied', 'BF16'],
  ['tied', 'F16'],
  ['long', 'Q8_0'],
  ['long', 'Q4_0'],
  ['long', 'Q5_1'],
] as const)('golden/%s as %s', (name, fileType) => {
  it('is read again: configuration, tokenizer, numbers as the format has them', async () => {
    const model = await goldenModel(name);
    const path = await written(model, fileType);
    const { config, checkpoint } = await openModel(path);
    expect(config).toEqual(model.config);
    for (const weight of weightsOf(config)) {
      const key = weight.name;
      const tensor = model.checkpoint.tensors.get(key)!;
      const read = checkpoint.tensors.get(key)!;
      expect(read.dtype, key).toBe(dtypeInFile(fileType, weight, config));
      const expected = encodeNumbers(read.dtype as 'F32', await tensor.read());
      expect(Buffer.compare(await read.readBytes(), expected), key).toBe(0);
    }
    const again = new Tokenizer(await openTokenizerModel(path));
    for (const { text, ids } of vectors.encode.slice(0, 60))
      expect(again.encode(text)).toEqual(ids);
  });
});

it('a GGUF file is written as itself: blocks stay, bit for bit', async () => {
  const path = goldenPath('gguf/long-blocks.gguf');
  const model = {
    name: 'again',
    ...(await openModel(path)),
    tokenizer: await openTokenizerModel(path),
  };
  const again = await openModel(await written(model, 'Q8_0'));
  const source = await openGguf(path);
  const copy = await openGguf(join(directory, 'again-Q8_0.gguf'));
  const same = [...source.tensors.values()].filter(
    ({ name, dtype }) => copy.tensors.get(name)!.dtype === dtype,
  );
  expect(same.map(({ dtype }) => dtype)).toContain('Q8_0');
  for (const tensor of same) {
    expect(
      Buffer.compare(await copy.tensors.get(tensor.name)!.readBytes(), await tensor.readBytes()),
    ).toBe(0);
  }
  expect(again.config).toEqual(model.config);
});

it('keeps what its source says besides, but for what is about that file', async () => {
  const text = (value: string) => ({ type: 'string', value }) as const;
  const number = (value: number) => ({ type: 'u32', value }) as const;
  const source = new Map<string, GgufValue>([
    ['general.license', text('llama2')],
    ['general.name', text('a name')],
    ['tokenizer.chat_template', text('{{ messages }}')],
    ['llama.context_length', number(7)],
    ['general.file_type', number(99)],
    ['general.alignment', number(64)],
    ['split.count', number(3)],
  ]);
  const { metadata } = ggufOfModel({ ...(await goldenModel('mha')), metadata: source }, 'F16');
  const values = [...source.keys()].map(key => metadata.get(key)?.value);
  expect(values).toEqual(['llama2', 'a name', '{{ messages }}', 32768, 1, undefined, undefined]);
});

it('gives the tokens that the tokenizer does not have an unused piece', async () => {
  const model = await goldenModel('mha');
  const { metadata } = ggufOfModel(
    { ...model, config: { ...model.config, vocabSize: 333 } },
    'F32',
  );
  const tokens = metadata.get('tokenizer.ggml.tokens')!.value as string[];
  expect(tokens).toHaveLength(333);
  expect(tokens.slice(331)).toEqual(['[PAD331]', '[PAD332]']);
  const tokenizer = new Tokenizer(readGgufTokenizer(metadata));
  expect(tokenizer.vocabSize).toBe(331);
  expect(tokenizer.decode([332])).toBe('');
  expect(tokenizer.encode('[PAD331]')).not.toContain(331);
});

describe('refuses', () => {
  /** golden/mha, with one tensor of other numbers. */
  async function withNumber(x: number): Promise<ModelToWrite> {
    const model = await goldenModel('mha');
    const tensors = new Map<string, CheckpointTensor>(model.checkpoint.tensors);
    const tensor = tensors.get('lm_head.weight')!;
    const read = async (first = 0, count = 331) =>
      new Float32Array(count * 60).fill(first === 0 ? x : 1);
    const readBytes = async (first?: number, count?: number) =>
      encode('F32', await read(first, count));
    tensors.set('lm_head.weight', {
      ...tensor,
      name: tensor.name,
      shape: tensor.shape,
      dtype: 'F32',
      read,
      readBytes,
    });
    const checkpoint: Checkpoint = { name: 'x', tensors, close: () => model.checkpoint.close() };
    return { ...model, checkpoint };
  }
  const write = async (model: ModelToWrite, fileType: GgufFileType) => {
    const { metadata, tensors } = ggufOfModel(model, fileType);
    await collect(writeGguf(metadata, tensors));
  };

  it.each([
    [70_000, 'F16'],
    [NaN, 'F16'],
    [NaN, 'BF16'],
    [-Infinity, 'BF16'],
    [1e30, 'Q8_0'], // which is F16 here: rows are 60 long
  ] as const)('%d in %s', async (x, fileType) => {
    await expectRefused(
      write(await withNumber(x), fileType),
      'NOT_FINITE',
      'tensor "lm_head.weight"',
      `F16`.slice(0, 1),
    );
  });

  it('more ids that end a text than there is room for; any of the model’s is taken', async () => {
    const model = await goldenModel('mha');
    const withIds = (eosTokenIds: number[]) =>
      ggufOfModel({ ...model, config: { ...model.config, eosTokenIds } }, 'F32');
    expect(withIds([5]).metadata.get('tokenizer.ggml.eos_token_id')).toMatchObject({ value: 5 });
    expect(() => withIds([2, 5, 6, 7])).toThrow('4 ids end a text');
    expect(withIds([2, 5]).metadata.get('tokenizer.ggml.eot_token_id')).toEqual({
      type: 'u32',
      value: 5,
    });
  });

  it('numbers that float32 would change', async () => {
    const model = await goldenModel('mha');
    const config = {
      ...model.config,
      ropeScaling: { type: 'linear', factor: 8.123456789 } as const,
    };
    expect(() => ggufOfModel({ ...model, config }, 'F32')).toThrow(
      'the factor of interpolation is 8.123456789',
    );
  });
});
