import { existsSync } from 'node:fs';
import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sizeOf } from '../../src/hub/cache-disk.js';
import type { DownloadProgress } from '../../src/hub/download-model.js';
import { withLock } from '../../src/hub/lock.js';
import {
  emptyDirectory,
  holds,
  MODEL_FILES,
  NEEDED,
  noise,
  refusal,
  Setting,
  until,
  WEIGHTS,
} from './support.js';

const PATH = 'model.safetensors';
const rangeOf = (setting: Setting) => setting.hub.downloads(PATH).map(({ range }) => range);

async function begun(bytes: Buffer): Promise<Setting> {
  const setting = await Setting.create();
  await mkdir(dirname(setting.incomplete(PATH)), { recursive: true });
  await writeFile(setting.incomplete(PATH), bytes);
  return setting;
}

describe('a download that was interrupted', () => {
  it('asks for the rest only', async () => {
    await using setting = await begun(WEIGHTS.subarray(0, 123_456));
    await setting.download();
    expect(rangeOf(setting)).toEqual(['bytes=123456-']);
    // Bytes 123456 to the end of the file, not of a compressed form of it.
    expect(new Set(setting.hub.asked.map(({ encoding }) => encoding))).toEqual(
      new Set(['identity']),
    );
    expect(setting.hub.sent(PATH)).toBe(WEIGHTS.length - 123_456);
    expect(await holds(setting.snapshot(PATH), WEIGHTS)).toBe(true);
    expect(existsSync(setting.incomplete(PATH))).toBe(false);
  });

  it('asks for nothing if all bytes had come', async () => {
    await using setting = await begun(WEIGHTS);
    await setting.download();
    expect(rangeOf(setting)).toEqual([]);
    expect(await holds(setting.snapshot(PATH), WEIGHTS)).toBe(true);
  });

  it('begins anew if more is there than the file has', async () => {
    await using setting = await begun(noise(300_001, 5));
    await setting.download();
    expect(rangeOf(setting)).toEqual([undefined]);
    expect(await holds(setting.snapshot(PATH), WEIGHTS)).toBe(true);
  });

  it('begins anew if the server knows no ranges', async () => {
    await using setting = await begun(noise(1000, 5));
    setting.hub.order(/storage.*safetensors/, { ignoresRange: true });
    await setting.download();
    expect(rangeOf(setting)).toEqual(['bytes=1000-']);
    expect(await holds(setting.snapshot(PATH), WEIGHTS)).toBe(true);
  });
});

describe('a connection that breaks', () => {
  it('is made again for the rest, wherever and as often as it breaks', async () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(cuts, async cuts => {
        const content = noise(40_000, 9);
        await using setting = await Setting.create({ ...MODEL_FILES, [PATH]: content });
        for (const cutAfter of cuts) setting.hub.order(/storage.*safetensors/, { cutAfter });
        await setting.download();
        expect(await holds(setting.snapshot(PATH), content)).toBe(true);
        let most = 0; // that can have come
        for (const { range, sent } of setting.hub.downloads(PATH)) {
          const start = Number(range?.slice('bytes='.length, -1) ?? 0);
          expect(start).toBeLessThanOrEqual(most);
          most = start + sent;
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is told, with the byte', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage.*safetensors/, { endAfter: 7 });
    await setting.download();
    const message = 'model.safetensors: the connection broke at byte 7 of 300000: it ended';
    expect(setting.retries).toEqual([message]);
  });

  it('more often than six times is no reason to give up, as long as bytes come', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage.*safetensors/, { endAfter: 20_000 }, 14);
    await setting.download();
    expect(await holds(setting.snapshot(PATH), WEIGHTS)).toBe(true);
    expect(setting.waits.every(wait => wait <= 2000)).toBe(true);
  });

  it('always at the same byte is, where the server knows no ranges', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage.*safetensors/, { ignoresRange: true, endAfter: 1000 }, Infinity);
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'at byte 1000 of 300000', 'given up'),
    );
    expect(setting.waits.length).toBeLessThan(8);
  });

  it('and is given up leaves what came', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage.*safetensors/, { endAfter: 1000 });
    setting.hub.order(/storage.*safetensors/, { status: 500 }, 6);
    await expect(setting.download()).rejects.toMatchObject(
      refusal('DOWNLOAD_FAILED', 'what came is kept'),
    );
    expect(await holds(setting.incomplete(PATH), WEIGHTS.subarray(0, 1000))).toBe(true);
    await setting.download();
    expect(rangeOf(setting).at(-1)).toBe('bytes=1000-');
    expect(await holds(setting.snapshot(PATH), WEIGHTS)).toBe(true);
  });
});

describe('abort', () => {
  it('ends at once with the reason, and the next download goes on from there', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage.*safetensors/, { stallAfter: 1000 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = setting.download({ signal: controller.signal });
    await until(() => sizeOf(setting.incomplete(PATH))).toBe(1000);
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(setting.retries).toEqual([]);
    expect(await holds(setting.incomplete(PATH), WEIGHTS.subarray(0, 1000))).toBe(true);
    expect(Object.keys(await setting.tree()).filter(path => path.endsWith('.lock'))).toEqual([]);
    await setting.download();
    expect(rangeOf(setting)).toEqual([undefined, 'bytes=1000-']);
    expect(await holds(setting.snapshot(PATH), WEIGHTS)).toBe(true);
  });

  it('before the beginning asks nobody', async () => {
    await using setting = await Setting.create();
    const reason = new Error('enough');
    await expect(setting.download({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(setting.hub.asked).toEqual([]);
  });

  it('ends the wait for another attempt', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/tree/, { status: 500 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const aborted = setting.download({
      signal: controller.signal,
      sleep: undefined,
      onRetry: () => controller.abort(reason),
    });
    await expect(aborted).rejects.toBe(reason);
  });

  it('one file that fails ends the others, which are kept', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage.*safetensors/, { stallAfter: 1000 });
    setting.hub.order(/hub.*config/, { status: 404, headers: { 'x-error-code': 'EntryNotFound' } });
    await expect(setting.download()).rejects.toMatchObject(refusal('NOT_FOUND', 'config.json'));
    expect(Object.keys(await setting.tree()).filter(path => path.endsWith('.lock'))).toEqual([]);
  });
});

describe('several at once', () => {
  it('download a file once', async () => {
    await using setting = await Setting.create();
    const sleep = () => setTimeout(1);
    const last = new Map<number, DownloadProgress>();
    const paths = await Promise.all(
      [1, 2, 3].map(i =>
        setting.download({ sleep, onProgress: progress => last.set(i, progress) }),
      ),
    );
    expect(new Set(paths)).toEqual(new Set([setting.snapshot()]));
    for (const { stage, done, total } of last.values())
      expect([stage, done]).toEqual(['verify', total]);
    for (const path of NEEDED)
      expect(setting.hub.sent(path), path).toBe(setting.hub.files.get(path)!.length);
    expect(await holds(setting.snapshot(PATH), WEIGHTS)).toBe(true);
  });

  it('several files are under way at the same time', async () => {
    await using setting = await Setting.create();
    setting.hub.order(/storage.*tokenizer/, { stallAfter: 1 });
    const controller = new AbortController();
    const download = setting.download({ signal: controller.signal });
    await until(() => existsSync(setting.blob(PATH))).toBe(true);
    controller.abort(new Error('seen'));
    await expect(download).rejects.toThrow('seen');
  });
});

describe('the lock', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const lockAt = async () => join(await emptyDirectory(), 'lock');

  it('is waited for while somebody holds it, and gone afterwards', async () => {
    const path = await lockAt();
    await writeFile(path, '');
    const waits: number[] = [];
    const sleep = async (milliseconds: number) => {
      if (waits.push(milliseconds) === 3) await rm(path);
    };
    expect(await withLock(path, { sleep, signal: undefined }, async () => existsSync(path))).toBe(
      true,
    );
    expect([waits, existsSync(path)]).toEqual([[1000, 1000, 1000], false]);
  });

  it('is gone after a failure', async () => {
    const path = await lockAt();
    await expect(withLock(path, {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(path)).toBe(false);
  });

  it('that nobody touched for 30 s was left behind by a process that is gone', async () => {
    const path = await lockAt();
    const hold = async (ageSeconds: number, tries: number) => {
      await writeFile(path, '');
      await utimes(path, new Date(), new Date(Date.now() - ageSeconds * 1000));
      const sleep = async () => {
        if (tries-- === 0) throw new Error('still held');
      };
      return withLock(path, { sleep }, async () => 'mine');
    };
    await expect(hold(20, 3)).rejects.toThrow('still held');
    expect(await hold(31, 3)).toBe('mine');
  });

  it('is touched every 5 s while it is held', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const path = await lockAt();
    await withLock(path, {}, async () => {
      const long = new Date(Date.now() - 60_000);
      await utimes(path, long, long);
      vi.advanceTimersByTime(5_000);
      while ((await stat(path)).mtimeMs < Date.now() - 30_000) await setTimeout(1);
    });
  });
});
