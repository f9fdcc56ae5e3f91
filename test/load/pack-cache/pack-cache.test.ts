/**
 * Packed weights from the disk: the bits of packing anew, or packing anew. Nothing stale, damaged
 * or foreign is ever computed with.
 */
import {
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { PackCache } from '../../../src/load/pack-cache/pack-cache.js';
import { DIST, node } from '../../support/child.js';
import { goldenPath } from '../../support/golden.js';
import { GQA, packCacheDirectory } from './support.js';

const { at, directory, load, names, theFile } = packCacheDirectory();

/** Another bit at `byte`. */
async function flip(file: string, byte: number): Promise<void> {
  const handle = await open(file, 'r+');
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, byte);
  await handle.write(Buffer.of(buffer[0] ^ 0x10), 0, 1, byte);
  await handle.close();
}

describe('the same bits, from packed weights alone:', () => {
  it.each([
    ['gqa', 'q8_0'],
    ['gqa', 'q4_0'],
    ['tied', 'q4_0'],
    ['pytorch/mha', 'q8_0'],
    ['gguf/long-blocks.gguf', undefined],
    ['gguf/long-blocks.gguf', 'f16'],
    ['gguf/tied-bf16-00001-of-00002.gguf', 'q8_0'],
  ] as const)('golden/%s, %s, whatever threads, banks and contexts', async (name, weights) => {
    const path = goldenPath(name);
    const { bits } = await load(path, { weights, cached: false });
    const first = await load(path, { weights, threads: 1 });
    expect(first).toMatchObject({ bits, wasPacked: true });
    expect(first.notes).toEqual([expect.stringContaining(`are now in ${directory()}, from where`)]);
    for (const other of [{ threads: 1 }, { threads: 3 }, { context: 200, maxRows: 33 }]) {
      const again = await load(path, { weights, ...other });
      expect(again).toEqual({ bits, wasPacked: false, notes: [] });
    }
    expect(await names()).toHaveLength(1);
  });

  it('spread over several memories', async () => {
    const { bits } = await load(GQA);
    const memoryBytes = 13 * 2 ** 20;
    const apart = await load(GQA, { memoryBytes, threads: 1 });
    expect(apart).toEqual({ bits, wasPacked: false, notes: [] });
  });
});

it.each([
  ['gqa', 'f32'],
  ['gqa', 'f16'],
  ['gqa', 'bf16'],
  ['gqa', undefined],
  ['tied', undefined],
] as const)(
  'golden/%s, %s, is only put into another order, and not kept',
  async (name, weights) => {
    const loaded = await load(goldenPath(name), { weights });
    expect(loaded).toMatchObject({ wasPacked: true, notes: [] });
    expect(await names()).toEqual([]);
  },
);

describe('another file for', () => {
  it.each([
    ['another format', { weights: 'q4_0' }],
    ['another version of the package', { cached: { version: '2' } }],
  ] as const)('%s', async (_, other) => {
    await load(GQA);
    expect(await load(GQA, other)).toMatchObject({ wasPacked: true });
    expect(await names()).toHaveLength(2);
    expect(await load(GQA)).toMatchObject({ wasPacked: false });
    expect(await load(GQA, other)).toMatchObject({ wasPacked: false });
  });
});

describe('a checkpoint that changed', () => {
  const OLD = 1_600_000_000;

  it.each([
    ['in one number, with the time set back', flip],
    [
      'in place of which there is another file',
      async (file: string, byte: number) => {
        await cp(file, `${file}.other`);
        await flip(`${file}.other`, byte);
        await cp(`${file}.other`, file);
      },
    ],
  ])('%s, is packed anew', async (_, change) => {
    const model = at('model');
    const file = join(model, 'model.safetensors');
    await cp(GQA, model, { recursive: true, filter: name => !/trace|greedy/.test(name) });
    await utimes(file, OLD, OLD);
    const before = await load(model);
    await change(file, Math.floor((await stat(file)).size * 0.6));
    await utimes(file, OLD, OLD);
    const after = await load(model);
    expect(after.wasPacked).toBe(true);
    expect(after.bits).not.toBe(before.bits);
    expect(after.bits).toBe((await load(model, { cached: false })).bits);
  });

  it.each([
    ['while it was read', () => String(Math.random())],
    ['or may have, just now', () => undefined],
  ])('%s, is not kept', async (_, identify) => {
    const change = (checkpoint: object) => ({ ...checkpoint, identify: async () => identify() });
    expect(await load(GQA, { change: change as never })).toMatchObject({ notes: [] });
    expect(await names()).toEqual([]);
  });
});

describe('a file that is not what was written', () => {
  const kinds: Record<string, (file: string, bytes: number) => Promise<unknown>> = {
    'cut short by a byte': (file, bytes) => truncate(file, bytes - 1),
    'cut short by half': (file, bytes) => truncate(file, Math.floor(bytes / 2)),
    'that is empty': file => truncate(file, 0),
    'with a byte more': (file, bytes) => truncate(file, bytes + 1),
    'of another program': (file, bytes) => writeFile(file, Buffer.alloc(bytes, 'x')),
    'of zeros, as after a power failure': (file, bytes) => writeFile(file, Buffer.alloc(bytes)),
    'of another version of the same weights': async file => {
      const cached = { directory: at('other'), version: '2' };
      await load(GQA, { cached });
      const [name] = await readdir(at('other'));
      await cp(at('other', name), file);
    },
  };

  it.each(Object.entries(kinds))('%s, is replaced, with a note', async (_, damage) => {
    const { bits } = await load(GQA);
    const file = await theFile();
    await damage(file, (await stat(file)).size);
    const again = await load(GQA);
    expect(again).toMatchObject({ bits, wasPacked: true });
    expect(again.notes).toEqual([
      expect.stringMatching(new RegExp(`^${file} .*; the weights were packed again$`)),
      expect.stringContaining('are now in'),
    ]);
    const third = await load(GQA);
    expect(third).toEqual({ bits, wasPacked: false, notes: [] });
  });

  it('leaves zeros where its bytes were to go', async () => {
    const cache = new PackCache({ directory: directory(), maxBytes: 1e9, version: '1' });
    const parts = [new Uint8Array(5_000_000).fill(1), new Uint8Array(3).fill(2)];
    expect(await cache.makeRoom(parts)).toBe(true);
    await cache.write('key', parts, {});
    await flip(await theFile(), 4_500_000);
    const back = [new Uint8Array(5_000_000), new Uint8Array(3)];
    expect(await cache.read('key', back, {})).toBe(false);
    expect(back.every(part => part.every(byte => byte === 0))).toBe(true);
  });

  it('that is a directory stays, and nothing is kept', async () => {
    const { bits } = await load(GQA);
    const file = await theFile();
    await rm(file);
    await mkdir(join(file, 'mine'), { recursive: true });
    const again = await load(GQA);
    expect(again).toMatchObject({ bits, wasPacked: true });
    expect(again.notes).toEqual([expect.stringMatching(/ are not kept: cannot write /)]);
    expect(await readdir(file)).toEqual(['mine']);
  });

  it('with a bit flipped, anywhere', async () => {
    const { bits } = await load(GQA);
    const file = await theFile();
    const whole = await readFile(file);
    const last = whole.length - 1;
    const anywhere = fc.oneof(fc.constantFrom(0, 16, 47, 48, 4095, 4096, last), fc.nat(last));
    await fc.assert(
      fc.asyncProperty(anywhere, fc.nat(7), async (byte, bit) => {
        const damaged = Buffer.from(whole);
        damaged[byte] ^= 1 << bit;
        await writeFile(file, damaged);
        const again = await load(GQA);
        expect(again).toMatchObject({ bits, wasPacked: true });
        expect(again.notes[0]).toContain('the weights were packed again');
        expect((await readFile(file)).equals(whole)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe('an abort leaves nothing:', () => {
  it.each([
    ['before anything', 0],
    ['while packing', 0.25],
    ['while writing', 0.75],
    ['before the last bytes are written', 0.99],
  ])('%s', async (_, part) => {
    const controller = new AbortController();
    const why = new Error('enough');
    if (part === 0) controller.abort(why);
    const onProgress = (done: number, total: number) => {
      if (done > part * total) controller.abort(why);
    };
    await expect(load(GQA, { signal: controller.signal, onProgress })).rejects.toBe(why);
    expect(await names()).toEqual([]);
    expect(await load(GQA)).toMatchObject({ wasPacked: true });
  });

  it('and while reading ends that', async () => {
    await load(GQA);
    const why = new LlamaError('DISPOSED', 'enough'); // is no damage of the file
    const controller = new AbortController();
    const onProgress = () => controller.abort(why);
    await expect(load(GQA, { signal: controller.signal, onProgress })).rejects.toBe(why);
    expect(await load(GQA)).toMatchObject({ wasPacked: false });
  });

  it('what a callback throws while writing rejects the promise', async () => {
    const onProgress = (done: number, total: number) => {
      if (done > total / 2) throw new Error('mine');
    };
    await expect(load(GQA, { onProgress })).rejects.toThrow('mine');
    expect(await names()).toEqual([]);
  });
});

it('progress goes up to all bytes, once each for packing and writing', async () => {
  for (const wasThere of [false, true]) {
    const seen: [number, number][] = [];
    await load(GQA, { onProgress: (done, total) => seen.push([done, total]) });
    const totals = new Set(seen.map(([, total]) => total));
    expect(totals.size).toBe(1);
    expect(seen.at(-1)![0]).toBe(seen.at(-1)![1]);
    expect(seen.every(([done], i) => i === 0 || done >= seen[i - 1]![0])).toBe(true);
    const { size } = await stat(await theFile());
    const times = wasThere ? 1 : 2;
    expect([...totals][0]! / size).toBeGreaterThan(0.9 * times);
    expect([...totals][0]! / size).toBeLessThanOrEqual(times);
  }
});

it('several processes at once: each has the right bits, and one whole file is left', async () => {
  const body = `
    const { openModelFiles } = await import('${DIST}load/model-files.js');
    const { PackCache } = await import('${DIST}load/pack-cache/pack-cache.js');
    const { WasmEngine } = await import('${DIST}engines/wasm/wasm-engine.js');
    const now = Date.now;
    Date.now = () => now() + 10_000;
    const { config, checkpoint } = await openModelFiles(${JSON.stringify(GQA)});
    const settings = { maxBytes: 1e9, version: '1', minBytes: 0 };
    const options = { threads: 1, weights: 'q8_0' };
    const store = new PackCache({ ...settings, directory: ${JSON.stringify(directory())} });
    const engine = await WasmEngine.load(config, checkpoint, options, store);
    console.log(JSON.stringify(store.notes));
    await engine.close();`;
  const { bits } = await load(GQA, { cached: false });
  const ended = await Promise.all(
    Array.from({ length: 3 }, () => node('--input-type=module', '--eval', body)),
  );
  for (const { code, stderr, stdout } of ended) {
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^\[("[^"]* are now in [^"]*")?\]\n$/);
  }
  expect(dirname(await theFile())).toBe(directory());
  expect(await load(GQA)).toEqual({ bits, wasPacked: false, notes: [] });
});
