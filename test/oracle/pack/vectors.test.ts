/** The conformance pack's texts and samplers against our tokenizer and our sampler. */
import { expect, it } from 'vitest';
import {
  type HuggingFaceOptions,
  huggingFaceOptions,
} from '../../../src/text/sampling/hugging-face.js';
import { checkSamplingOptions, distribution } from '../../../src/text/sampling/sampler.js';
import { readSentencePieceModel, Tokenizer } from '../../../src/tokenizer/index.js';
import { readPack, readPackJson } from './pack.js';

interface SamplerCase {
  readonly name: string;
  /** null is −Infinity. */
  readonly logits: readonly (number | null)[];
  readonly previous: readonly number[];
  readonly parameters: HuggingFaceOptions;
  readonly probabilities: readonly number[];
}

const texts = readPackJson('tokenizer/vectors.json');
const samplers: { readonly cases: readonly SamplerCase[] } = readPackJson('sampler.json');

it('encodes every text as SentencePiece does, and decodes its ids', () => {
  const tokenizer = new Tokenizer(readSentencePieceModel(readPack(texts.model)));
  for (const { text, ids } of texts.cases) {
    expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text.replaceAll('▁', ' '));
  }
  expect(texts.cases.length).toBeGreaterThan(60);
});

it.each(samplers.cases)('$name: probabilities within 1e-6 (logits as float32)', of => {
  const { logits, previous, parameters, probabilities } = of;
  const given = { do_sample: true, top_k: 0, ...parameters };
  const { maxLength, maxNewTokens, stopTokenIds, ...options } = huggingFaceOptions(given, {
    eosTokenIds: [2],
  }).options;
  const row = Float32Array.from(logits, x => x ?? -Infinity);
  const text = { stopTokenIds: [], promptTokens: previous.length };
  const ours = distribution(row, previous, checkSamplingOptions(options), text);
  probabilities.forEach((probability, i) => {
    expect(Math.abs(ours[i] - probability)).toBeLessThanOrEqual(1e-6 * probability + 1e-40);
  });
});
