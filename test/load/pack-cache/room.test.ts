/** Packed weights take no more of a disk than they may, and a disk that refuses is no failure. */
import { mkdir, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { withPartial } from '../../../src/base/partial.js';
import { WRITE } from '../../../src/convert/written-disk.js';
import { makeRoom } from '../../../src/load/kept-files/room.js';
import { GQA, packCacheDirectory } from './support.js';

/** What the disk says, where a test does not ask the real one. */
const disk: { free?: number; failure?: string } = {};

vi.mock('../../../src/base/disk.js', async original => {
  const real = await original<typeof import('../../../src/base/disk.js')>();
  return {
    ...real,
    freeBytes: async (directory: string) => disk.free ?? real.freeBytes(directory),
    writeThrough: (path, chunks, purpose) => {
      const failing = async function* () {
        yield* chunks;
        if (disk.failure === undefined) return;
        throw Object.assign(new Error('no'), { code: disk.failure, syscall: 'write' });
      };
      return real.writeThrough(path, failing(), purpose);
    },
  } satisfies typeof real;
});

afterEach(() => {
  delete disk.free;
  delete disk.failure;
});

const { at, directory, load, names, theFile } = packCacheDirectory();

describe('room', () => {
  /** Files of 100 bytes: a.packed is the oldest. */
  async function keep(...files: string[]): Promise<void> {
    await mkdir(directory(), { recursive: true });
    for (const [i, name] of files.entries()) {
      await writeFile(join(directory(), `${name}.packed`), '');
      await truncate(join(directory(), `${name}.packed`), 100);
      await utimes(join(directory(), `${name}.packed`), 1e9 + i, 1e9 + i);
    }
  }
  const left = async () =>
    (await names())
      .sort()
      .map(name => name.replace('.packed', ''))
      .join('');
  const room = (bytes: number, maxBytes: number) =>
    makeRoom(directory(), '.packed', bytes, maxBytes);

  it.each([
    [100, 500, 'abcd'],
    [101, 500, 'bcd'],
    [200, 400, 'cd'],
    [301, 500, 'd'],
    [400, 400, ''],
  ])('for %i bytes among %i leaves %s', async (bytes, maxBytes, names) => {
    await keep('a', 'b', 'c', 'd');
    expect(await room(bytes, maxBytes)).toBeUndefined();
    expect(await left()).toBe(names);
  });

  it('is not there for more than all together; then nothing is removed', async () => {
    await keep('a', 'b');
    expect(await room(401, 400)).toContain('more than the 400 bytes that are allowed');
    expect(await left()).toBe('ab');
  });

  it.each([
    [1000, 100, 'abcd'],
    [200, 100, 'abcd'],
    [100, 100, 'bcd'],
    [0, 200, ''],
  ])('with %i bytes free, for %i: half of it stays free, %s', async (free, bytes, names) => {
    disk.free = free;
    await keep('a', 'b', 'c', 'd');
    expect(await room(bytes, 1000)).toBeUndefined();
    expect(await left()).toBe(names);
  });

  it('is not there where half of the disk would not stay free; nothing is removed', async () => {
    disk.free = 100;
    await keep('a', 'b');
    expect(await room(151, 1000)).toMatch(
      /more than half of the 100 bytes that are free in .*packed/,
    );
    expect(await left()).toBe('ab');
  });

  it('is not made by what is not ours', async () => {
    await keep('a');
    await writeFile(join(directory(), 'notes.txt'), 'mine');
    await mkdir(join(directory(), 'folder.packed'));
    expect(await room(100, 100)).toBeUndefined();
    expect((await names()).sort()).toEqual(['folder.packed', 'notes.txt']);
  });
});

it('what was read last stays; what was written first goes, if it was not', async () => {
  await load(GQA, { weights: 'q8_0' });
  const { size } = await stat(await theFile());
  await load(GQA, { weights: 'q4_0' });
  for (const name of await names()) await utimes(join(directory(), name), 1e9, 1e9);
  expect(await load(GQA, { weights: 'q8_0' })).toMatchObject({ wasPacked: false });
  const cached = { maxBytes: size * 1.8, version: '2' }; // one of q8_0 and one of q4_0
  await load(GQA, { weights: 'q4_0', cached });
  expect(await names()).toHaveLength(2);
  expect(await load(GQA, { weights: 'q8_0' })).toMatchObject({ wasPacked: false });
  expect(await load(GQA, { weights: 'q4_0', cached })).toMatchObject({ wasPacked: false });
});

describe('is packed and used, and a note says why it is not kept:', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a disk that is full', () => (disk.failure = 'ENOSPC'), /the disk is full.*LLAMA_32K_CACHE/],
    ['a quota', () => (disk.failure = 'EDQUOT'), /the disk is full/],
    ['a broken disk', () => (disk.failure = 'EIO'), /cannot write .*packed/],
    ['a disk that is nearly full', () => (disk.free = 1000), /more than half of the 1\.00 kB/],
    ['a file in the way', () => writeFile(at('packed'), 'mine'), /cannot write .*packed/],
  ])('%s', async (_, happen, why) => {
    const { bits } = await load(GQA, { cached: false });
    await happen();
    const loaded = await load(GQA);
    expect(loaded).toMatchObject({ bits, wasPacked: true });
    expect(loaded.notes).toEqual([expect.stringMatching(/^\d.* of packed weights are not kept: /)]);
    expect(loaded.notes[0]).toMatch(why);
    expect(await names()).toEqual([]);
  });

  it('too small a limit', async () => {
    const { notes } = await load(GQA, { cached: { maxBytes: 1000 } });
    expect(notes).toEqual([expect.stringContaining('more than the 1.00 kB that are allowed')]);
    expect(await names()).toEqual([]);
  });
});

it('of a small model nothing is kept, and nothing said', async () => {
  const identify = vi.fn();
  const change = (checkpoint: object) => ({ ...checkpoint, identify });
  const loaded = await load(GQA, { cached: { minBytes: 1e9 }, change: change as never });
  expect(loaded).toMatchObject({ wasPacked: true, notes: [] });
  expect(identify).not.toHaveBeenCalled();
  expect(await names()).toEqual([]);
});

describe('what a process that was killed left', () => {
  const leftovers = async () => (await names()).filter(name => name.startsWith('.'));

  it('is removed by the next that writes', async () => {
    await mkdir(directory());
    const left = await withPartial(directory(), '', WRITE, async partial => {
      const dead = partial.replace(/-\d+-(\w+)$/, '-4194305-$1'); // above any process
      await mkdir(dead);
      await writeFile(join(dead, 'weights'), 'half');
      return basename(dead);
    });
    expect(await leftovers()).toEqual([left]);
    await load(GQA);
    expect(await leftovers()).toEqual([]);
  });

  it('on another machine is removed after a day', async () => {
    const [old, young] = ['.partial-0123abcd-1-abcdef', '.partial-0123abcd-2-abcdef'];
    for (const name of [old, young]) await mkdir(at('packed', name), { recursive: true });
    const [yesterday, today] = [25, 23].map(hours => Date.now() / 1000 - 3600 * hours);
    await utimes(at('packed', old), yesterday, yesterday);
    await utimes(at('packed', young), today, today);
    await load(GQA);
    expect(await leftovers()).toEqual([young]);
  });
});
