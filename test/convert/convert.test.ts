/** Models of golden/ in other forms, and back: nothing may change but what was asked for. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ConvertType, convertModel } from '../../src/convert/convert.js';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import { openFile } from '../../src/files/file.js';
import { openGgufFile } from '../../src/files/gguf/model.js';
import { encodeNumbers } from '../../src/files/rows.js';
import { openSafetensors, writeSafetensors } from '../../src/files/safetensors/safetensors.js';
import { openModelFiles } from '../../src/load/model-files.js';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { expectedWeights } from '../../src/model/weights.js';
import { expectRefused } from '../files/helpers.js';
import { goldenPath } from '../support/golden.js';
import { vectors } from '../tokenizer/support.js';
import {
  configOf,
  expectSameTensors,
  storedTensors,
  temporaryDirectory,
  tokenizerOf,
} from './support.js';

const { at, names } = temporaryDirectory();

describe.each([
  ['mha', 'f32'],
  ['gqa', 'f32'],
  ['llama3', 'f32'],
  ['tied', 'bf16'],
] as const)('golden/%s', (name, type) => {
  const source = goldenPath(name);

  it('to a GGUF file and back: the same tensors to the bit, configuration, tokenizer', async () => {
    await convertModel(source, at('model.gguf'));
    await convertModel(at('model.gguf'), at('back'), { type });
    await expectSameTensors(at('back'), source);
    for (const path of [at('model.gguf'), at('back')]) {
      expect(await configOf(path)).toEqual(await configOf(source));
      expect(await tokenizerOf(path)).toEqual(await tokenizerOf(source));
    }
    const tokenizer = await openTokenizer(at('back'));
    for (const { text, ids } of vectors.encode) expect(tokenizer.encode(text)).toEqual(ids);
  });

  it('to a directory: the same tensors to the bit, other files byte for byte', async () => {
    const { rounded } = await convertModel(source, at('copy'));
    expect(rounded).toBe(0);
    await expectSameTensors(at('copy'), source);
    expect(await configOf(at('copy'))).toEqual(await configOf(source));
    for (const file of ['tokenizer.model', 'generation_config.json']) {
      expect(await readFile(at('copy', file)), file).toEqual(
        await readFile(goldenPath(`${name}/${file}`)),
      );
    }
  });

  it.each(['f32', 'f16', 'bf16'] as const)(
    'as %s: each number rounded once, in both forms',
    async wanted => {
      await convertModel(source, at('model.gguf'), { type: wanted });
      await convertModel(source, at('directory'), { type: wanted });
      await convertModel(at('model.gguf'), at('back'), { type: wanted });
      const dtype = wanted.toUpperCase() as Uppercase<ConvertType>;
      const { checkpoint } = await openModelFiles(source);
      const directory = await storedTensors(at('directory'));
      for (const [key, tensor] of directory) {
        expect([key, tensor.dtype]).toEqual([key, dtype]);
        const expected = encodeNumbers(dtype, await checkpoint.tensors.get(key)!.read());
        expect(tensor.bytes.equals(expected), key).toBe(true);
      }
      await checkpoint.close();
      for (const [key, { dtype, shape }] of await storedTensors(at('model.gguf'))) {
        expect([key, dtype]).toEqual([key, shape.length === 1 ? 'F32' : wanted.toUpperCase()]);
      }
      await expectSameTensors(at('back'), at('directory'));
    },
  );
});

describe('PyTorch files', () => {
  it.each(['mha', 'tied'])(
    '%s become safetensors, bit for bit, without what transformers no longer saves',
    async name => {
      const source = goldenPath(`pytorch/${name}`);
      await convertModel(source, at('model'));
      await expectSameTensors(at('model'), source);
      const file = await openSafetensors(await openFile(at('model', 'model.safetensors')));
      expect([...file.tensors.keys()].filter(key => /inv_freq/.test(key))).toEqual([]);
      expect(file.tensors.has('lm_head.weight')).toBe(name !== 'tied');
      expect(Object.fromEntries(file.metadata)).toEqual({ format: 'pt' });
      await file.close();
    },
  );

  it('of golden/tied are golden/tied', async () => {
    await convertModel(goldenPath('pytorch/tied'), at('model'));
    await expectSameTensors(at('model'), goldenPath('tied'));
  });
});

describe('GGUF files', () => {
  const blocks = goldenPath('gguf/long-blocks.gguf');

  it('with blocks become another GGUF file as they are', async () => {
    const { rounded } = await convertModel(blocks, at('copy.gguf'));
    expect(rounded).toBe(0);
    await expectSameTensors(at('copy.gguf'), blocks);
  });

  it('with blocks become a directory only if a type is given; f32 is exact', async () => {
    await expectRefused(
      convertModel(blocks, at('model')),
      'UNSUPPORTED',
      'model.embed_tokens.weight is Q4_0',
      'give a type: f32 is exact',
    );
    expect(await names()).toEqual([]);
    const { rounded } = await convertModel(blocks, at('model'), { type: 'f32' });
    expect(rounded).toBe(0);
    const [ours, theirs] = [await openModelFiles(at('model')), await openModelFiles(blocks)];
    for (const [name, tensor] of theirs.checkpoint.tensors) {
      expect(await ours.checkpoint.tensors.get(name)!.read(), name).toEqual(await tensor.read());
    }
    await ours.checkpoint.close();
    await theirs.checkpoint.close();
  });

  it.each([
    ['gqa', 0],
    ['tied', 32],
    ['gguf/long-blocks.gguf', 7],
  ])('of %s are called by the format that most numbers have, %i in llama.cpp', async (name, id) => {
    await convertModel(goldenPath(name), at('model.gguf'));
    const file = await openGgufFile(at('model.gguf'));
    await file.close();
    expect(file.metadata.get('general.file_type')).toEqual({ type: 'u32', value: id });
  });

  it('in parts become one', async () => {
    const parts = goldenPath('gguf/tied-bf16-00001-of-00002.gguf');
    await convertModel(parts, at('whole.gguf'));
    await expectSameTensors(at('whole.gguf'), parts);
    const file = await openGgufFile(at('whole.gguf'));
    await file.close();
    expect([...file.metadata.keys()].filter(key => key.startsWith('split.'))).toEqual([]);
  });

  it('keep what else they say, and their name', async () => {
    const source = await openGgufFile(goldenPath('gguf/mha-f32.gguf'));
    await source.close();
    await convertModel(goldenPath('gguf/mha-f32.gguf'), at('copy.gguf'), { type: 'f16' });
    const copy = await openGgufFile(at('copy.gguf'));
    await copy.close();
    const changed = [...source.metadata].filter(([key, { value }]) => {
      return JSON.stringify(copy.metadata.get(key)?.value) !== JSON.stringify(value);
    });
    // Its converter made <unk> a control piece; what is written is what is understood.
    expect(changed.map(([key]) => key)).toEqual(['general.file_type', 'tokenizer.ggml.token_type']);
    expect(copy.metadata.get('general.file_type')!.value).toBe(1);
  });
});

describe('shards', () => {
  it('are cut and named as transformers does, with an index', async () => {
    const { files } = await convertModel(goldenPath('gqa'), at('model'), { shardSize: 500_000 });
    await expectSameTensors(at('model'), goldenPath('gqa'));
    const index = JSON.parse(await readFile(at('model', 'model.safetensors.index.json'), 'utf8'));
    const tensors = await storedTensors(goldenPath('gqa'));
    const sizes = [...tensors.values()].map(({ bytes }) => bytes.length);
    expect(index.metadata.total_size).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(Object.keys(index.weight_map)).toEqual([...tensors.keys()].sort());
    const shards = [...new Set<string>(Object.values(index.weight_map))].sort();
    expect(shards.length).toBeGreaterThan(4);
    shards.forEach((shard, i) => {
      const digits = (n: number) => String(n).padStart(5, '0');
      expect(shard).toBe(`model-${digits(i + 1)}-of-${digits(shards.length)}.safetensors`);
      const held = [...tensors].filter(([name]) => index.weight_map[name] === shard);
      expect(held.reduce((sum, [, { bytes }]) => sum + bytes.length, 0)).toBeLessThanOrEqual(
        500_000,
      );
    });
    expect(files.map(file => file.name)).toEqual(
      expect.arrayContaining([...shards, 'config.json']),
    );
  });

  it('may be of a single tensor each, if that is larger', async () => {
    const { tensors } = await convertModel(goldenPath('mha'), at('model'), { shardSize: 1 });
    const index = JSON.parse(await readFile(at('model', 'model.safetensors.index.json'), 'utf8'));
    expect(new Set(Object.values(index.weight_map)).size).toBe(tensors);
    await expectSameTensors(at('model'), goldenPath('mha'));
  });

  it('are not needed where one is large enough, to the byte', async () => {
    const tensors = await storedTensors(goldenPath('mha'));
    const bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.bytes.length, 0);
    const { files } = await convertModel(goldenPath('mha'), at('one'), { shardSize: bytes });
    expect(files.map(({ name }) => name)).toContain('model.safetensors');
    const { files: more } = await convertModel(goldenPath('mha'), at('two'), {
      shardSize: bytes - 1,
    });
    expect(more.map(({ name }) => name)).toContain('model-00002-of-00002.safetensors');
  });
});

describe('config.json', () => {
  const json = async (path: string) => readFile(at(path, 'config.json'), 'utf8');

  it('says the factor as transformers 4 wants it: a float to Python', async () => {
    await convertModel(goldenPath('gqa'), at('model'));
    expect(await json('model')).toContain(
      '"rope_scaling": {\n    "factor": 8.0,\n    "type": "linear"\n  },',
    );
    expect(JSON.parse(await json('model'))).toMatchObject({
      torch_dtype: 'float32',
      architectures: ['LlamaForCausalLM'],
    });
  });

  it('says the scaling of Llama 3 as both versions of transformers read it', async () => {
    await convertModel(goldenPath('llama3'), at('model'));
    expect(await json('model')).toContain(
      '"rope_scaling": {\n    "factor": 8.0,\n    "high_freq_factor": 4.0,\n' +
        '    "low_freq_factor": 1.0,\n    "original_max_position_embeddings": 64,\n' +
        '    "rope_type": "llama3"\n  },\n  "rope_theta": 500000,',
    );
  });

  it('has no place for the factors of a GGUF file; another GGUF file has', async () => {
    const gguf = goldenPath('gguf/llama3-f32.gguf');
    await expectRefused(
      convertModel(gguf, at('model')),
      'UNSUPPORTED',
      'rope_freqs.weight',
      'write a GGUF file',
    );
    await convertModel(gguf, at('copy.gguf'));
    expect(await configOf(at('copy.gguf'))).toEqual(await configOf(gguf));
  });

  it('has no scaling where there is none, and the format that most numbers have', async () => {
    await convertModel(goldenPath('tied'), at('model'));
    const config = JSON.parse(await json('model'));
    expect(config).toMatchObject({
      rope_scaling: null,
      torch_dtype: 'bfloat16',
      tie_word_embeddings: true,
    });
  });

  it('has every id that ends a text, those of generation_config.json before its own', async () => {
    await cp(goldenPath('mha'), at('source'), {
      recursive: true,
      filter: file => !/trace|greedy/.test(file),
    });
    await writeFile(at('source', 'generation_config.json'), '{"eos_token_id": [2, 5, 7]}');
    await convertModel(at('source'), at('model.gguf'));
    await convertModel(at('model.gguf'), at('back'));
    expect(JSON.parse(await json('back')).eos_token_id).toEqual([2, 5, 7]);
    expect((await configOf(at('back'))).eosTokenIds).toEqual([2, 5, 7]);
  });
});

it('pieces of a tensor that is read in parts stay in order with any threads', async () => {
  // The embedding has more than 4 pieces of 2^20 numbers, which is what two threads have on the
  // way.
  const shape = [2 ** 16 + 3, 66];
  const numbers = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i));
  await cp(goldenPath('mha'), at('source'), {
    recursive: true,
    filter: file => !/trace|greedy/.test(file),
  });
  const config = JSON.parse(await readFile(at('source', 'config.json'), 'utf8'));
  Object.assign(config, {
    vocab_size: shape[0],
    hidden_size: shape[1],
    num_attention_heads: 3,
    num_key_value_heads: 3,
  });
  Object.assign(config, { tie_word_embeddings: true, intermediate_size: 7, num_hidden_layers: 1 });
  await writeFile(at('source', 'config.json'), JSON.stringify(config));
  const tensors = [...expectedWeights(parseConfig(config))].map(([name, sizes]) => {
    const count = sizes.reduce((product, size) => product * size, 1);
    return {
      name,
      dtype: 'F32' as const,
      shape: sizes,
      chunks: [encodeNumbers('F32', numbers.subarray(0, count))],
    };
  });
  await writeFile(at('source', 'model.safetensors'), writeSafetensors(tensors));
  for (const threads of [1, 2, 3]) {
    await convertModel(at('source'), at(`${threads}.gguf`), { type: 'f16', threads });
  }
  const [one, two, three] = await Promise.all(
    [1, 2, 3].map(threads => readFile(at(`${threads}.gguf`))),
  );
  expect(two.equals(one)).toBe(true);
  expect(three.equals(one)).toBe(true);
  const embedding = (await storedTensors(at('2.gguf'))).get('model.embed_tokens.weight')!;
  expect(embedding.bytes.equals(encodeNumbers('F16', numbers))).toBe(true);
});

describe('is refused:', () => {
  const source = goldenPath('mha');
  const gguf = goldenPath('gguf/mha-f32.gguf');

  it('a file that is there, unless forced', async () => {
    await writeFile(at('model.gguf'), 'mine');
    await expectRefused(
      convertModel(source, at('model.gguf')),
      'BAD_OPTION',
      'is there already',
      'force',
    );
    expect(await readFile(at('model.gguf'), 'utf8')).toBe('mine');
    await convertModel(source, at('model.gguf'), { force: true });
    await expectSameTensors(at('model.gguf'), source);
  });

  it('a directory that has something in it, forced or not; an empty one is no harm', async () => {
    await mkdir(at('model'));
    await writeFile(at('model', 'mine'), '');
    for (const force of [false, true]) {
      await expectRefused(
        convertModel(source, at('model'), { force }),
        'BAD_OPTION',
        'is not empty',
      );
    }
    await rm(at('model', 'mine'));
    await convertModel(source, at('model'));
    await expectSameTensors(at('model'), source);
  });

  it('a directory for a GGUF file, and a file for a directory', async () => {
    await mkdir(at('a.gguf'));
    await writeFile(at('b'), '');
    await expectRefused(
      convertModel(source, at('a.gguf'), { force: true }),
      'BAD_OPTION',
      'is not a file',
    );
    await expectRefused(
      convertModel(source, at('b'), { force: true }),
      'BAD_OPTION',
      'a name that ends in .gguf',
    );
  });

  it('the model itself, or a part of it, by whatever path', async () => {
    await cp(gguf, at('model.gguf'));
    const options = { force: true };
    await symlink(at('model.gguf'), at('link.gguf'));
    await expectRefused(
      convertModel(at('model.gguf'), at('link.gguf'), options),
      'BAD_OPTION',
      'the model that is read',
    );
    const part = (n: number) => `tied-bf16-0000${n}-of-00002.gguf`;
    for (const n of [1, 2]) await cp(goldenPath(`gguf/${part(n)}`), at(part(n)));
    await expectRefused(
      convertModel(at(part(1)), at(part(2)), options),
      'BAD_OPTION',
      'or a part of it',
    );
    await cp(source, at('model'), { recursive: true });
    await expectRefused(
      convertModel(at('model'), at('model'), options),
      'BAD_OPTION',
      'the model that is read',
    );
  });

  it('a place that is not there', async () => {
    await expectRefused(
      convertModel(source, at('no', 'model')),
      'NOT_FOUND',
      at('no'),
      'make it first',
    );
  });

  it('options that do not exist or are out of range', async () => {
    const convert = (options: object) => convertModel(source, at('model'), options);
    await expectRefused(
      convert({ type: 'q8_0' }),
      'BAD_OPTION',
      'type is "q8_0"',
      'f32, f16, bf16',
    );
    await expectRefused(convert({ shardSize: 0 }), 'BAD_OPTION', 'shardSize is 0');
    const useless = convertModel(source, at('model.gguf'), { shardSize: 1e9 });
    await expectRefused(useless, 'BAD_OPTION', 'shardSize has no effect with a GGUF file');
    await expectRefused(convert({ threads: 65 }), 'BAD_OPTION', 'threads is 65', '1 to 64');
    await expectRefused(convert({ onProgress: 5 }), 'BAD_OPTION', 'onProgress is 5', 'a function');
    await expectRefused(convert({ force: 1 }), 'BAD_OPTION', 'force is 1', 'true or false');
    await expectRefused(convert({ signal: {} }), 'BAD_OPTION', 'signal is {}', 'an AbortSignal');
    await expectRefused(convert({ overwrite: true }), 'BAD_OPTION', '"overwrite" is not an option');
  });
});

const STORIES = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
describe.skipIf(!existsSync(STORIES))('stories260k', () => {
  it('becomes the GGUF file beside it, to the bit but for its second head', async () => {
    await convertModel(STORIES, at('model.gguf'));
    const ours = await openGgufFile(at('model.gguf'));
    const theirs = await openGgufFile(`${STORIES}/stories260k-f32.gguf`);
    expect([...ours.tensors.keys(), 'output.weight'].sort()).toEqual(
      [...theirs.tensors.keys()].sort(),
    );
    for (const [name, tensor] of ours.tensors) {
      expect(
        Buffer.compare(await tensor.readBytes(), await theirs.tensors.get(name)!.readBytes()),
        name,
      ).toBe(0);
    }
    await ours.close();
    await theirs.close();
    expect(await tokenizerOf(at('model.gguf'))).toEqual(await tokenizerOf(STORIES));
  });
});
