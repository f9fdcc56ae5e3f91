/** Log-probabilities of the prompt's own tokens: those of transformers, however computed. */
import { describe, expect, test } from 'vitest';
import type { Floats } from '../../src/base/tensor.js';
import { WasmEngine } from '../../src/engines/wasm/wasm-engine.js';
import { openModelDirectory } from '../../src/load/model-files.js';
import { Llama } from '../../src/model/llama.js';
import { complete, generate } from '../../src/text/generate.js';
import { idsOnly } from '../../src/text/ids-only.js';
import type { GenerateOptions } from '../../src/text/options.js';
import type { GenerationResult, GenerationStep } from '../../src/text/result.js';
import { createScheduler } from '../../src/text/scheduler/scheduler.js';
import { TokenSequence } from '../../src/text/token-sequence.js';
import { BOS, babbling, byteTokenizer, EOS, saying } from '../support/fake-model.js';
import { goldenPath, openGolden, readIntegers, readTensors } from '../support/golden.js';

/** Log-softmax, as anybody would write it. */
function logSoftmax(row: Floats): number[] {
  const logits = Array.from(row);
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return logits.map(logit => logit - largest - Math.log(sum));
}

async function open(name: string, kernels: 'exact' | 'wasm'): Promise<Llama> {
  if (kernels === 'exact') return openGolden(name, 'f64');
  const { config, checkpoint } = await openModelDirectory(goldenPath(name));
  return new Llama(config, await WasmEngine.load(config, checkpoint, { threads: 2, context: 256 }));
}

const cases = ['mha', 'gqa', 'llama3'].flatMap(name =>
  (['exact', 'wasm'] as const).map(kernels => [name, kernels] as const),
);

/**
 * Against float64. Float32 in transformers is off by up to 6.4e-6 for these tokens, and by 1.4e-5
 * where tokens are unlikely.
 */
describe.each(cases)('golden/%s, kernels %s', (name, kernels) => {
  test.each([undefined, 1, 7])(
    'log-softmax of transformers to 1e-5, of others to 2e-5; in chunks of %s',
    async chunkSize => {
      const tokens = await readIntegers(`${name}/trace-f64.safetensors`, 'tokens');
      const traced = (await readTensors(`${name}/trace-f64.safetensors`)).get('lm_head')!;
      await using model = await open(name, kernels);
      const options = { promptLogprobs: 20, maxNewTokens: 0, ...(chunkSize && { chunkSize }) };
      const result = await complete(model, idsOnly(model.config), tokens, options);
      expect(result.tokens).toEqual([]);
      expect(result.promptLogprobs).toHaveLength(tokens.length);
      expect(result.promptLogprobs![0]).toBeUndefined();
      const width = traced.shape[1];
      for (const [i, token] of tokens.entries()) {
        if (i === 0) continue;
        const theirs = logSoftmax(traced.data.subarray((i - 1) * width, i * width));
        const { logprob, topLogprobs } = result.promptLogprobs![i]!;
        expect(Math.abs(logprob - theirs[token])).toBeLessThan(1e-5);
        const best = [...theirs.keys()].sort((a, b) => theirs[b] - theirs[a]).slice(0, 20);
        expect(topLogprobs).toHaveLength(20);
        for (const [place, { logprob: ours }] of topLogprobs.entries())
          expect(Math.abs(ours - theirs[best[place]])).toBeLessThan(2e-5);
      }
    },
  );
});

describe('what is computed', () => {
  const PROMPT = [BOS, 40, 41, 42, 43, 44, 45];

  async function last(steps: AsyncGenerator<GenerationStep>): Promise<GenerationStep[]> {
    const all = [];
    for await (const step of steps) all.push(step);
    return all;
  }
  const score = async (options: GenerateOptions) =>
    (await complete(babbling(), byteTokenizer, PROMPT, options)).promptLogprobs;

  test('with maxNewTokens 0 there is one step, without a token, that has the result', async () => {
    const model = babbling();
    const options = { promptLogprobs: 0, maxNewTokens: 0 };
    const steps = await last(generate(model, byteTokenizer, PROMPT, options));
    expect(steps).toEqual([{ token: undefined, text: '', result: expect.anything() }]);
    expect(steps[0].result).toMatchObject({ finishReason: 'length', text: '', tokens: [] });
    expect(model.rowsPerPass).toEqual([7]);
    expect(model.logitsFor).toEqual([-7, -6, -5, -4, -3, -2]); // not after the last token
  });

  test('of a prompt of one token nothing is known', async () => {
    const options = { promptLogprobs: 3, maxNewTokens: 0 };
    const { promptLogprobs } = await complete(babbling(), byteTokenizer, [BOS], options);
    expect(promptLogprobs).toEqual([undefined]);
  });

  test('a prompt that fills the context can be scored, and not continued', async () => {
    const full = Array.from({ length: 64 }, (_, i) => 3 + i);
    const options = { promptLogprobs: 0, maxNewTokens: 0 };
    const { promptLogprobs } = await complete(babbling(), byteTokenizer, full, options);
    expect(promptLogprobs).toHaveLength(64);
    expect(() => generate(babbling(), byteTokenizer, full, { promptLogprobs: 0 })).toThrow(
      expect.objectContaining({ code: 'CONTEXT_OVERFLOW' }),
    );
  });

  test('chunk by chunk, never the logits of more than a chunk', async () => {
    const model = babbling();
    const widths: number[] = [];
    const forward = model.forward.bind(model);
    model.forward = (rows, options) => {
      widths.push(options.logitsFor.length);
      return forward(rows, options);
    };
    const options = { promptLogprobs: 2, maxNewTokens: 2, chunkSize: 3 };
    await complete(model, byteTokenizer, PROMPT, options);
    expect(widths).toEqual([3, 3, 1, 1]);
  });

  test('with what follows, without it, in any chunks, and in a scheduler: the same', async () => {
    const expected = await score({ promptLogprobs: 2, maxNewTokens: 0 });
    expect(await score({ promptLogprobs: 2, maxNewTokens: 3, chunkSize: 2 })).toEqual(expected);
    const scheduler = createScheduler(babbling(), byteTokenizer, { maxRows: 3 });
    const texts = [0, 1, 4].map(maxNewTokens =>
      last(scheduler.generate(PROMPT, { promptLogprobs: 2, maxNewTokens })),
    );
    for (const steps of await Promise.all(texts))
      expect(steps.at(-1)!.result!.promptLogprobs).toEqual(expected);
  });

  test('what a sequence holds already is computed again, as it has no logits', async () => {
    const model = babbling();
    const sequence = new TokenSequence(model);
    await complete(model, byteTokenizer, PROMPT, { sequence, maxNewTokens: 1 });
    const options = { sequence, promptLogprobs: 2, maxNewTokens: 0 };
    const { promptLogprobs, reusedTokens } = await complete(model, byteTokenizer, PROMPT, options);
    expect(reusedTokens).toBe(0);
    expect(promptLogprobs).toEqual(await score({ promptLogprobs: 2, maxNewTokens: 0 }));
  });

  test('without the option there is none, and maxNewTokens is 1 or more', async () => {
    const result: GenerationResult = await complete(saying('a', 1), byteTokenizer, [BOS]);
    expect('promptLogprobs' in result).toBe(false);
    expect(result.tokens.at(-1)).toBe(EOS);
    expect(() => generate(babbling(), byteTokenizer, PROMPT, { maxNewTokens: 0 })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', option: 'maxNewTokens' }),
    );
  });
});
