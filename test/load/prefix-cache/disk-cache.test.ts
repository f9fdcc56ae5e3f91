/**
 * Pages on a disk: what a process kept the next one finds, with the same bytes; nothing damaged,
 * foreign or of another model is ever believed; and the directory has no more than it may.
 */
import { cp, mkdir, readdir, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheDirectory, flip, range } from './support.js';

const { directory, start, names, theFile } = cacheDirectory();

const commonLength = (a: readonly number[], b: readonly number[]) => {
  const differs = a.findIndex((token, i) => token !== b[i]);
  return differs === -1 ? a.length : differs;
};

describe('after a restart', () => {
  it('whole pages of a text are there', async () => {
    const tokens = range(0, 300);
    expect(await start().run(tokens)).toBe(0);
    expect(await names()).toHaveLength(1);
    const next = start();
    expect(await next.ask([...tokens, 1])).toBe(256);
    expect(next.disk.stats()).toMatchObject({ restoredPages: 4, restoredBytes: 1024 });
    expect(next.texts.pagesInUse).toBe(4);
    expect(await next.ask([...tokens, 1])).toBe(256); // from memory
    expect(next.disk.stats().restoredPages).toBe(4);
    expect(next.warnings).toEqual([]);
  });

  it.each([
    ['ends within its pages', range(0, 200), 199],
    ['ends where a page does', range(0, 128), 127],
    ['leaves it within a page', [...range(0, 150), ...range(1000, 1100)], 150],
    ['leaves it within its first page', [...range(0, 40), ...range(1000, 1100)], 0],
    ['goes on', [...range(0, 256), ...range(1000, 1100)], 256],
    ['is shorter than a page', range(0, 50), 0],
  ])('a text that %s', async (_, tokens, length) => {
    await start().run(range(0, 300));
    expect(await start().ask(tokens)).toBe(length);
  });

  it('a text that goes on from another is in a file of its own, and needs both', async () => {
    const process = start();
    await process.run(range(0, 300));
    await process.run(range(0, 700));
    await process.run([...range(0, 400), ...range(5000, 5400)]);
    expect(await names()).toHaveLength(3);
    const next = start();
    expect(await next.ask([...range(0, 700), 1])).toBe(640);
    expect(await start().ask([...range(0, 400), ...range(5000, 5400), 1])).toBe(768);
    await next.run(range(0, 700));
    expect(await names()).toHaveLength(3); // nothing is written twice
  });

  it('memory has one part, and the disk the rest', async () => {
    await start().run(range(0, 640));
    const next = start();
    await next.run([...range(0, 100)]);
    expect(await next.ask([...range(0, 640), 1])).toBe(640);
    expect(next.texts.pagesInUse).toBe(10);
    const third = start();
    await third.run(range(0, 640));
    third.cache.evict(4);
    expect(await third.ask([...range(0, 640), 1])).toBe(640);
    expect(third.disk.stats().restoredPages).toBe(10 + 4);
  });

  it.each([
    ['another salt', {}, 'b'],
    ['no salt', {}, ''],
    ['other weights', { identity: { weights: 'b' } }, 'a'],
    ['other numerics', { identity: { weights: 'a', cache: 'f16' } }, 'a'],
  ])('%s: nothing is found', async (_, settings, salt) => {
    await start().run(range(0, 300), 'a');
    expect(await start(settings).ask(range(0, 300), salt)).toBe(0);
    expect(await start().ask(range(0, 300), 'a')).toBe(299 - 43);
  });

  it('any texts: as much is found as there is in whole pages, and all of it is right', async () => {
    const part = fc
      .tuple(fc.constantFrom(1, 33, 64, 65, 127, 128), fc.nat(2))
      .map(([length, token]) => new Array<number>(length).fill(token));
    const text = fc.array(part, { minLength: 1, maxLength: 4 }).map(parts => parts.flat());
    const restart = fc.tuple(fc.array(text, { minLength: 1, maxLength: 3 }), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(restart, { minLength: 1, maxLength: 4 }), async restarts => {
        const own = join(directory(), String(Math.random()));
        const kept: number[][] = [];
        for (const [texts] of restarts) {
          const process = start({ directory: own });
          for (const tokens of texts) {
            const length = await process.run(tokens);
            const whole = kept.map(each => {
              const common = commonLength(tokens.slice(0, -1), each);
              return common - (common % 64);
            });
            expect(length).toBeGreaterThanOrEqual(Math.max(0, ...whole));
            kept.push(tokens);
          }
          expect(process.warnings).toEqual([]);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('a file that is not what was written', () => {
  const kinds: Record<string, (file: string, bytes: number) => Promise<unknown>> = {
    'cut short by a byte': (file, bytes) => truncate(file, bytes - 1),
    'cut short by half': (file, bytes) => truncate(file, Math.floor(bytes / 2)),
    'shorter than its head': file => truncate(file, 100),
    'that is empty': file => truncate(file, 0),
    'with a byte more': (file, bytes) => truncate(file, bytes + 1),
    'of another program': (file, bytes) => writeFile(file, Buffer.alloc(bytes, 'x')),
    'of zeros, as after a power failure': (file, bytes) => writeFile(file, Buffer.alloc(bytes)),
    'of another version of its form': file => flip(file, 16),
    'that says it has a billion tokens': file => flip(file, 23),
    'with another bit in a page': (file, bytes) => flip(file, bytes - 300),
    'of another text, under its name': async file => {
      await start({ directory: `${directory()}-2` }).run(range(7, 307));
      const [other] = await readdir(`${directory()}-2`);
      await cp(join(`${directory()}-2`, other), file);
    },
    'of the same text and another model, under its name': async file => {
      const identity = { weights: 'b' };
      await start({ directory: `${directory()}-2`, identity }).run(range(0, 300));
      const [other] = await readdir(`${directory()}-2`);
      await cp(join(`${directory()}-2`, other), file);
    },
  };

  it.each(Object.entries(kinds))(
    '%s, is told once, removed and written anew',
    async (_, damage) => {
      await start().run(range(0, 300));
      const file = await theFile();
      const whole = await readFile(file);
      await damage(file, whole.length);
      const next = start();
      expect(await next.ask(range(0, 300))).toBe(0);
      expect(next.warnings).toEqual([
        expect.stringMatching(/\.pages .*; it was removed, and what it had is computed again$/),
      ]);
      expect(next.warnings[0]).toContain(basename(file));
      expect(next.disk.stats().ignoredFiles).toBe(1);
      expect(next.texts.pagesInUse).toBe(0);
      expect(await names()).toEqual([]);
      await next.run(range(0, 300));
      expect((await readFile(await theFile())).equals(whole)).toBe(true);
      expect(next.warnings).toHaveLength(1);
    },
  );

  it('with a bit flipped, anywhere', async () => {
    await start().run(range(0, 300));
    const file = await theFile();
    const whole = await readFile(file);
    const last = whole.length - 1;
    const anywhere = fc.oneof(fc.constantFrom(0, 16, 31, 32, 95, 96, 4096, last), fc.nat(last));
    await fc.assert(
      fc.asyncProperty(anywhere, fc.nat(7), async (byte, bit) => {
        const damaged = Buffer.from(whole);
        damaged[byte] ^= 1 << bit;
        await writeFile(file, damaged);
        const next = start();
        expect(await next.ask(range(0, 300))).toBe(0);
        expect(next.warnings).toHaveLength(1);
        expect(await names()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('in the middle of a text ends what is found there; what is before is right', async () => {
    const tokens = range(0, 64 * 60);
    await start({ maxBytes: 40_000 }).run(tokens);
    const files = await names();
    const length = await start().ask(tokens);
    for (const name of files) {
      const file = join(directory(), name);
      const whole = await readFile(file);
      await flip(file, whole.length - 300);
      const next = start();
      const found = await next.ask(tokens);
      expect(found).toBeLessThan(length);
      expect(next.warnings).toHaveLength(1);
      expect(next.texts.pagesInUse).toBe(Math.ceil(found / 64));
      await writeFile(file, whole);
    }
    expect(await start().ask(tokens)).toBe(length);
  });

  it('that cannot be removed is told of once', async () => {
    await start().run(range(0, 300));
    const file = await theFile();
    await rename(file, `${file}.away`);
    await mkdir(join(file, 'mine'), { recursive: true });
    const next = start();
    for (let i = 0; i < 3; i++) expect(await next.ask(range(0, 300))).toBe(0);
    expect(next.warnings).toEqual([expect.stringContaining('it is ignored')]);
  });
});

describe('no more than it may', () => {
  /** Ten pages of a text of its own; 7 kB. */
  const text = (i: number) => range(10_000 * i, 10_000 * i + 640);

  it('what was used longest ago goes', async () => {
    const process = start({ maxBytes: 8 * 7000 });
    for (let i = 0; i < 4; i++) await process.run(text(i));
    const sizes = async () =>
      Promise.all((await names()).map(async name => (await stat(join(directory(), name))).size));
    const total = async () => (await sizes()).reduce((a, b) => a + b, 0);
    for (let i = 4; i < 12; i++) {
      expect(await start().ask(text(0))).toBe(639); // is used all the time
      await new Promise(resolve => setTimeout(resolve, 20));
      await process.run(text(i));
      expect(await total()).toBeLessThanOrEqual(8 * 7000);
    }
    expect(await start().ask(text(1))).toBe(0);
    expect(await start().ask(text(11))).toBe(639);
  });

  it('of a text that is longer than that, its beginning', async () => {
    const process = start({ maxBytes: 30_000 });
    await process.run(range(0, 64 * 100));
    const length = await start().ask(range(0, 64 * 100));
    expect(length).toBeGreaterThan(64 * 20);
    expect(length).toBeLessThan(64 * 99);
    expect(process.warnings).toEqual([]);
  });

  it('of a long text its end goes before its beginning', async () => {
    const process = start({ maxBytes: 60_000 });
    await process.run(range(0, 64 * 100));
    const before = await start().ask(range(0, 64 * 100));
    for (let i = 1; i < 4; i++) await process.run(text(i));
    const after = await start().ask(range(0, 64 * 100));
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThan(before);
  });

  it('a directory that cannot be written is told of once, and nothing else changes', async () => {
    await writeFile(directory(), 'mine');
    const process = start();
    for (let i = 0; i < 3; i++) await process.run(text(i));
    expect(process.warnings).toEqual([
      expect.stringMatching(/^pages are not kept on the disk: cannot write .*prefixes/),
    ]);
    expect(await process.ask(text(1))).toBe(639);
  });
});
