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
  parameters: HuggingFaceOptions;
  scores: (number | null)[];
  probabilities: number[];
}

const golden: { cases: Case[] } = JSON.parse(
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
  test.each(golden.cases)('$name', ({ logits, previous, parameters, scores, probabilities }) => {
    const settings = checkSamplingOptions(samplingOptions(parameters));
    const row = Float32Array.from(numbers(logits));
    expect(Array.from(processLogits(row, previous, settings))).toEqual(numbers(scores));

    const ours = distribution(row, previous, settings);
    probabilities.forEach((probability, i) => {
      // torch's float32 exponential and sum differ from ours in the last bits
      expect(Math.abs(ours[i] - probability)).toBeLessThanOrEqual(1e-6 * probability);
    });
  });

  test('has cases', () => expect(golden.cases.length).toBeGreaterThan(50));
});
