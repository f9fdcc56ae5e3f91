/** Texts that begin alike are read once: one after the other, and at the same time. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Llama } from '../../../src/model/llama.js';
import { idsOnly } from '../../../src/text/ids-only.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import type { GenerationResult } from '../../../src/text/result.js';
import type { ScheduledOptions } from '../../../src/text/scheduler/options.js';
import type { KnownTexts } from '../../../src/text/scheduler/prefixes.js';
import { createScheduler, type Scheduler } from '../../../src/text/scheduler/scheduler.js';
import { loadTiny, NAN_TOKEN } from '../../support/tiny-model.js';

let model: Llama;
beforeAll(async () => {
  model = await loadTiny('exact');
});
afterAll(() => model.close());

const DOCUMENT = Array.from({ length: 200 }, (_, i) => 14 + ((i * 7) % 40));
const ask = (question: number) => [...DOCUMENT, question, question + 1];

/** Rows that were computed so far. */
let rows = 0;
let scheduler: Scheduler;
beforeEach(() => {
  rows = 0;
  const { config } = model;
  const counted = {
    config,
    createSequence: () => model.createSequence(),
    forward: model.forward.bind(model),
    forwardBatch: (...[given, options]: Parameters<Llama['forwardBatch']>) => {
      rows += given.length;
      return model.forwardBatch(given, options);
    },
  } as unknown as Llama;
  const prefixCache = new PrefixCache(model);
  scheduler = createScheduler(counted, idsOnly(config), { maxRows: 32, prefixCache });
});

async function write(prompt: number[], options: ScheduledOptions = {}): Promise<GenerationResult> {
  const all = { maxNewTokens: 1, badWordsIds: [[NAN_TOKEN]], ...options };
  let result: GenerationResult | undefined;
  for await (const step of scheduler.generate(prompt, all)) result = step.result;
  return result!;
}

test('a second question about a document computes the question only', async () => {
  expect((await write(ask(20))).reusedTokens).toBe(0);
  expect(rows).toBe(202);
  expect((await write(ask(20))).reusedTokens).toBe(201);
  expect((await write(ask(30))).reusedTokens).toBe(200);
  expect(rows).toBe(202 + 1 + 2);
});

test('five questions at the same time read it once, in whole pages', async () => {
  const results = await Promise.all([20, 22, 24, 26, 28].map(question => write(ask(question))));
  const reused = results.map(({ reusedTokens }) => reusedTokens);
  expect(reused[0]).toBe(0);
  expect(Math.min(...reused.slice(1))).toBe(192);
  expect(rows).toBe(5 * 202 - reused.reduce((a, b) => a + b));
});

test('who waits for one that is cancelled goes on from what that has read', async () => {
  const aborter = new AbortController();
  const onProgress = ({ done }: { done: number }) => {
    if (done >= 128) aborter.abort('enough');
  };
  const first = write(ask(20), { signal: aborter.signal, onProgress });
  const second = write(ask(30));
  await expect(first).rejects.toBe('enough');
  expect((await second).reusedTokens).toBe(64); // the chunk in which it was cancelled is lost
});

test('salts keep them apart, and prompts that are scored are computed', async () => {
  await write(ask(20), { cacheSalt: 'a' });
  expect((await write(ask(20), { cacheSalt: 'b' })).reusedTokens).toBe(0);
  expect((await write(ask(20), { cacheSalt: 'a' })).reusedTokens).toBe(201);
  expect((await write(ask(20), { cacheSalt: 'a', promptLogprobs: 0 })).reusedTokens).toBe(0);
});

test('what a text said is kept, too: the next turn of a conversation has it', async () => {
  const { tokens } = await write(ask(20), { maxNewTokens: 30, stopTokenIds: [] });
  const turn = [...ask(20), ...tokens, 40, 41];
  expect((await write(turn)).reusedTokens).toBe(202 + 29);
});

test('what outlives memory gets a text once, in however many chunks it is read', async () => {
  const kept: number[] = [];
  const known = new PrefixCache(model);
  const prefixCache = {
    take: (tokens: readonly number[], salt: string) => known.take(tokens, salt),
    share: (...given: Parameters<PrefixCache['share']>) => known.share(...given),
    keep: (...given: Parameters<PrefixCache['keep']>) => {
      kept.push(given[0].length);
      known.keep(...given);
    },
    evict: (pages: number) => known.evict(pages),
    flush: () => known.flush(),
  } as KnownTexts;
  scheduler = createScheduler(model, idsOnly(model.config), { maxRows: 32, prefixCache });
  await write(ask(20));
  expect(kept).toEqual([202]);
});
