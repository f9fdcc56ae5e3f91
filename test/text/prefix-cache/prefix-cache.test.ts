/**
 * The prefix cache against a list of all texts that were kept: what is found, what it holds, what
 * it costs, and that all of it comes back.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WasmSequence } from '../../../src/engines/wasm/memory/paged-sequence.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import { PagedTexts } from '../../support/paged-texts.js';

const PAGE = 64;

/** Texts that begin alike: of few parts, whose lengths are awkward, and a few tokens. */
const part = fc
  .tuple(fc.constantFrom(1, 3, 31, 33, 63, 64, 65, 127, 128, 150), fc.nat(2))
  .map(([length, token]) => new Array<number>(length).fill(token));
const text = fc.array(part, { maxLength: 4 }).map(parts => parts.flat());

interface Use {
  readonly tokens: readonly number[];
  readonly salt: string;
  /** Whether it goes on running while others come and go. */
  readonly stays: boolean;
}
const use: fc.Arbitrary<Use> = fc.record({
  tokens: text,
  salt: fc.constantFrom('', 'a'),
  stays: fc.boolean(),
});

const commonLength = (a: readonly number[], b: readonly number[]) => {
  const differs = a.findIndex((token, i) => token !== b[i]);
  return differs === -1 ? a.length : differs;
};

/** All that was kept, as it was. */
class NaiveCache {
  readonly texts: { readonly tokens: readonly number[]; readonly salt: string }[] = [];

  longest(tokens: readonly number[], salt: string): number {
    const own = this.texts.filter(kept => kept.salt === salt);
    return Math.max(0, ...own.map(kept => commonLength(tokens.slice(0, -1), kept.tokens)));
  }

  /** Distinct pages with all that is before them, but for those that another goes on from. */
  get pages(): number {
    const keys = this.texts.flatMap(({ tokens, salt }) =>
      Array.from({ length: Math.ceil(tokens.length / PAGE) }, (_, i) => {
        const page = tokens.slice(i * PAGE, (i + 1) * PAGE);
        return { before: `${salt}:${tokens.slice(0, i * PAGE)}`, page: `${page},` };
      }),
    );
    const distinct = new Map(keys.map(key => [`${key.before}|${key.page}`, key]));
    const all = [...distinct.values()];
    const isPart = (a: (typeof all)[0]) =>
      all.some(b => a !== b && a.before === b.before && b.page.startsWith(a.page));
    return all.filter(key => !isPart(key)).length;
  }
}

/** One text: takes what there is, computes the rest, is kept. */
async function run(
  texts: PagedTexts,
  cache: PrefixCache,
  { tokens, salt }: Use,
): Promise<{ sequence: WasmSequence; length: number }> {
  const { sequence, length } = await cache.take(tokens, salt);
  const own = sequence as WasmSequence;
  expect(texts.read(own)).toEqual(tokens.slice(0, length));
  texts.compute(own, tokens);
  cache.keep(tokens, own, salt);
  expect(texts.read(own)).toEqual(tokens);
  return { sequence: own, length };
}

describe('against a list of all texts that were kept', () => {
  it('the longest common beginning is found, and every page is in memory once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(use, { maxLength: 12 }), async uses => {
        const texts = new PagedTexts(400);
        const [cache, naive] = [new PrefixCache(texts), new NaiveCache()];
        for (const each of uses) {
          const { sequence, length } = await run(texts, cache, each);
          expect(length).toBe(naive.longest(each.tokens, each.salt));
          naive.texts.push(each);
          sequence.dispose();
          const pages = naive.pages;
          expect(cache.stats()).toMatchObject({ pages, bytes: 256 * pages });
          expect(texts.pagesInUse).toBe(pages);
        }
        cache.clear();
        expect(texts.pagesInUse).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('with few pages and texts that stay, what is found is right and the bound holds', async () => {
    const step = fc.record({ use, evict: fc.nat(3), ends: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), fc.nat(6), async (steps, maxPages) => {
        const texts = new PagedTexts(400);
        const [cache, naive] = [new PrefixCache(texts, { maxPages }), new NaiveCache()];
        const running: { sequence: WasmSequence; tokens: readonly number[] }[] = [];
        for (const { use: each, evict, ends } of steps) {
          const { sequence, length } = await run(texts, cache, each);
          expect(length).toBeLessThanOrEqual(naive.longest(each.tokens, each.salt));
          naive.texts.push(each);
          if (each.stays) running.push({ sequence, tokens: each.tokens });
          else sequence.dispose();
          for (const ended of running.splice(ends, 1)) ended.sequence.dispose();

          const before = texts.pagesInUse;
          const evicted = cache.evict(evict);
          expect(before - texts.pagesInUse).toBe(evicted);
          expect(cache.stats().pages).toBeLessThanOrEqual(maxPages);
          for (const { sequence: still, tokens } of running)
            expect(texts.read(still)).toEqual(tokens);
        }
        for (const { sequence } of running) sequence.dispose();
        expect(texts.pagesInUse).toBe(cache.stats().pages);
        cache.clear();
        expect(texts.pagesInUse).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

const sequenceOf = (texts: PagedTexts, tokens: readonly number[]) => {
  const sequence = texts.createSequence();
  texts.compute(sequence, tokens);
  return sequence;
};
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('what goes first', () => {
  it('is what was used longest ago, from its end', async () => {
    const texts = new PagedTexts();
    const cache = new PrefixCache(texts);
    const [a, b, c] = [range(0, 192), range(1000, 1128), range(2000, 2064)];
    for (const tokens of [a, b, c]) {
      const sequence = sequenceOf(texts, tokens);
      cache.keep(tokens, sequence);
      sequence.dispose();
    }
    const lengths = async () => {
      const taken = await Promise.all([a, b, c].map(tokens => cache.take([...tokens, 1])));
      for (const { sequence } of taken) sequence.dispose();
      return taken.map(({ length }) => length);
    };
    (await cache.take(a.slice(0, 70))).sequence.dispose(); // its first two pages
    expect(cache.evict(1)).toBe(1);
    expect(await lengths()).toEqual([128, 128, 64]);
    (await cache.take([...a, 1])).sequence.dispose();
    expect(cache.evict(3)).toBe(3);
    expect(await lengths()).toEqual([128, 0, 0]);
  });

  it('is never what a running text shares', async () => {
    const texts = new PagedTexts();
    const cache = new PrefixCache(texts);
    const [a, b] = [range(0, 192), range(1000, 1064)];
    for (const tokens of [a, b]) {
      const sequence = sequenceOf(texts, tokens);
      cache.keep(tokens, sequence);
      sequence.dispose();
    }
    const { sequence } = await cache.take([...a, 1]);
    (await cache.take([...b, 1])).sequence.dispose();
    expect(cache.evict(Infinity)).toBe(1); // b, though it was used last
    expect(cache.stats()).toMatchObject({ pages: 3, evictedPages: 1 });
    sequence.dispose();
    expect(cache.evict(Infinity)).toBe(3);
    expect(texts.pagesInUse).toBe(0);
  });
});

it('two texts that were computed apart and begin alike share their pages once kept', () => {
  const texts = new PagedTexts();
  const cache = new PrefixCache(texts);
  const [a, b] = [sequenceOf(texts, range(0, 200)), sequenceOf(texts, range(0, 256))];
  cache.keep(range(0, 200), a);
  cache.keep(range(0, 256), b);
  for (const sequence of [a, b]) sequence.dispose();
  expect(texts.pagesInUse).toBe(4);
  expect(cache.stats().pages).toBe(4);
});

it('keeps of a text what its sequence has, which may be less', async () => {
  const texts = new PagedTexts();
  const cache = new PrefixCache(texts);
  const sequence = sequenceOf(texts, range(0, 70));
  cache.keep(range(0, 80), sequence);
  expect((await cache.take(range(0, 80))).length).toBe(70);
});

it('counts what was asked for and what was there', async () => {
  const texts = new PagedTexts();
  const cache = new PrefixCache(texts);
  for (const tokens of [range(0, 101), range(0, 101), range(500, 511)]) {
    const { sequence } = await run(texts, cache, { tokens, salt: '', stays: false });
    sequence.dispose();
  }
  expect(cache.stats()).toEqual({
    queries: 3,
    hits: 1,
    queriedTokens: 210,
    reusedTokens: 100,
    pages: 3,
    bytes: 768,
    evictedPages: 0,
  });
});

it.each([{ maxPages: -1 }, { maxPages: 1.5 }, { pages: 3 }])('refuses %j', options => {
  expect(() => new PrefixCache(new PagedTexts(), options as object)).toThrow(
    expect.objectContaining({ code: 'BAD_OPTION' }),
  );
});
