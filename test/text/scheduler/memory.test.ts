/** Memory for keys and values runs out: the youngest text waits, and says the same later. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Llama } from '../../../src/model/llama.js';
import type { Sequence } from '../../../src/model/sequence.js';
import { generate } from '../../../src/text/generate.js';
import { idsOnly } from '../../../src/text/ids-only.js';
import type { PageStore } from '../../../src/text/prefix-cache/page-store.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import type { GenerationStep } from '../../../src/text/result.js';
import type { ScheduledOptions } from '../../../src/text/scheduler/options.js';
import { createScheduler } from '../../../src/text/scheduler/scheduler.js';
import { TokenSequence } from '../../../src/text/token-sequence.js';
import { loadTiny, NAN_TOKEN } from '../../support/tiny-model.js';

type Steps = AsyncGenerator<GenerationStep, void, undefined>;

async function tokensOf(steps: Steps): Promise<(number | undefined)[]> {
  const tokens = [];
  for await (const { token } of steps) tokens.push(token);
  return tokens;
}

/** Room for four pages of 64 positions. */
let model: Llama;
beforeAll(async () => {
  model = await loadTiny('wasm', 256);
});
afterAll(() => model.close());

const ids = () => idsOnly(model.config);
const prompt = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 14 + ((seed * 11 + i * 7) % 40));
const settings = (seed: number): ScheduledOptions => ({
  maxNewTokens: 60,
  temperature: 1,
  seed,
  badWordsIds: [[NAN_TOKEN]],
  stopTokenIds: [],
});

describe('four texts of three pages, and room for four pages', () => {
  test.each([false, true])('each says what it says alone; prefix cache: %s', async hasCache => {
    const prefixCache = hasCache ? new PrefixCache(model) : undefined;
    const scheduler = createScheduler(model, ids(), { maxRows: 16, prefixCache });
    const seeds = [1, 2, 3, 4];
    const together = await Promise.all(
      seeds.map(seed => tokensOf(scheduler.generate(prompt(100, seed), settings(seed)))),
    );
    prefixCache?.clear();
    for (const [i, seed] of seeds.entries()) {
      const alone = await tokensOf(generate(model, ids(), prompt(100, seed), settings(seed)));
      expect(together[i]).toEqual(alone);
    }
  });

  test('one whose consumer is slow gives back what it holds, and goes on later', async () => {
    const scheduler = createScheduler(model, ids(), { maxRows: 16 });
    const old = tokensOf(scheduler.generate(prompt(100, 1), settings(1)));
    const idle = scheduler.generate(prompt(60, 2), settings(2));
    const first = (await idle.next()).value as GenerationStep;
    expect(await old).toHaveLength(60);
    const rest = await tokensOf(idle);
    const alone = await tokensOf(generate(model, ids(), prompt(60, 2), settings(2)));
    expect([first.token, ...rest]).toEqual(alone);
  });

  test('prompts that are scored, and sequences of others, too', async () => {
    const scheduler = createScheduler(model, ids(), { maxRows: 16 });
    const sequence = new TokenSequence(model);
    const more = [{ promptLogprobs: 2, maxNewTokens: 10 }, { sequence }, {}];
    const together = await Promise.all(
      more.map(async (options, i) => {
        const steps = [];
        const own = { ...settings(i), ...options };
        for await (const step of scheduler.generate(prompt(120, i), own)) steps.push(step);
        if ('sequence' in options) sequence.dispose(); // what it holds is not the scheduler's
        return steps.at(-1)!.result!;
      }),
    );
    for (const [i, { tokens, promptLogprobs }] of together.entries()) {
      const { sequence: _, ...others } = more[i];
      const alone = [];
      for await (const step of generate(model, ids(), prompt(120, i), {
        ...settings(i),
        ...others,
      }))
        alone.push(step);
      const { result } = alone.at(-1)!;
      expect([tokens, promptLogprobs]).toEqual([result!.tokens, result!.promptLogprobs]);
    }
  });
});

test('what does not fit alone fails with OUT_OF_MEMORY, and nobody else does', async () => {
  const scheduler = createScheduler(model, ids(), { maxRows: 16 });
  const tooLong = tokensOf(scheduler.generate(prompt(300, 1), settings(1))).catch(
    error => error.code,
  );
  const short = tokensOf(scheduler.generate(prompt(20, 2), settings(2)));
  expect(await tooLong).toBe('OUT_OF_MEMORY');
  expect(await short).toEqual(await tokensOf(generate(model, ids(), prompt(20, 2), settings(2))));
});

test('the prefix cache gives its memory up before a text must wait', async () => {
  const prefixCache = new PrefixCache(model);
  const scheduler = createScheduler(model, ids(), { maxRows: 16, prefixCache });
  await tokensOf(scheduler.generate(prompt(180, 1), { ...settings(1), maxNewTokens: 2 }));
  expect(prefixCache.stats().pages).toBe(3);
  await tokensOf(scheduler.generate(prompt(180, 2), { ...settings(2), maxNewTokens: 2 }));
  expect(prefixCache.stats().evictedPages).toBeGreaterThan(0);
  prefixCache.clear();
});

test('a text that waits for its first row gives back what was known of it, too', async () => {
  const prefixCache = new PrefixCache(model);
  const scheduler = createScheduler(model, ids(), { maxRows: 1, prefixCache });
  const few = { ...settings(1), maxNewTokens: 2 };
  await tokensOf(scheduler.generate(prompt(130, 1), few));
  const said = await Promise.all(
    [prompt(190, 2), prompt(130, 1)].map(each => tokensOf(scheduler.generate(each, few))),
  );
  prefixCache.clear();
  expect(said[0]).toEqual(await tokensOf(generate(model, ids(), prompt(190, 2), few)));
  expect(said[1]).toEqual(await tokensOf(generate(model, ids(), prompt(130, 1), few)));
});

test.each([undefined, 0])(
  'a text waits for memory in which another is written; pages in memory: %j',
  async maxPages => {
    let written: Sequence | undefined;
    const store = {
      restore: async (sequence: Sequence, tokens: readonly number[]) =>
        tokens.slice(0, sequence.length),
      keep: (_: readonly number[], sequence: Sequence) => {
        written ??= sequence.fork();
      },
      dropWaiting: () => {},
      close: async () => {},
      flush: async () => {
        const isWriting = written !== undefined;
        await new Promise(resolve => setTimeout(resolve, 20));
        written?.dispose();
        written = undefined;
        return isWriting;
      },
      stats: () => ({}),
    } as unknown as PageStore;
    const prefixCache = new PrefixCache(model, { maxPages, store });
    const scheduler = createScheduler(model, ids(), { maxRows: 16, prefixCache });
    await tokensOf(scheduler.generate(prompt(180, 1), { ...settings(1), maxNewTokens: 2 }));
    expect(written).toBeDefined();
    const more = { ...settings(2), maxNewTokens: 10 };
    const said = await tokensOf(scheduler.generate(prompt(180, 2), more));
    await prefixCache.flush();
    prefixCache.clear();
    expect(said).toEqual(await tokensOf(generate(model, ids(), prompt(180, 2), more)));
  },
);
