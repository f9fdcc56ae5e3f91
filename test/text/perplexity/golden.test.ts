/** Perplexities that transformers computed in float64 (`reference/make_perplexity.py`). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadLlama } from '../../../src/load/model.js';
import { openTokenizer } from '../../../src/load/tokenizer.js';
import type { Llama } from '../../../src/model/llama.js';
import { type Perplexity, perplexity } from '../../../src/text/perplexity/perplexity.js';
import { goldenPath } from '../../support/golden.js';
import { findSmollm2 } from '../../support/smollm2.js';

interface Case {
  readonly ctx_size: number;
  readonly bos?: boolean;
  readonly stride?: number;
  readonly ppl_stride?: number;
  readonly perplexity: number;
  readonly standard_error: number;
  readonly windows: readonly Window[];
}
interface Window {
  readonly start: number;
  readonly end: number;
  readonly tokens_scored: number;
  readonly mean_nll: number;
}

interface Golden {
  readonly tokens: number[];
  readonly cases: readonly Case[];
  /** How far transformers' own float32 is from this at most, where it was measured. */
  readonly float32_error?: number;
}

function readGolden(name: string): Golden {
  return JSON.parse(readFileSync(goldenPath(`perplexity/${name}.json`), 'utf8'));
}

const named = (cases: readonly Case[]) =>
  cases.map(golden => {
    const { ctx_size, bos, stride, ppl_stride } = golden;
    return [JSON.stringify({ ctx_size, bos, stride, ppl_stride }), golden] as const;
  });

async function expectGolden(
  model: Llama,
  tokens: readonly number[],
  golden: Case,
  bound: number,
): Promise<void> {
  const result = await perplexity(model, tokens, {
    ctxSize: golden.ctx_size,
    stride: golden.stride,
    pplStride: golden.ppl_stride,
    bos: golden.bos ? model.config.bosTokenId : undefined,
  });
  const shapeOf = ({ chunks }: Perplexity) =>
    chunks.map(({ start, end, nlls }) => [start, end, nlls.length]);
  expect(shapeOf(result)).toEqual(golden.windows.map(w => [w.start, w.end, w.tokens_scored]));
  expect(result.tokens).toBe(golden.windows.reduce((sum, w) => sum + w.tokens_scored, 0));
  for (const [i, { nlls }] of result.chunks.entries()) {
    const mean = nlls.reduce((a, b) => a + b) / nlls.length;
    expect(Math.abs(mean - golden.windows[i].mean_nll)).toBeLessThan(bound);
  }
  expect(Math.abs(result.perplexity / golden.perplexity - 1)).toBeLessThan(bound);
  expect(Math.abs(result.standardError! / golden.standard_error - 1)).toBeLessThan(bound);
  expect(result.chunks.at(-1)!.perplexity).toBe(result.perplexity);
}

describe(
  'golden/gqa, exact kernels in float64: within 1e-12 of transformers in float64, which ' +
    'adds up in another order',
  () => {
    const { tokens, cases } = readGolden('gqa');
    test.each(named(cases))('%s', async (_, golden) => {
      const { model } = await loadLlama(goldenPath('gqa'), { kernels: 'exact' });
      await expectGolden(model, tokens, golden, 1e-12);
      await model.close();
    });
  },
);

const smollm2 = findSmollm2('the perplexity of a text in real English');
describe.skipIf(smollm2 === undefined)('SmolLM2-135M-Instruct on golden/text', () => {
  const { tokens, cases } = readGolden('smollm2');
  test('has the ids of the file, and does not begin with BOS', async () => {
    const tokenizer = await openTokenizer(smollm2!);
    const text = readFileSync(goldenPath('text/alice.txt'), 'utf8');
    expect(tokenizer.addsBos).toBe(false);
    expect(tokenizer.encode(text).slice(0, tokens.length)).toEqual(tokens);
  });

  test.each(named(cases))(
    '%s: float32 within 1e-4 of transformers in float64, as its logits are within 1e-4 σ',
    async (_, golden) => {
      const { model } = await loadLlama(smollm2!, { weights: 'f32', context: 512, threads: 2 });
      await expectGolden(model, tokens, golden, 1e-4);
      await model.close();
    },
    300_000,
  );
});

describe(
  'golden/tiny-32k, WASM kernels: from float64 at most twice as far as transformers in float32, ' +
    'which adds up in another order (heads that listen by distance subtract large scores)',
  () => {
    const { tokens, cases, float32_error } = readGolden('tiny-32k');
    test.each(named(cases))('%s', async (_, golden) => {
      const { model } = await loadLlama(goldenPath('tiny-32k'), { weights: 'f32', threads: 2 });
      await expectGolden(model, tokens, golden, 2 * float32_error!);
      await model.close();
    });
  },
);
