/**
 * The same bits under load: 64 requests of mixed kinds, in any order and any number at a time, are
 * answered as each is alone, to the last bit of every log-probability. Whether the server has read
 * anything of their prompts before, has it still, or has it from a disk, and whether it looks
 * anything up, is no difference.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { ExactEngine } from '../../../src/engines/exact/exact-engine.js';
import { WasmEngine } from '../../../src/engines/wasm/wasm-engine.js';
import { DiskCache } from '../../../src/load/prefix-cache/disk-cache.js';
import { Llama } from '../../../src/model/llama.js';
import { PAGE_POSITIONS } from '../../../src/model/sequence.js';
import { createServer, type LlamaServer, type ServerSettings } from '../../../src/server/index.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import { randomCheckpoint } from '../../support/random-model.js';
import { tinyConfig } from '../../support/tiny-model.js';
import { Client, type Json, loaded } from '../support.js';
import { BackwardsEngine } from './backwards.js';
import { answersOf } from './company.js';
import { type Asked, mixedRequests, REQUESTS } from './requests.js';

const { tokenizer } = loaded;
/** Of the tokenizer's tokens the first ones only: log-probabilities of all are what takes time. */
const config = tinyConfig(512);
const checkpoint = randomCheckpoint(config);
const directory = await mkdtemp(join(tmpdir(), 'llama-32k-same-bits-'));
const models: Llama[] = [];
afterAll(async () => {
  for (const model of models) await model.close();
  await rm(directory, { recursive: true });
  await loaded.close();
});

/** With room for so many pages of all texts. */
async function load(pages: number): Promise<Llama> {
  const settings = { threads: 1, maxRows: 16, context: pages * PAGE_POSITIONS };
  models.push(new Llama(config, await WasmEngine.load(config, checkpoint, settings)));
  return models.at(-1)!;
}

type Limits = Pick<ServerSettings, 'lookup' | 'prefixCache' | 'store'>;
type Order = readonly number[];

/** What a new server of `model` answers in each of `orders`, one after the other. */
async function answersIn(
  model: Llama,
  requests: readonly Asked[],
  orders: readonly Order[],
  concurrency: number,
  limits: Limits,
): Promise<Json[][]> {
  const server = createServer({ model, tokenizer, ...limits });
  const answers: Json[][] = [];
  for (const order of orders) answers.push(await answersOf(server, requests, order, concurrency));
  shortcuts.accepted += await totalOf(server, 'lookup_accepted_tokens');
  shortcuts.known += await totalOf(server, 'prefix_cache_hits');
  await server.close();
  return answers;
}

async function alone(model: Llama, requests: readonly Asked[]): Promise<Json[]> {
  const limits = { lookup: false, prefixCache: false };
  return (await answersIn(model, requests, [[...requests.keys()]], 1, limits))[0];
}

/**
 * Tokens that were looked up and came, tokens of prompts that were not read again, pages that came
 * from the disk, and pages that were given up for other texts.
 */
const shortcuts = { accepted: 0, known: 0, restored: 0, evicted: 0 };

async function totalOf(server: LlamaServer, name: string): Promise<number> {
  const text = await (await new Client(server).get('/metrics')).text();
  return Number(new RegExp(`^l32k_${name}_total\\{[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1]);
}

const orders = fc.shuffledSubarray([...Array(REQUESTS).keys()], { minLength: REQUESTS });

/** One example has all that there is to find; a smaller one takes minutes, and tells no more. */
const ONCE = { numRuns: 1, endOnFailure: true };

describe(`${REQUESTS} mixed requests are answered as alone`, async () => {
  /** None has in its memory what another one computed. */
  const [first, restarted, cramped] = [await load(300), await load(300), await load(12)];
  const evict = vi.spyOn(PrefixCache.prototype, 'evict');
  afterAll(() => evict.mockRestore());

  /** By what is known of their prompts. */
  async function inCompany(
    requests: readonly Asked[],
    [cold, warm, again, evicting]: readonly Order[],
    concurrency: number,
    lookup: boolean,
  ): Promise<Record<string, Json[]>> {
    const disk = { directory: await mkdtemp(join(directory, 'cache-')), maxBytes: 1e9 };
    const identity = { pages: first.engine.describePages() };
    const [before, after] = [1, 2].map(() => new DiskCache({ ...disk, identity, model: 'tiny' }));
    const ask = (model: Llama, orders: Order[], store?: DiskCache) =>
      answersIn(model, requests, orders, concurrency, { lookup, store });
    const [nothing, all] = await ask(first, [cold, warm], before);
    const [onDisk] = await ask(restarted, [again], after);
    shortcuts.restored += after.stats().restoredPages;
    evict.mockClear();
    const [some] = await ask(cramped, [evicting]);
    for (const { value } of evict.mock.results) shortcuts.evicted += value;
    return { nothing, all, onDisk, some };
  }

  test.each([1, 2, 8, 32])('%i at a time', async concurrency => {
    const property = fc.asyncProperty(
      mixedRequests,
      fc.tuple(orders, orders, orders, orders),
      async (requests, orders) => {
        const expected = await alone(first, requests);
        for (const lookup of [true, false]) {
          const answers = await inCompany(requests, orders, concurrency, lookup);
          for (const [known, told] of Object.entries(answers))
            expect(told, `${known} is known, and lookup is ${lookup}`).toEqual(expected);
        }
      },
    );
    await fc.assert(property, ONCE);
  });

  test('though much was looked up, known, restored and given up', () => {
    expect(shortcuts.accepted).toBeGreaterThan(100);
    expect(shortcuts.known).toBeGreaterThan(10_000);
    expect(shortcuts.restored).toBeGreaterThan(20);
    expect(shortcuts.evicted).toBeGreaterThan(100);
  });
});

describe('an order of summation that depends on the company', () => {
  /** Of each kind two requests, alone and eight at a time: those that are told something else. */
  async function differing(engine: ExactEngine): Promise<Asked[]> {
    const model = new Llama(config, engine);
    const requests = fc.sample(mixedRequests, 1)[0].filter((_, i) => i % 4 === 0);
    const expected = await alone(model, requests);
    const order = [...requests.keys()];
    const [answers] = await answersIn(model, requests, [order], 8, { prefixCache: false });
    return requests.filter((_, i) => JSON.stringify(answers[i]) !== JSON.stringify(expected[i]));
  }

  test('shows in what is told', async () => {
    expect(await differing(new ExactEngine(config, checkpoint, { numerics: 'f32' }))).toEqual([]);
    const different = await differing(new BackwardsEngine(config, checkpoint));
    expect(different.length).toBeGreaterThan(3);
  });
});
