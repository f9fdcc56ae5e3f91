/**
 * Every case of golden/sampling.json: scores and probabilities as transformers computed them
 * (reference/sampling.py).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type HuggingFaceOptions,
  huggingFaceOptions,
} from '../../../src/text/sampling/hugging-face.js';
import type { SamplingOptions } from '../../../src/text/sampling/options.js';
import {
  checkSamplingOptions,
  distribution,
  processLogits,
} from '../../../src/text/sampling/sampler.js';

interface Case {
  name: string;
  /** null is −Infinity. */
  logits: (number | null)[];
  previous: number[];
  /** How many of the previous ids are the prompt's; all if it is not there. */
  prompt?: number;
  parameters: HuggingFaceOptions;
  scores: (number | null)[];
  probabilities: number[];
}

interface OpenAiCase {
  logits: number[];
  prompt: number[];
  output: number[];
  frequency: number;
  presence: number;
  scores: number[];
}

const golden: { cases: Case[]; openai: OpenAiCase[] } = JSON.parse(
  readFileSync(new URL('../../../golden/sampling.json', import.meta.url), 'utf8'),
);

const numbers = (values: (number | null)[]) => values.map(value => value ?? -Infinity);

/** The file has only the processors that it names: top_k is off unless given. */
function samplingOptions(parameters: HuggingFaceOptions): SamplingOptions {
  const { options } = huggingFaceOptions(
    { do_sample: true, top_k: 0, ...parameters },
    { eosTokenIds: [2] },
  );
  const { maxLength: _, maxNewTokens: __, stopTokenIds: ___, ...sampling } = options;
  return sampling;
}

describe('golden/sampling.json', () => {
  test.each(golden.cases)('$name', ({ logits, previous, parameters, ...expected }) => {
    const { scores, probabilities } = expected;
    const text = { stopTokenIds: [2], promptTokens: expected.prompt ?? previous.length };
    const settings = checkSamplingOptions(samplingOptions(parameters));
    const row = Float32Array.from(numbers(logits));
    expect(Array.from(processLogits(row, previous, settings, text))).toEqual(numbers(scores));

    const ours = distribution(row, previous, settings, text);
    probabilities.forEach((probability, i) => {
      // torch's float32 exponential and sum differ from ours in the last bits
      expect(Math.abs(ours[i] - probability)).toBeLessThanOrEqual(1e-6 * probability);
    });
  });

  test.each(golden.openai)(
    'OpenAI, output $output, frequency $frequency, presence $presence: the bits of its formula',
    ({ logits, prompt, output, frequency, presence, scores }) => {
      const settings = checkSamplingOptions({
        frequencyPenalty: frequency,
        presencePenalty: presence,
      });
      const text = { promptTokens: prompt.length };
      const ours = processLogits(new Float32Array(logits), [...prompt, ...output], settings, text);
      expect(Array.from(ours)).toEqual(scores);
    },
  );

  test('has cases', () => {
    expect(golden.cases.length).toBeGreaterThan(120);
    expect(golden.openai.length).toBeGreaterThan(5);
  });
});
