/** How many texts there may be, whose turn it is, and how a scheduler ends. */
import { describe, expect, test } from 'vitest';
import type { GenerationStep } from '../../../src/text/result.js';
import { createScheduler, type Scheduler } from '../../../src/text/scheduler/scheduler.js';
import { babbling, byteTokenizer } from '../../support/fake-model.js';
import { table, watch } from './watch.js';

type Steps = AsyncGenerator<GenerationStep, void, undefined>;

async function collect(steps: Steps): Promise<GenerationStep[]> {
  const all: GenerationStep[] = [];
  for await (const step of steps) all.push(step);
  return all;
}
const endOf = (steps: Steps): Promise<unknown> =>
  collect(steps).then(
    () => 'ended',
    error => error.code ?? error,
  );
const turn = () => new Promise<void>(resolve => setImmediate(resolve));

const idsOf = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 3 + ((seed * 13 + i * 37) % 250));

const ONE = { maxNewTokens: 1 };

describe('a bounded queue', () => {
  const limits = { maxRunning: 2, maxQueue: 1 };

  test('runs so many, lets so many wait, and refuses the next at once', async () => {
    const scheduler = createScheduler(babbling(), byteTokenizer, limits);
    const texts = [1, 2, 3].map(seed => collect(scheduler.generate(idsOf(3, seed))));
    expect([scheduler.running, scheduler.waiting]).toEqual([2, 1]);
    expect(() => scheduler.generate(idsOf(3, 4))).toThrow(
      expect.objectContaining({ code: 'QUEUE_FULL', message: expect.stringMatching(/2.*1.*2.*1/) }),
    );
    await Promise.all(texts);
    expect([scheduler.running, scheduler.waiting]).toEqual([0, 0]);
    expect(await collect(scheduler.generate(idsOf(3, 4), ONE))).toHaveLength(1);
  });

  test('a text takes its place when asked for, and gives it back however it ends', async () => {
    const scheduler = createScheduler(babbling(), byteTokenizer, limits);
    const late = scheduler.generate(idsOf(3, 9)); // nobody asks yet
    const [first, second, third] = [1, 2, 3].map(seed => scheduler.generate(idsOf(3, seed)));
    await Promise.all([first.next(), second.next()]);
    const aborter = new AbortController();
    const waiting = endOf(scheduler.generate(idsOf(3, 5), { signal: aborter.signal }));
    expect([scheduler.running, scheduler.waiting]).toEqual([2, 1]);
    expect(await endOf(late)).toBe('QUEUE_FULL');
    aborter.abort('enough');
    expect(await waiting).toBe('enough');
    expect(scheduler.waiting).toBe(0);
    await first.return();
    expect(await endOf(third)).toBe('ended');
    await second.return();
    expect(scheduler.running).toBe(0);
  });

  test('the time in it is told, and is none for the one that runs at once', async () => {
    const scheduler = createScheduler(babbling(), byteTokenizer, { maxRunning: 1 });
    const texts = [1, 2].map(seed => collect(scheduler.generate(idsOf(3, seed))));
    const [first, second] = await Promise.all(texts);
    const queued = (steps: GenerationStep[]) => steps.at(-1)!.result!.timings.queueSeconds;
    expect(queued(first)).toBeLessThan(0.001);
    expect(queued(second)).toBeGreaterThan(queued(first));
  });
});

describe('users', () => {
  test('one with ten texts does not push out one with one', async () => {
    const scheduler = createScheduler(babbling(), byteTokenizer, { maxRunning: 2 });
    const ended: string[] = [];
    const write = async (user: string, seed: number) => {
      await collect(scheduler.generate(idsOf(3, seed), { maxNewTokens: 4, user }));
      ended.push(user);
    };
    const many = Array.from({ length: 10 }, (_, i) => write('many', i));
    await Promise.all([...many, write('one', 11)]);
    // after the two that ran when it came, and perhaps one that ends in the same pass
    expect(ended.indexOf('one')).toBeLessThanOrEqual(3);
  });

  test('prompts of different users take turns by the chunk; those of one do not', async () => {
    const model = babbling();
    const passes = watch(model);
    const scheduler = createScheduler(model, byteTokenizer, { maxRows: 4 });
    const texts = ['a', 'a', 'b', 'c'].map((user, i) =>
      collect(scheduler.generate(idsOf(8, i), { ...ONE, user })),
    );
    await Promise.all(texts);
    expect(table(passes)).toEqual(['0: 4', '2: 4', '3: 4', '0: 4', '2: 4', '3: 4', '1: 4', '1: 4']);
  });

  test('small chunks of all of them share a pass', async () => {
    const model = babbling();
    const passes = watch(model);
    const scheduler = createScheduler(model, byteTokenizer, { maxRows: 6 });
    const texts = ['a', 'a', 'b'].map((user, i) =>
      collect(scheduler.generate(idsOf(4, i), { ...ONE, user, chunkSize: 2 })),
    );
    await Promise.all(texts);
    expect(table(passes)).toEqual(['0: 2, 2: 2, 1: 2', '0: 2, 2: 2, 1: 2']);
  });
});

describe('the end', () => {
  async function begun(scheduler: Scheduler) {
    const texts = [1, 2, 3].map(seed => endOf(scheduler.generate(idsOf(3, seed))));
    const idle = scheduler.generate(idsOf(3, 4));
    await idle.next();
    return { texts, idle };
  }

  test('drain refuses new texts and waits for all that are there, the queued too', async () => {
    const scheduler = createScheduler(babbling(), byteTokenizer, { maxRunning: 2 });
    const texts = [1, 2, 3].map(seed => endOf(scheduler.generate(idsOf(3, seed))));
    let isDrained = false;
    const drained = scheduler.drain().then(() => {
      isDrained = true;
    });
    expect(() => scheduler.generate(idsOf(3, 4))).toThrow(
      expect.objectContaining({ code: 'DISPOSED' }),
    );
    await turn();
    expect(isDrained).toBe(false);
    expect(await Promise.all(texts)).toEqual(['ended', 'ended', 'ended']);
    await drained;
    await createScheduler(babbling(), byteTokenizer).drain(); // of nothing, at once
  });

  test('close ends all with DISPOSED: running, queued, and of slow consumers', async () => {
    const model = babbling();
    const scheduler = createScheduler(model, byteTokenizer, { maxRunning: 4 });
    const { texts, idle } = await begun(scheduler);
    const queued = endOf(scheduler.generate(idsOf(3, 5)));
    scheduler.close();
    expect(await Promise.all([...texts, queued])).toEqual(Array(4).fill('DISPOSED'));
    expect(await endOf(idle)).toBe('DISPOSED');
    await scheduler.drain();
    expect(model.sequences.every(({ disposed }) => disposed)).toBe(true);
  });
});

test.each([{ maxQueue: -1 }, { maxRunning: 0 }, { prefixCache: {} }, { lookup: 'off' }])(
  'options out of range: %j',
  options => {
    expect(() => createScheduler(babbling(), byteTokenizer, options as object)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' }),
    );
  },
);
