/**
 * A repository with the files that SmolLM2-135M-Instruct has on the hub: `chat` and `generate` with
 * its name say what transformers says (`reference/make_small_smollm2.py`).
 */
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openChatFormat } from '../../src/load/chat-format.js';
import { loadModel } from '../../src/load/model.js';
import { complete } from '../../src/text/generate.js';
import type { Message } from '../../src/text/prompt.js';
import { cli, FakeIo } from '../cli/support.js';
import { goldenPath } from '../support/golden.js';
import { noise, Setting } from './support.js';

interface Expected {
  readonly messages: readonly Message[];
  readonly prompt: readonly number[];
  readonly tokens: readonly number[];
  readonly text: string;
}

const name = 'small-smollm2';
const expected: readonly Expected[] = JSON.parse(
  await readFile(goldenPath(`${name}/expected.json`), 'utf8'),
);
const own = (await readdir(goldenPath(name))).filter(file => file !== 'expected.json');

/** Those of the model, and what else lies beside them on the hub. */
async function repository(): Promise<Record<string, Buffer | string>> {
  const files = own.map(async file => [file, await readFile(goldenPath(`${name}/${file}`))]);
  return {
    ...Object.fromEntries(await Promise.all(files)),
    '.gitattributes': '*.safetensors filter=lfs diff=lfs merge=lfs -text\n',
    'README.md': '# SmolLM2\n',
    'all_results.json': '{}',
    'onnx/model.onnx': noise(1000),
    'onnx/model_q4.onnx': noise(1000),
    'runs/Oct31/events.out.tfevents.1730391266.ip-26-0-174-36.3239407.0': noise(100),
    'train_results.json': '{}',
    'trainer_state.json': '{}',
    'training_args.bin': noise(1000),
  };
}

const environment = ({ hub, cache, root }: Setting) => {
  return { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_HOME: root };
};

it('the repository is as it is on the hub', () => {
  expect(own.sort()).toEqual([
    ...['config.json', 'generation_config.json', 'merges.txt', 'model.safetensors'],
    ...['special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.json'],
  ]);
});

describe('a repository like that of SmolLM2-135M-Instruct', () => {
  it('is downloaded without what is not needed', async () => {
    await using setting = await Setting.create(await repository());
    await setting.download();
    const files = setting.hub.downloads().map(({ url }) => url.replace(/.*\/resolve\/[^/]+\//, ''));
    expect(files.sort()).toEqual([
      ...['config.json', 'generation_config.json', 'model.safetensors'],
      ...['special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json'],
    ]);
  });

  it("has transformers' ids and greedy tokens, in float32", async () => {
    await using setting = await Setting.create(await repository());
    const path = await setting.download();
    await using loaded = await loadModel(path, { weights: 'f32', threads: 1 });
    const format = await openChatFormat(loaded);
    const ends = format.ends(loaded.model.config);
    expect(ends.stopTokenIds).toContain(loaded.tokenizer.idOf('<|im_end|>'));
    for (const { messages, prompt, tokens, text } of expected) {
      expect(format.encode(messages)).toEqual(prompt);
      const options = { ...ends, maxNewTokens: tokens.length };
      const reply = await complete(loaded.model, loaded.tokenizer, prompt, options);
      expect(reply.tokens).toEqual(tokens);
      expect(loaded.tokenizer.decode(tokens, { skipSpecial: false })).toBe(text);
    }
  });

  it('answers in chat, by its name', async () => {
    await using setting = await Setting.create(await repository());
    const [{ messages, tokens }] = expected;
    const args = ['chat', '--model', 'owner/name', '--json', '--weights', 'f32'];
    const io = new FakeIo([], environment(setting));
    const limit = ['--max-new-tokens', String(tokens.length)];
    const { code, stdout } = await cli([...args, ...limit], `${messages[0].content}\n`, io);
    expect([code, JSON.parse(stdout).tokens]).toEqual([0, tokens]);
  });
});
