/**
 * The same bits for everybody: what a text says, and how likely that was, depends on nothing but
 * itself. Not on who is there beside it, on what was computed before, on how much is computed at a
 * time, or on what is looked up.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDED_MODEL, type LoadedModel, loadModel } from '../../../src/load/model.js';
import type { Llama } from '../../../src/model/llama.js';
import { type GenerateTokenizer, generate } from '../../../src/text/generate.js';
import { idsOnly } from '../../../src/text/ids-only.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import type { GenerationStep } from '../../../src/text/result.js';
import type { ScheduledOptions } from '../../../src/text/scheduler/options.js';
import { createScheduler, type Scheduler } from '../../../src/text/scheduler/scheduler.js';
import { readGreedyReplies } from '../../support/golden-files.js';
import { loadTiny, NAN_TOKEN } from '../../support/tiny-model.js';

/** A text, and when it is cut short, if it is. */
interface Request {
  readonly prompt: readonly number[];
  readonly options: ScheduledOptions;
  readonly cutAfter: number | undefined;
}

/** What was looked up and came, and what was not computed again, of all texts so far. */
const shortcuts = { accepted: 0, reused: 0 };

/** All that a text says, but for how it was computed. */
async function follow(steps: AsyncGenerator<GenerationStep>, cutAfter = Infinity) {
  const said: object[] = [];
  for await (const { result, ...step } of steps) {
    const { timings, lookup, reusedTokens = 0, ...rest } = result ?? {};
    shortcuts.accepted += lookup?.accepted ?? 0;
    shortcuts.reused += reusedTokens;
    said.push({ ...step, ...rest });
    if (said.length >= cutAfter) break;
  }
  return said;
}

/** Each is asked for when one of `concurrency` places is free, in their order. */
async function followAll(scheduler: Scheduler, requests: readonly Request[], concurrency: number) {
  const said: object[][] = [];
  const left = [...requests.entries()];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [i, { prompt, options, cutAfter }] = next;
      said[i] = await follow(scheduler.generate(prompt, options), cutAfter);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return said;
}

async function alone(model: Llama, tokenizer: GenerateTokenizer, request: Request) {
  const { user, cacheSalt, ...options } = request.options;
  const steps = generate(model, tokenizer, request.prompt, { ...options, lookup: false });
  return follow(steps, request.cutAfter);
}

const kinds = {
  temperature: fc.constantFrom(0, 0.7, 1.5),
  seed: fc.nat(9),
  logprobs: fc.constantFrom(undefined, 0, 2),
  promptLogprobs: fc.constantFrom(undefined, undefined, undefined, 0, 2),
  repetitionPenalty: fc.constantFrom(1, 1, 1.1),
  /** Texts that say the same again, though they are drawn. */
  logitBias: fc.constantFrom({}, { 20: 6, 21: 4 }),
  chunkSize: fc.constantFrom(7, 64, 512),
  user: fc.constantFrom('a', 'b'),
};

const settings = {
  concurrency: fc.constantFrom(1, 2, 8, 32),
  maxRunning: fc.constantFrom(1, 3, 32),
  maxRows: fc.constantFrom(1, 5, 17, 128),
  maxPages: fc.constantFrom(undefined, 0, 3, 1000),
  lookup: fc.boolean(),
};

describe('a random model of 60 tokens, with room for ten pages', () => {
  let model: Llama;
  beforeAll(async () => {
    model = await loadTiny('wasm');
  });
  afterAll(() => model.close());

  const request: fc.Arbitrary<Request> = fc.record({
    /** Few beginnings, so that many have one in common; and periods, so that texts repeat. */
    prompt: fc
      .tuple(fc.constantFrom(3, 5, 40), fc.constantFrom(1, 63, 64, 65, 150, 260), fc.nat(2))
      .map(([period, length, end]) => [
        ...Array.from({ length }, (_, i) => 14 + (i % period)),
        ...Array<number>(end).fill(20 + end),
      ]),
    options: fc
      .record({ ...kinds, maxNewTokens: fc.integer({ min: 1, max: 40 }) })
      .map(options => ({ ...options, badWordsIds: [[NAN_TOKEN]], stopTokenIds: [] })),
    cutAfter: fc.constantFrom(undefined, undefined, 1, 9),
  });

  test('mixed requests in any company are what they are alone', async () => {
    const ids = idsOnly(model.config);
    const property = fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 10 }),
      fc.record(settings),
      async (requests, { concurrency, maxPages, ...others }) => {
        const prefixCache =
          maxPages === undefined ? undefined : new PrefixCache(model, { maxPages });
        const scheduler = createScheduler(model, ids, { ...others, prefixCache });
        const cold = await followAll(scheduler, requests, concurrency);
        const warm = await followAll(scheduler, requests.toReversed(), concurrency);
        prefixCache?.clear();
        for (const [i, one] of requests.entries()) {
          const expected = await alone(model, ids, one);
          expect(cold[i]).toEqual(expected);
          expect(warm[requests.length - 1 - i]).toEqual(expected);
        }
      },
    );
    await fc.assert(property, { numRuns: 70 });
    expect(shortcuts.accepted).toBeGreaterThan(100);
    expect(shortcuts.reused).toBeGreaterThan(1000);
  }, 300_000);
});

describe('the embedded model', () => {
  let loaded: LoadedModel;
  beforeAll(async () => {
    loaded = await loadModel(EMBEDDED_MODEL, { threads: 2, context: 8192 });
  });
  afterAll(() => loaded.close());

  test.each([
    { concurrency: 1, maxRows: 128 },
    { concurrency: 2, maxRows: 16 },
    { concurrency: 8, maxRows: 128 },
    { concurrency: 32, maxRows: 40 },
  ])(
    'replies to held-out prompts, cold and warm: %j',
    async ({ concurrency, maxRows }) => {
      const { model, tokenizer } = loaded;
      const replies = (await readGreedyReplies('tiny-32k')).filter(
        ({ promptTokens }) => promptTokens < 400,
      );
      const requests = replies.slice(0, 12).map(({ prompt }, i): Request => {
        const ids = tokenizer.encode(prompt, { bos: true, special: false });
        const sampled = i % 2 === 1 && { temperature: 0.8, seed: i };
        const scored = i % 3 === 0 && { promptLogprobs: 1 };
        const options = { maxNewTokens: 40, logprobs: 1, ...sampled, ...scored };
        return { prompt: ids, options, cutAfter: i % 5 === 4 ? 5 : undefined };
      });
      const prefixCache = new PrefixCache(model, { maxPages: 20 });
      const scheduler = createScheduler(model, tokenizer, { maxRows, prefixCache });
      const cold = await followAll(scheduler, requests, concurrency);
      const warm = await followAll(scheduler, requests, concurrency);
      prefixCache.clear();
      for (const [i, request] of requests.entries()) {
        const expected = await alone(model, tokenizer, request);
        expect(cold[i]).toEqual(expected);
        expect(warm[i]).toEqual(expected);
      }
    },
    120_000,
  );
});
