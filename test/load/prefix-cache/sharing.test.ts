/** Several processes, texts and requests on one directory; and processes that are killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LlamaError } from '../../../src/base/errors.js';
import { DiskCache } from '../../../src/load/prefix-cache/disk-cache.js';
import type { Llama } from '../../../src/model/llama.js';
import type { Sequence } from '../../../src/model/sequence.js';
import { PrefixCache } from '../../../src/text/prefix-cache/prefix-cache.js';
import { DIST, node } from '../../support/child.js';
import { continuing } from '../../support/golden.js';
import { loadTiny } from '../../support/tiny-model.js';
import { cacheDirectory, range } from './support.js';

const { directory, start, names } = cacheDirectory();

describe('at once', () => {
  it('texts that begin alike read a file once, and share its pages', async () => {
    await start().run(range(0, 640));
    const next = start();
    const texts = [0, 1, 2, 3].map(i => [...range(0, 640), 7000 + i]);
    expect(await Promise.all(texts.map(tokens => next.ask(tokens)))).toEqual([640, 640, 640, 640]);
    expect(next.disk.stats().restoredPages).toBe(10);
    expect(next.texts.pagesInUse).toBe(10);
  });

  it('a text that nobody wants any more keeps none of the others from being read', async () => {
    await start().run(range(0, 640));
    const next = start();
    const controller = new AbortController();
    const why = new LlamaError('DISPOSED', 'gone'); // is no damage of the file
    const cancelled = next.cache.take(range(0, 640), '', controller.signal);
    const wanted = next.ask(range(0, 640));
    controller.abort(why);
    await expect(cancelled).rejects.toBe(why);
    expect(await wanted).toBe(639);
    expect(next.warnings).toEqual([]);
    expect(next.texts.pagesInUse).toBe(10);
  });

  it('where there is no memory for a text, others go, and as much as fits is read', async () => {
    await start().run(range(0, 64 * 30));
    const next = start({}, 20);
    await next.run(range(5000, 5000 + 64 * 10));
    expect(await next.ask(range(0, 64 * 15))).toBe(64 * 15 - 1);
    expect(next.cache.stats()).toMatchObject({ pages: 15, evictedPages: 10 });
    expect(await next.ask(range(0, 64 * 25))).toBeLessThan(64 * 25);
    next.cache.clear();
    expect(next.texts.pagesInUse).toBe(0);
  });

  it('what comes faster than it is written is dropped, counted, and holds no memory', async () => {
    const process = start();
    for (let i = 0; i < 20; i++) {
      const tokens = range(1000 * i, 1000 * i + 128);
      const sequence = process.texts.createSequence();
      process.texts.compute(sequence, tokens);
      process.cache.keep(tokens, sequence);
      sequence.dispose();
    }
    const { waitingTexts, droppedTexts } = process.disk.stats();
    expect(waitingTexts + droppedTexts).toBe(19); // and one is being written
    expect(process.cache.evict(40)).toBe(38);
    expect(process.texts.pagesInUse).toBe(2);
    expect(process.disk.stats()).toMatchObject({ waitingTexts: 0, droppedTexts: 19 });
    await process.cache.flush();
    expect(process.cache.evict(40)).toBe(2);
    expect(process.texts.pagesInUse).toBe(0);
    expect(await names()).toHaveLength(1);
  });
});

/** Keeps texts 0, 1, … of so many pages, until it is killed or has kept `count`. */
const writer = (count: number, pages: number) => `
  const { DiskCache } = await import('${DIST}load/prefix-cache/disk-cache.js');
  const { CountedPages, WasmSequence } = await import(
    '${DIST}engines/wasm/memory/paged-sequence.js');
  const identity = { weights: 'a' };
  const warn = text => console.error(text);
  const disk = new DiskCache({ directory: ${JSON.stringify(directory())}, maxBytes: 1e9, identity,
    model: 'model', onWarning: warn });
  const memory = [];
  const pool = new CountedPages(1000, { pageBytes: 256,
    growTo: n => { while (memory.length < n) memory.push(new Int32Array(64)); },
    partsOf: page => [new Uint8Array(memory[page].buffer)] });
  for (let text = 0; text < ${count}; text++) {
    const tokens = Array.from({ length: 64 * ${pages} }, (_, i) => 10_000 * text + i);
    const sequence = new WasmSequence({}, pool);
    sequence.prepare(tokens.length);
    sequence.beginPass(() => {});
    tokens.forEach((token, i) => (memory[sequence.pages[i >> 6]][i & 63] = token));
    sequence.endPass(tokens.length);
    disk.keep(tokens, sequence, '');
    sequence.dispose();
    await disk.flush();
    console.log(text);
  }`;

const textOf = (i: number, pages: number) => range(10_000 * i, 10_000 * i + 64 * pages);

it('several processes write the same and other texts: all of it is there, once', async () => {
  const body = writer(12, 20);
  const ended = await Promise.all([0, 1, 2].map(() => node('--input-type=module', '--eval', body)));
  for (const { code, stderr } of ended) expect([code, stderr]).toEqual([0, '']);
  expect(await names()).toHaveLength(12);
  const next = start();
  for (let i = 0; i < 12; i++) expect(await next.ask([...textOf(i, 20), 1])).toBe(1280);
  expect(next.warnings).toEqual([]);
});

it('killed at any moment it leaves nothing that is believed and wrong', {
  timeout: 240_000,
}, async () => {
  const delays = [5, 12, 20, 33, 50, 80, 120, 170];
  for (const delay of delays) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', writer(1000, 200)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data'); // it has written one
    await new Promise(resolve => setTimeout(resolve, delay));
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  const kept = await names();
  const next = start();
  let known = 0;
  for (let i = 0; i < 1000 && known === i; i++)
    if ((await next.ask([...textOf(i, 200), 1])) === 64 * 200) known += 1;
  expect(known).toBeGreaterThanOrEqual(1);
  expect(next.warnings).toEqual([]); // whole, or not there
  await next.run(range(0, 64));
  await next.run(range(9_000_000, 9_000_100));
  const leftovers = (await readdir(directory())).filter(name => name.startsWith('.'));
  expect(leftovers).toEqual([]);
  expect(kept.filter(name => name.endsWith('.pages')).length).toBeGreaterThanOrEqual(known);
});

it('closed at any moment it leaves whole files, holds no memory, and keeps no more', async () => {
  let dropped = 0;
  for (const delay of [0, 1, 3, 8, 15, 30, 60, 120]) {
    const own = join(directory(), String(delay));
    const process = start({ directory: own });
    const keep = (i: number) => {
      const sequence = process.texts.createSequence();
      process.texts.compute(sequence, textOf(i, 20));
      process.disk.keep(textOf(i, 20), sequence, '');
      sequence.dispose();
    };
    for (let i = 0; i < 6; i++) keep(i);
    await sleep(delay);
    await process.disk.close();
    keep(6);
    await process.disk.flush();
    expect(process.texts.pagesInUse).toBe(0);
    expect(process.warnings).toEqual([]);
    const { droppedTexts, waitingTexts } = process.disk.stats();
    const files = await readdir(own).catch(() => []);
    expect([files.length + droppedTexts, waitingTexts]).toEqual([7, 0]);
    expect(files.filter(name => !name.endsWith('.pages'))).toEqual([]);
    const next = start({ directory: own });
    const known = [];
    for (let i = 0; i < 7; i++) known.push(await next.ask([...textOf(i, 20), 1]));
    expect(known.filter(length => length === 1280)).toHaveLength(files.length);
    expect(next.warnings).toEqual([]);
    dropped += droppedTexts;
  }
  expect(dropped).toBeGreaterThan(8);
});

describe.each(['exact', 'wasm'] as const)('%s kernels', kernels => {
  let one: Llama;
  let two: Llama;
  beforeAll(async () => {
    one = await loadTiny(kernels);
    two = await loadTiny(kernels);
  });
  afterAll(() => Promise.all([one.close(), two.close()]));

  const cacheOf = (model: Llama, onWarning: (text: string) => void) => {
    const identity = { weights: 'tiny', pages: model.engine.describePages() };
    const disk = { directory: directory(), maxBytes: 1e9, identity, model: 'tiny', onWarning };
    return new PrefixCache(model, { store: new DiskCache(disk) });
  };

  async function compute(model: Llama, sequence: Sequence, tokens: readonly number[]) {
    const rows = continuing(sequence, tokens.slice(sequence.length));
    return [...(await model.forward(rows)).data];
  }

  it('another process goes on with the bits of the first', async () => {
    const warn = vi.fn();
    const tokens = Array.from({ length: 300 }, (_, i) => 14 + ((i * 7 + 5) % 40));
    const cold = one.createSequence();
    const logits = await compute(one, cold, tokens);
    const first = cacheOf(one, warn);
    first.keep(tokens, cold);
    cold.dispose();
    await first.flush();
    const second = cacheOf(two, warn);
    const { sequence, length } = await second.take(tokens);
    expect(length).toBe(256);
    expect(await compute(two, sequence, tokens)).toEqual(logits);
    sequence.dispose();
    for (const cache of [first, second]) cache.clear();
    expect(warn).not.toHaveBeenCalled();
  });
});
