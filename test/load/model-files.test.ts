import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LlamaErrorCode } from '../../src/base/errors.js';
import { elementCount } from '../../src/base/tensor.js';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import { encode, writeSafetensors } from '../../src/files/safetensors/safetensors.js';
import { openModelDirectory } from '../../src/load/model-files.js';
import { expectedWeights } from '../../src/model/weights.js';
import { collect, expectRefused } from '../files/helpers.js';
import {
  checkpointOf,
  dict,
  ints,
  pickleOf,
  storageClass,
  tensor,
  text,
} from '../files/pytorch/pickle-support.js';

const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 12,
  hidden_size: 8,
  intermediate_size: 10,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  rope_scaling: { type: 'linear', factor: 8.0 },
};
const WEIGHTS = expectedWeights(parseConfig(CONFIG));

let root: string;
let path: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'llama-32k-open-'));
});
beforeEach(async () => {
  path = join(root, String(count++));
  await mkdir(path);
});
afterAll(() => rm(root, { recursive: true }));

const put = (name: string, content: string | Uint8Array | object) =>
  writeFile(
    join(path, name),
    typeof content === 'string' || content instanceof Uint8Array
      ? content
      : JSON.stringify(content),
  );

function weightsFile(names: readonly string[]): Promise<Uint8Array> {
  return collect(
    writeSafetensors(
      names.map(name => {
        const shape = WEIGHTS.get(name)!;
        return {
          name,
          dtype: 'F16' as const,
          shape,
          chunks: [encode('F16', new Float32Array(elementCount(shape)).fill(0.5))],
        };
      }),
    ),
  );
}

async function putModel() {
  await put('config.json', CONFIG);
  await put('model.safetensors', await weightsFile([...WEIGHTS.keys()]));
}

describe('opens', () => {
  it('a model in one file', async () => {
    await putModel();
    const model = await openModelDirectory(path);
    expect(model).toMatchObject({
      path,
      config: { ropeScaling: { type: 'linear', factor: 8 }, vocabSize: 12, eosTokenIds: [2] },
    });
    expect(model).not.toHaveProperty('generationConfig');
    expect(model.checkpoint.name).toBe(join(path, 'model.safetensors'));
    expect(model.checkpoint.tensors.size).toBe(12);
    expect(await model.checkpoint.tensors.get('lm_head.weight')!.read(11, 1)).toEqual(
      new Float32Array(8).fill(0.5),
    );
    await model.checkpoint.close();
  });

  it('a model in several files', async () => {
    const names = [...WEIGHTS.keys()];
    await put('config.json', CONFIG);
    await put('a.safetensors', await weightsFile(names.slice(0, 5)));
    await put('b.safetensors', await weightsFile(names.slice(5)));
    const weight_map = Object.fromEntries(
      names.map((name, i) => [name, i < 5 ? 'a.safetensors' : 'b.safetensors']),
    );
    await put('model.safetensors.index.json', { metadata: { total_size: 1 }, weight_map });
    const { checkpoint } = await openModelDirectory(path);
    expect(checkpoint.tensors.size).toBe(12);
    expect(await checkpoint.tensors.get('model.norm.weight')!.read()).toEqual(
      new Float32Array(8).fill(0.5),
    );
    await checkpoint.close();
  });

  it.each([
    [{ eos_token_id: [2, 5] }, [2, 5]],
    [{ eos_token_id: 7 }, [7]],
    // as generate() of transformers 4.57 and 5.24, which then ends at no token
    [{ eos_token_id: null }, []],
    [{ eos_token_id: -1 }, []],
    [{ eos_token_id: 12 }, []],
    [{ temperature: 0.7 }, []],
  ])(
    'takes the end of a text from generation_config.json %j',
    async (generationConfig, eosTokenIds) => {
      await putModel();
      await put('generation_config.json', generationConfig);
      const model = await openModelDirectory(path);
      expect(model.config.eosTokenIds).toEqual(eosTokenIds);
      expect(model.generationConfig).toEqual(generationConfig);
      expect(model.notes.at(-1)).toMatch(/texts end with .* not with 2/);
      await model.checkpoint.close();
    },
  );
});

describe('opens the first that is complete', () => {
  const NAMES = [...WEIGHTS.keys()];
  const SINGLE = 'model.safetensors';
  const INDEX = 'model.safetensors.index.json';
  const BIN = 'pytorch_model.bin';
  const BIN_INDEX = 'pytorch_model.bin.index.json';
  const indexOf = (file: string) => ({
    weight_map: Object.fromEntries(NAMES.map(name => [name, file])),
  });
  /** What is written, by name. Weights of 0.25 are those of a .bin. */
  const putters: Record<string, () => Promise<void>> = {
    [SINGLE]: async () => put(SINGLE, await weightsFile(NAMES)),
    [INDEX]: async () => {
      await put(INDEX, indexOf('a.safetensors'));
      await put('a.safetensors', await weightsFile(NAMES));
    },
    [BIN]: () => put(BIN, binFile()),
    [BIN_INDEX]: async () => {
      await put(BIN_INDEX, indexOf('a.bin'));
      await put('a.bin', binFile());
    },
    'broken index': () => put(INDEX, '{'),
    'broken .bin index': () => put(BIN_INDEX, '{'),
    'index without its shard': () => put(INDEX, indexOf('missing.safetensors')),
    '.bin index without its shard': () => put(BIN_INDEX, indexOf('missing.bin')),
  };

  function binFile(): Uint8Array {
    const entries = NAMES.flatMap((name, key) => {
      const shape = WEIGHTS.get(name)!;
      const stride = shape.length === 2 ? ints(shape[1], 1) : ints(1);
      const numel = elementCount(shape);
      return [
        text(name),
        tensor({
          storage: storageClass('HalfStorage'),
          key: text(`${key}`),
          numel,
          size: ints(...shape),
          stride,
        }),
      ];
    });
    const storages = NAMES.map(name =>
      encode('F16', new Float32Array(elementCount(WEIGHTS.get(name)!)).fill(0.25)),
    );
    return checkpointOf(pickleOf(dict(...entries)), Object.fromEntries(storages.entries()));
  }

  it.each<[string[], string]>([
    [[SINGLE, INDEX, BIN, BIN_INDEX], SINGLE],
    [[INDEX, BIN, BIN_INDEX], INDEX],
    [[BIN, BIN_INDEX], BIN],
    [[BIN_INDEX], BIN_INDEX],
    [['index without its shard', BIN], BIN],
    [['index without its shard', BIN_INDEX], BIN_INDEX],
    [[INDEX, '.bin index without its shard'], INDEX],
    [[INDEX, 'broken .bin index'], INDEX],
  ])('of %j', async (there, expected) => {
    await put('config.json', CONFIG);
    for (const name of there) await putters[name]();
    const { checkpoint } = await openModelDirectory(path);
    expect(checkpoint.name).toBe(join(path, expected));
    const value = expected.startsWith('model') ? 0.5 : 0.25;
    expect(await checkpoint.tensors.get('lm_head.weight')!.read(11, 1)).toEqual(
      new Float32Array(8).fill(value),
    );
    await checkpoint.close();
  });

  it.each<[string[], LlamaErrorCode, string]>([
    [
      ['index without its shard', '.bin index without its shard'],
      'NOT_FOUND',
      'missing.safetensors',
    ],
    [['broken index', BIN], 'BAD_CHECKPOINT', INDEX],
  ])('and of %j refuses', async (there, code, word) => {
    await put('config.json', CONFIG);
    for (const name of there) await putters[name]();
    await expectRefused(openModelDirectory(path), code, word);
  });
});

describe('says what is missing', () => {
  it('the directory', async () => {
    await expectRefused(
      openModelDirectory(join(path, 'nowhere')),
      'NOT_FOUND',
      'nowhere',
      'ENOENT',
    );
  });

  it('a directory: it is a file', async () => {
    await put('file', '');
    await expectRefused(openModelDirectory(join(path, 'file')), 'NOT_FOUND', 'ENOTDIR');
  });

  it('config.json', async () => {
    await expectRefused(openModelDirectory(path), 'NOT_FOUND', 'no config.json', 'empty');
    await put('notes.txt', '');
    await expectRefused(openModelDirectory(path), 'NOT_FOUND', 'notes.txt', 'GGUF file by its');
  });

  it('weights', async () => {
    await put('config.json', CONFIG);
    await expectRefused(
      openModelDirectory(path),
      'NOT_FOUND',
      'model.safetensors',
      'model.safetensors.index.json',
      'config.json',
    );
  });

  it.each([
    ['model-00001-of-00002.safetensors', 'model.safetensors.index.json'],
    ['pytorch_model-00001-of-00002.bin', 'pytorch_model.bin.index.json'],
  ])('the index, where there is %s', async (shard, index) => {
    await put('config.json', CONFIG);
    await put(shard, '');
    await expectRefused(openModelDirectory(path), 'NOT_FOUND', shard, index, 'fetch it');
  });

  it('weights, where there is a GGUF file', async () => {
    await put('config.json', CONFIG);
    await put('llama.Q4_K_M.gguf', '');
    await expectRefused(
      openModelDirectory(path),
      'UNSUPPORTED',
      path,
      'llama.Q4_K_M.gguf',
      'give the path of that file',
    );
  });

  it('a shard of a .bin index', async () => {
    await put('config.json', CONFIG);
    const weight_map = { 'model.norm.weight': 'a.bin' };
    await put('pytorch_model.bin.index.json', { weight_map });
    await expectRefused(openModelDirectory(path), 'NOT_FOUND', 'a.bin', 'fetch them');
  });

  it('a shard', async () => {
    await put('config.json', CONFIG);
    const weight_map = { 'model.norm.weight': 'a.safetensors' };
    await put('model.safetensors.index.json', { weight_map });
    await put('model-00001-of-00003.safetensors', '');
    await expectRefused(
      openModelDirectory(path),
      'NOT_FOUND',
      'a.safetensors',
      'there are model-00001-of-00003.safetensors',
      'index is another version',
    );
  });
});

describe.each([
  'config.json',
  'generation_config.json',
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
])('%s that is no file is refused, not waited for', file => {
  const putOthers = async () => {
    await putModel();
    // which is looked for first
    if (/\.bin|\.index/.test(file)) await rm(join(path, 'model.safetensors'));
    await rm(join(path, file), { force: true });
  };

  it('a directory', async () => {
    await putOthers();
    await mkdir(join(path, file));
    await expectRefused(
      openModelDirectory(path),
      'NOT_FOUND',
      join(path, file),
      'it is a directory, not a file',
    );
  });

  it.skipIf(process.platform === 'win32')('a pipe', async () => {
    await putOthers();
    execFileSync('mkfifo', [join(path, file)]);
    await expectRefused(openModelDirectory(path), 'NOT_FOUND', join(path, file), 'not a file');
  });
});

describe('says what is broken, and in which file', () => {
  it.each<[string, string | object, string, ...string[]]>([
    ['config.json', '{"model_type": "llama",}', 'BAD_CONFIG', 'config.json', 'not JSON'],
    ['config.json', '{"rms_norm_eps": NaN}', 'BAD_CONFIG', 'config.json', 'not JSON'],
    [
      'config.json',
      '{"model_type":"llama","vocab_size":1,"vocab_size":2}',
      'BAD_CONFIG',
      'config.json',
      '"vocab_size"',
      'twice',
    ],
    ['config.json', '', 'BAD_CONFIG', 'config.json', 'not JSON'],
    ['config.json', { ...CONFIG, vocab_size: -1 }, 'BAD_CONFIG', 'config.json', 'vocab_size', '-1'],
    [
      'config.json',
      { ...CONFIG, vocab_size: 13 },
      'TENSOR_MISMATCH',
      'model.safetensors',
      '[12,8], not [13,8]',
    ],
    [
      'config.json',
      { ...CONFIG, num_hidden_layers: 2 },
      'TENSOR_MISMATCH',
      'missing: model.layers.1',
      'and 6 more',
    ],
    ['generation_config.json', '[', 'BAD_CONFIG', 'generation_config.json', 'not JSON'],
    ['generation_config.json', '[]', 'BAD_CONFIG', 'generation_config.json', 'not an object'],
    [
      'generation_config.json',
      { eos_token_id: 'x' },
      'BAD_CONFIG',
      'generation_config.json',
      '"x"',
    ],
    [
      'generation_config.json',
      { eos_token_id: 1.5 },
      'BAD_CONFIG',
      'generation_config.json',
      '1.5',
    ],
    [
      'model.safetensors',
      'version https://git-lfs.github.com/spec/v1',
      'BAD_CHECKPOINT',
      'model.safetensors',
      'safetensors file?',
    ],
  ])('%s %j', async (file, content, code, ...words) => {
    await putModel();
    await put(file, content);
    await expectRefused(openModelDirectory(path), code as 'BAD_CONFIG', ...words);
  });

  it('the index', async () => {
    await put('config.json', CONFIG);
    await put('model.safetensors.index.json', '{"weight_map":');
    await expectRefused(
      openModelDirectory(path),
      'BAD_CHECKPOINT',
      'model.safetensors.index.json',
      'not JSON',
    );
  });
});

const STORIES = join('..', 'shared', 'models', 'stories260k');
const stories = existsSync(STORIES);
if (!stories) console.warn(`SKIPPED: opening stories260k, because ${STORIES} is not there`);

it.skipIf(!stories)(`opens ${STORIES}, a trained model of 260K parameters`, async () => {
  const { config, checkpoint } = await openModelDirectory(STORIES);
  expect(config).toMatchObject({
    vocabSize: 512,
    numHiddenLayers: 5,
    numKeyValueHeads: 4,
    headDim: 8,
    tieWordEmbeddings: true,
  });
  const sizes = [...expectedWeights(config).values()].map(elementCount);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(260_032);
  for (const tensor of checkpoint.tensors.values()) {
    const numbers = await tensor.read();
    expect(numbers.every(Number.isFinite), tensor.name).toBe(true);
    expect(Math.max(...numbers.map(Math.abs)), tensor.name).toBeGreaterThan(0.01);
  }
  await checkpoint.close();
});
