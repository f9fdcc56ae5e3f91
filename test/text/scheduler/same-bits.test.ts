/**
 * The same bits for everybody: what a text says, and how likely that was, depends on nothing but
 * itself. Not on who is there beside it, on what was computed before, in this process or in another
 * one that kept it on the disk, on how much is computed at a time, or on what is looked up.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDED_MODEL, type LoadedModel, loadModel } from '../../../src/load/model.js';
import type { Llama } from '../../../src/model/llama.js';
import { type GenerateTokenizer, generate } from '../../../src/text/generate.js';
import { idsOnly } from '../../../src/text/ids-only.js';
import type { GenerationStep } from '../../../src/text/result.js';
import type { ScheduledOptions } from '../../../src/text/scheduler/options.js';
import type { Scheduler } from '../../../src/text/scheduler/scheduler.js';
import { readGreedyReplies } from '../../support/golden-files.js';
import { loadTiny, NAN_TOKEN } from '../../support/tiny-model.js';
import { Process } from './process.js';

/** A text, and when it is cut short, if it is. */
interface Request {
  readonly prompt: readonly number[];
  readonly options: ScheduledOptions;
  readonly cutAfter: number | undefined;
}

/**
 * Of all texts so far: tokens that were looked up and came, tokens that were not computed again,
 * and pages of those that came from the disk.
 */
const shortcuts = { accepted: 0, reused: 0, restored: 0 };

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

/** What is said in a process, time after time, and that it had nothing to complain of. */
async function followIn(
  process: Process,
  times: readonly (readonly Request[])[],
  concurrency: number,
) {
  const said: object[][][] = [];
  for (const requests of times)
    said.push(await followAll(process.scheduler, requests, concurrency));
  shortcuts.restored += await process.end();
  expect(process.warnings).toEqual([]);
  return said;
}

/** `run`, with a directory that is gone afterwards. */
async function withDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'llama-32k-same-bits-'));
  try {
    return await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
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

/** For more of them at a time, and over HTTP: `test/server/same-bits`. */
const settings = {
  concurrency: fc.constantFrom(1, 2, 8),
  maxRunning: fc.constantFrom(1, 3, 32),
  maxRows: fc.constantFrom(1, 5, 17, 128),
  maxPages: fc.constantFrom(undefined, 0, 3, 1000),
  lookup: fc.boolean(),
};

describe('a random model of 60 tokens, with room for ten pages', () => {
  let model: Llama;
  /** The same, in memory that never held what the first one computed. */
  let loadedAgain: Llama;
  beforeAll(async () => {
    model = await loadTiny('wasm');
    loadedAgain = await loadTiny('wasm');
  });
  afterAll(async () => {
    await model.close();
    await loadedAgain.close();
  });

  const request: fc.Arbitrary<Request> = fc.record({
    /** Few beginnings, so that many have some pages in common; and periods, so that they repeat. */
    prompt: fc
      .tuple(
        fc.constantFrom(3, 5, 40),
        fc.constantFrom(1, 63, 64, 65, 150, 260),
        fc.constantFrom(0, 1, 2, 70),
      )
      .map(([period, length, end]) => [
        ...Array.from({ length }, (_, i) => 14 + (i % period)),
        ...Array<number>(end).fill(20 + (end % 7)),
      ]),
    options: fc
      .record({ ...kinds, maxNewTokens: fc.integer({ min: 1, max: 40 }) })
      .map(options => ({ ...options, badWordsIds: [[NAN_TOKEN]], stopTokenIds: [] })),
    cutAfter: fc.constantFrom(undefined, undefined, 1, 9),
  });

  /** What each is alone, in the order of `requests`. */
  async function aloneAll(requests: readonly Request[]): Promise<object[][]> {
    const said: object[][] = [];
    for (const one of requests) said.push(await alone(model, idsOnly(model.config), one));
    return said;
  }

  test('mixed requests in any company are what they are alone', async () => {
    const property = fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 10 }),
      fc.record(settings),
      async (requests, { concurrency, ...limits }) => {
        const process = new Process(model, idsOnly(model.config), limits);
        const times = [requests, requests.toReversed()];
        const [cold, warm] = await followIn(process, times, concurrency);
        const expected = await aloneAll(requests);
        expect(cold).toEqual(expected);
        expect(warm).toEqual(expected.toReversed());
      },
    );
    await fc.assert(property, { numRuns: 20 });
    expect(shortcuts.accepted).toBeGreaterThan(20);
    expect(shortcuts.reused).toBeGreaterThan(200);
  }, 300_000);

  test('and after a restart, from what was kept on the disk of these and of others', async () => {
    const property = fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: 6 }),
      fc.array(request, { maxLength: 6 }),
      fc.record({
        ...settings,
        maxPages: fc.constantFrom(0, 3, 1000),
        /** Room for three pages, and for all. */
        maxBytes: fc.constantFrom(40_000, 1e9, 1e9),
      }),
      (kept, others, { concurrency, maxBytes, ...limits }) =>
        withDirectory(async directory => {
          const ids = idsOnly(model.config);
          const all = { ...limits, disk: { directory, maxBytes } };
          const first = new Process(model, ids, all);
          const [cold] = await followIn(first, [kept], concurrency);
          expect(cold).toEqual(await aloneAll(kept));
          const second = new Process(loadedAgain, ids, all);
          const [restored] = await followIn(second, [[...others, ...kept]], concurrency);
          expect(restored).toEqual(await aloneAll([...others, ...kept]));
        }),
    );
    await fc.assert(property, { numRuns: 10 });
    expect(shortcuts.restored).toBeGreaterThan(3);
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
    'replies to held-out prompts, cold, warm, and after a restart: %j',
    async ({ concurrency, maxRows }) => {
      const { model, tokenizer } = loaded;
      // Whole pages, which are what is kept, are only in the longest.
      const replies = (await readGreedyReplies('tiny-32k'))
        .filter(({ promptTokens }) => promptTokens < 400)
        .sort((a, b) => b.promptTokens - a.promptTokens);
      const requests = replies.slice(0, 12).map(({ prompt }, i): Request => {
        const ids = tokenizer.encode(prompt, { bos: true, special: false });
        const sampled = i % 2 === 1 && { temperature: 0.8, seed: i };
        const scored = i % 3 === 0 && { promptLogprobs: 1 };
        const options = { maxNewTokens: 40, logprobs: 1, ...sampled, ...scored };
        return { prompt: ids, options, cutAfter: i % 5 === 4 ? 5 : undefined };
      });
      shortcuts.restored = 0;
      const [cold, warm, restored] = await withDirectory(async directory => {
        const disk = { directory, maxBytes: 1e9 };
        const start = () => new Process(model, tokenizer, { maxRows, maxPages: 20, disk });
        return [
          ...(await followIn(start(), [requests, requests], concurrency)),
          ...(await followIn(start(), [requests], concurrency)),
        ];
      });
      for (const [i, request] of requests.entries()) {
        const expected = await alone(model, tokenizer, request);
        expect(cold[i]).toEqual(expected);
        expect(warm[i]).toEqual(expected);
        expect(restored[i]).toEqual(expected);
      }
      expect(shortcuts.restored).toBeGreaterThan(0);
    },
    120_000,
  );
});
