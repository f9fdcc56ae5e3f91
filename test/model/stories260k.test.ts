/** A real trained model: its greedy text is known from llama.cpp and llama2.c. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/load/model.js';
import type { LoadOptions } from '../../src/load/options.js';
import { complete } from '../../src/text/generate.js';
import { allLogits } from '../support/golden.js';

const directory = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
const present = existsSync(directory);
if (!present) console.warn('SKIPPED: the tests of stories260k need ../shared/models/stories260k');

describe.skipIf(!present)('stories260k (needs ../shared/models/stories260k)', () => {
  const known = () =>
    JSON.parse(readFileSync(`${directory}/greedy.json`, 'utf8')) as { tokens: number[] };

  it.each(['f64', 'f32', 'bf16'] as const)(
    '%s: tells the known story from BOS, 200 tokens long (bf16: 20)',
    async numerics => {
      await using loaded = await loadModel(directory, { kernels: 'exact', numerics });
      const maxNewTokens = numerics === 'bf16' ? 20 : 200;
      const { tokens, text } = await complete(loaded.model, loaded.tokenizer, [1], {
        temperature: 0,
        maxNewTokens,
      });
      expect(tokens).toEqual(known().tokens.slice(0, maxNewTokens));
      expect(text).toMatch(/^Once upon a time, there was a little girl named Lily\. She/);
    },
  );

  it.each<LoadOptions>([
    { kernels: 'exact', numerics: 'f64' },
    { kernels: 'exact', numerics: 'f32' },
    { kernels: 'wasm', threads: 2 },
  ])('%j: the GGUF file gives the same bits as the directory, and the same text', async options => {
    const story = [1, ...known().tokens.slice(0, 60)];
    const [gguf, safetensors] = [`${directory}/stories260k-f32.gguf`, directory];
    const logits = [];
    for (const path of [gguf, safetensors]) {
      await using loaded = await loadModel(path, options);
      logits.push(await allLogits(loaded.model, story));
    }
    expect(logits[0]).toEqual(logits[1]);
    await using loaded = await loadModel(gguf, options);
    const { tokens } = await complete(loaded.model, loaded.tokenizer, [1], {
      temperature: 0,
      maxNewTokens: 200,
    });
    expect(tokens).toEqual(known().tokens);
  });

  it('gives the same bits for its story at once, in chunks of 7 and token by token', async () => {
    await using loaded = await loadModel(directory, { kernels: 'exact', numerics: 'f32' });
    const story = [1, ...known().tokens];
    const whole = await allLogits(loaded.model, story);
    expect(await allLogits(loaded.model, story, 7)).toEqual(whole);
    expect(await allLogits(loaded.model, story, 1)).toEqual(whole);
  });
});
