import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openModelDirectory } from '../../src/checkpoint/open.js';
import { encode, writeSafetensors } from '../../src/checkpoint/safetensors.js';
import { expectedWeights } from '../../src/checkpoint/weights.js';
import { parseConfig } from '../../src/config.js';
import { elementCount } from '../../src/tensor.js';
import { collect, expectRefused } from './helpers.js';

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
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
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
    expect(model).toMatchObject({ path, config: { ropeFactor: 8, vocabSize: 12, eosTokenIds: [2] } });
    expect(model).not.toHaveProperty('generationConfig');
    expect(model.checkpoint.name).toBe(join(path, 'model.safetensors'));
    expect(model.checkpoint.tensors.size).toBe(12);
    expect(await model.checkpoint.tensors.get('lm_head.weight')!.read(11, 1)).toEqual(new Float32Array(8).fill(0.5));
    await model.checkpoint.close();
  });

  it('a model in several files', async () => {
    const names = [...WEIGHTS.keys()];
    await put('config.json', CONFIG);
    await put('a.safetensors', await weightsFile(names.slice(0, 5)));
    await put('b.safetensors', await weightsFile(names.slice(5)));
    const weight_map = Object.fromEntries(names.map((name, i) => [name, i < 5 ? 'a.safetensors' : 'b.safetensors']));
    await put('model.safetensors.index.json', { metadata: { total_size: 1 }, weight_map });
    const { checkpoint } = await openModelDirectory(path);
    expect(checkpoint.tensors.size).toBe(12);
    expect(await checkpoint.tensors.get('model.norm.weight')!.read()).toEqual(new Float32Array(8).fill(0.5));
    await checkpoint.close();
  });

  it.each([
    [{ eos_token_id: [2, 5] }, [2, 5]],
    [{ eos_token_id: 7 }, [7]],
    [{ eos_token_id: null }, [2]],
    [{ temperature: 0.7 }, [2]],
  ])('takes the end of a text from generation_config.json %j', async (generationConfig, eosTokenIds) => {
    await putModel();
    await put('generation_config.json', generationConfig);
    const model = await openModelDirectory(path);
    expect(model.config.eosTokenIds).toEqual(eosTokenIds);
    expect(model.generationConfig).toEqual(generationConfig);
    await model.checkpoint.close();
  });
});

describe('says what is missing', () => {
  it('the directory', async () => {
    await expectRefused(openModelDirectory(join(path, 'nowhere')), 'NOT_FOUND', 'nowhere', 'ENOENT');
  });

  it('a directory: it is a file', async () => {
    await put('file', '');
    await expectRefused(openModelDirectory(join(path, 'file')), 'NOT_FOUND', 'ENOTDIR');
  });

  it('config.json', async () => {
    await expectRefused(openModelDirectory(path), 'NOT_FOUND', 'no config.json', 'empty');
    await put('notes.txt', '');
    await expectRefused(openModelDirectory(path), 'NOT_FOUND', 'no config.json', 'notes.txt');
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

  it.each(['pytorch_model.bin', 'pytorch_model-00001-of-00002.bin', 'llama.Q4_K_M.gguf'])(
    'weights, where there is %s',
    async name => {
      await put('config.json', CONFIG);
      await put(name, '');
      await expectRefused(openModelDirectory(path), 'UNSUPPORTED', name, 'save_pretrained');
    },
  );

  it('a shard', async () => {
    await put('config.json', CONFIG);
    await put('model.safetensors.index.json', { weight_map: { a: 'a.safetensors' } });
    await expectRefused(openModelDirectory(path), 'NOT_FOUND', 'a.safetensors', 'ENOENT');
  });
});

describe.each(['config.json', 'generation_config.json', 'model.safetensors', 'model.safetensors.index.json'])(
  '%s that is no file is refused, not waited for',
  file => {
    const putOthers = async () => {
      await putModel();
      if (file.endsWith('.index.json')) await rm(join(path, 'model.safetensors')); // which is looked for first
      await rm(join(path, file), { force: true });
    };

    it('a directory', async () => {
      await putOthers();
      await mkdir(join(path, file));
      await expectRefused(openModelDirectory(path), 'NOT_FOUND', join(path, file), 'it is a directory, not a file');
    });

    it.skipIf(process.platform === 'win32')('a pipe', async () => {
      await putOthers();
      execFileSync('mkfifo', [join(path, file)]);
      await expectRefused(openModelDirectory(path), 'NOT_FOUND', join(path, file), 'not a file');
    });
  },
);

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
    ['config.json', { ...CONFIG, vocab_size: 13 }, 'TENSOR_MISMATCH', 'model.safetensors', '[12,8], not [13,8]'],
    ['config.json', { ...CONFIG, num_hidden_layers: 2 }, 'TENSOR_MISMATCH', 'missing: model.layers.1', 'and 6 more'],
    ['generation_config.json', '[', 'BAD_CONFIG', 'generation_config.json', 'not JSON'],
    ['generation_config.json', '[]', 'BAD_CONFIG', 'generation_config.json', 'not an object'],
    ['generation_config.json', { eos_token_id: 'x' }, 'BAD_CONFIG', 'generation_config.json', '"x"'],
    ['generation_config.json', { eos_token_id: 12 }, 'BAD_CONFIG', 'generation_config.json', '12'],
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
    await expectRefused(openModelDirectory(path), 'BAD_CHECKPOINT', 'model.safetensors.index.json', 'not JSON');
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
