import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../src/base/errors.js';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { complete, generate } from '../../src/text/generate.js';
import { idsOnly } from '../../src/text/ids-only.js';
import { goldenPath, openGolden } from '../support/golden.js';

describe('idsOnly', () => {
  const prompt = [1, 183, 40, 97];

  it('gives the tokens that there are with the tokenizer, and no text', async () => {
    const model = await openGolden('gqa', 'f32');
    const options = { maxNewTokens: 12 };
    const tokenizer = await openTokenizer(goldenPath('gqa'));
    const { tokens } = await complete(model, tokenizer, prompt, options);
    const result = await complete(model, idsOnly(model.config), prompt, options);
    expect(result).toMatchObject({ tokens, text: '', finishReason: 'length' });
    await model.close();
  });

  it('refuses text, as a prompt and to stop at, at once and by its name', async () => {
    const model = await openGolden('gqa', 'f32');
    const start = (given: string | readonly number[], stop: string[], refusal?: LlamaError) =>
      generate(model, idsOnly(model.config, refusal), given, { stop });
    for (const [given, stop] of [
      ['Hi', []],
      [prompt, ['end']],
    ] satisfies [string | number[], string[]][]) {
      const refusal = new LlamaError('BAD_TOKENIZER', 'broken');
      expect(() => start(given, stop, refusal)).toThrow(refusal);
      expect(() => start(given, stop)).toThrow('give token ids');
    }
    expect(() => start([1, 331], [])).toThrow('prompt token 331 is not in the vocabulary');
    await model.close();
  });
});
