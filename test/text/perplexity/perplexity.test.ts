import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadLlama } from '../../../src/load/model.js';
import type { Row, Sequence } from '../../../src/model/sequence.js';
import type { PerplexityOptions, ScoredChunk } from '../../../src/text/perplexity/options.js';
import { type PerplexityModel, perplexity } from '../../../src/text/perplexity/perplexity.js';
import { RunningMean } from '../../../src/text/perplexity/running-mean.js';
import { goldenPath } from '../../support/golden.js';

const V = 331;
const text = Array.from({ length: 260 }, (_, i) => 3 + ((i * 37) % 300));

/** A model whose logits are the same whatever it reads. */
function saying(logits: ArrayLike<number>, maxPositionEmbeddings = 1000) {
  const passes: { rows: number; logits: number }[] = [];
  const life = { made: 0, mostAtOnce: 0, disposed: 0 };
  const model: PerplexityModel = {
    config: { vocabSize: logits.length, maxPositionEmbeddings, isLimitRaised: false },
    createSequence() {
      life.made += 1;
      life.mostAtOnce = Math.max(life.mostAtOnce, life.made - life.disposed);
      const dispose = () => {
        life.disposed += 1;
      };
      return { length: 0, dispose } as Sequence;
    },
    async forward(rows: readonly Row[], { logitsFor = [] }) {
      passes.push({ rows: rows.length, logits: logitsFor.length });
      const data = new Float32Array(logitsFor.length * logits.length);
      for (const i of logitsFor.keys()) data.set(Float32Array.from(logits), i * logits.length);
      return { data };
    },
  };
  return { model, passes, life };
}

describe('what is known without computing', () => {
  test.each([2, 3, 331, 32_000])('that of %d tokens as likely each is their number', async size => {
    const { model } = saying(new Float32Array(size).fill(-3));
    const ids = text.map(id => id % size);
    const result = await perplexity(model, ids, { ctxSize: 50 });
    expect(result.perplexity).toBeCloseTo(size, 9);
    expect(result.meanNll).toBeCloseTo(Math.log(size), 12);
    expect(result.standardError).toBeLessThan(1e-9);
    expect(result.tokens).toBe(5 * 24);
  });

  test('two tokens by turns, p and 1 − p: the geometric mean', async () => {
    const p = 0.9;
    const { model } = saying([Math.log(p), Math.log(1 - p)]);
    const ids = Array.from({ length: 101 }, (_, i) => i % 2);
    const { perplexity: value } = await perplexity(model, ids, { ctxSize: 101, stride: 101 });
    expect(value).toBeCloseTo(1 / Math.sqrt(p * (1 - p)), 6);
  });

  test('a token of which the model is certain has none, however large the logits', async () => {
    const { model } = saying([3e38, 0, 0]);
    const { perplexity: value } = await perplexity(model, new Array(20).fill(0), { ctxSize: 10 });
    expect(value).toBe(1);
  });
});

describe('mean and standard error', () => {
  test('are those of two passes', () => {
    const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2 });
    fc.assert(
      fc.property(numbers, xs => {
        const running = new RunningMean();
        for (const x of xs) running.add(x);
        const mean = xs.reduce((a, b) => a + b) / xs.length;
        const variance = xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (xs.length - 1);
        expect(running.count).toBe(xs.length);
        expect(running.mean).toBeCloseTo(mean, 6);
        expect(running.standardError).toBeCloseTo(Math.sqrt(variance / xs.length), 6);
      }),
    );
  });

  test('there is no error of one token', async () => {
    const { model } = saying([0, 1]);
    const result = await perplexity(model, [0, 1, 0, 1, 0, 1], { ctxSize: 3, chunks: 1 });
    expect([result.tokens, result.standardError]).toEqual([1, undefined]);
  });
});

describe('memory', () => {
  test.each([
    [300, 150, 128],
    [32_000, 150, 128],
    [128_256, 150, 65],
    [2 ** 23, 5, 1],
  ])('of a vocabulary of %d a pass over %d tokens has at most %d rows', async (...sizes) => {
    const [size, ctxSize, rows] = sizes;
    const { model, passes } = saying(new Float32Array(size));
    await perplexity(model, new Array(2 * ctxSize).fill(0), { ctxSize, chunks: 1 });
    expect(Math.max(...passes.map(pass => pass.rows))).toBe(rows);
    const scored = Math.ceil(ctxSize / 2) - 1;
    expect(passes.reduce((sum, pass) => sum + pass.logits, 0)).toBe(scored);
  });

  test('is given back window by window, also when one fails', async () => {
    const { model, life } = saying([0, 1]);
    const ids = new Array(100).fill(1);
    await perplexity(model, ids, { ctxSize: 10 });
    expect(life).toEqual({ made: 10, mostAtOnce: 1, disposed: 10 });
    const broken = saying([NaN, 1]);
    await expect(perplexity(broken.model, ids, { ctxSize: 10 })).rejects.toThrow();
    expect(broken.life).toEqual({ made: 1, mostAtOnce: 1, disposed: 1 });
  });
});

describe('golden/gqa', () => {
  let model: Awaited<ReturnType<typeof loadLlama>>['model'];
  beforeAll(async () => {
    ({ model } = await loadLlama(goldenPath('gqa'), { threads: 1 }));
  });
  afterAll(() => model.close());

  const of = (options: PerplexityOptions, ids: readonly number[] = text) =>
    perplexity(model, ids, { ctxSize: 50, ...options });

  test('gives the same bits with any number of threads', async () => {
    const two = await loadLlama(goldenPath('gqa'), { threads: 2 });
    expect(await perplexity(two.model, text, { ctxSize: 50 })).toEqual(await of({}));
    await two.model.close();
  });

  test('a chunk does not know of the others', async () => {
    const { chunks } = await of({});
    for (const [i, { nlls }] of chunks.entries()) {
      const alone = await of({ stride: 50 }, text.slice(i * 50, (i + 1) * 50));
      expect(alone.chunks[0].nlls.slice(25)).toEqual(nlls);
    }
  });

  test('BOS takes the place of the first token of every chunk, and no other', async () => {
    const changed = text.map((id, i) => (i % 50 === 0 ? 7 : id));
    expect(await of({ bos: 7 })).toEqual(await of({}, changed));
    expect(await of({ bos: 7 })).not.toEqual(await of({}));
  });

  test('chunks: the first ones', async () => {
    const { chunks } = await of({});
    expect((await of({ chunks: 2 })).chunks).toEqual(chunks.slice(0, 2));
    expect((await of({ chunks: 99 })).chunks).toEqual(chunks);
  });

  test('onChunk is told each, as the result has them', async () => {
    const told: ScoredChunk[] = [];
    const { chunks } = await of({ onChunk: chunk => told.push(chunk) });
    expect(told).toEqual(chunks);
    expect(told).toHaveLength(5);
  });

  test('an abort ends it, and the model computes on', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onChunk = () => controller.abort(reason);
    await expect(of({ onChunk, signal: controller.signal })).rejects.toBe(reason);
    expect((await of({})).chunks).toHaveLength(5);
  });
});

describe('refused before anything is computed', () => {
  const { model, passes } = saying(new Float32Array(V), 100);
  test.each<[PerplexityOptions, readonly number[], string, RegExp]>([
    [{ ctxSize: 2 }, text, 'BAD_OPTION', /^ctxSize is 2; it must be an integer, 3 or more/],
    [{ ctxSize: 50, stride: 0 }, text, 'BAD_OPTION', /^stride is 0/],
    [{ ctxSize: 50, stride: 51 }, text, 'BAD_OPTION', /^stride is 51; .* at most ctxSize, .* 50/],
    [{ ctxSize: 50, pplStride: 51 }, text, 'BAD_OPTION', /^pplStride is 51; .* at most ctxSize/],
    [{ ctxSize: 50, stride: 5, pplStride: 5 }, text, 'BAD_OPTION', /two ways to cut a text/],
    [{ ctxSize: 50, stride: 5, bos: 1 }, text, 'BAD_OPTION', /^bos is 1; .* left out with stride/],
    [{ ctxSize: 50, bos: V }, text, 'BAD_INPUT', /token 331 .* ids are 0 to 330/],
    [{ ctxSize: 50 }, [...text, V], 'BAD_INPUT', /token 331 .* ids are 0 to 330/],
    [{ ctxSize: 50 }, [1.5, ...text], 'BAD_INPUT', /token 1.5/],
    [{}, text, 'CONTEXT_OVERFLOW', /a window is 512 tokens \(ctxSize\), .* has 100 positions/],
    [{ ctxSize: 90, pplStride: 40 }, text, 'CONTEXT_OVERFLOW', /a window is 110 tokens/],
    [{ ctxSize: 100 }, text.slice(0, 199), 'BAD_INPUT', /199 tokens; .* 200 at least/],
    [{ ctxSize: 50, stride: 5 }, [1], 'BAD_INPUT', /has 1 tokens; .* 2 at least/],
  ])('%j', async (options, ids, code, message) => {
    await expect(perplexity(model, ids, options)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
    expect(passes).toEqual([]);
  });
});

test.each([
  ['a NaN among the logits', [0, NaN, 0]],
  ['no probability', [0, -Infinity, 0]],
  ['an infinite logit', [0, Infinity, 0]],
])('%s is NOT_FINITE, with token and place', async (_, logits) => {
  const { model } = saying(logits);
  await expect(perplexity(model, new Array(20).fill(1), { ctxSize: 10 })).rejects.toThrow(
    expect.objectContaining({
      code: 'NOT_FINITE',
      message: expect.stringMatching(/token 1, number 6 of the text/),
    }),
  );
});
