/**
 * Keys and values as bytes, in both engines: what one engine exports another one of its kind goes
 * on from with the same bits, and the bytes are those of `page-bytes.json` under PAGES_VERSION. If
 * that fails, and was meant to, give PAGES_VERSION another number and put the hashes that are
 * printed under it: pages on disks are then not taken for new ones.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { ExactEngine } from '../../src/engines/exact/exact-engine.js';
import type { ExactOptions } from '../../src/engines/exact/options.js';
import type { WasmOptions } from '../../src/engines/wasm/options.js';
import { layoutFor, WasmEngine } from '../../src/engines/wasm/wasm-engine.js';
import { parseConfig } from '../../src/files/config-json/config-json.js';
import { Llama } from '../../src/model/llama.js';
import { PAGES_VERSION } from '../../src/model/page-description.js';
import type { PageParts, Sequence } from '../../src/model/sequence.js';
import { continuing } from '../support/golden.js';
import { randomCheckpoint } from '../support/random-model.js';

/** A width of heads that is no multiple of anything, and several layers. */
const CONFIG = parseConfig({
  model_type: 'llama',
  vocab_size: 60,
  hidden_size: 66,
  intermediate_size: 50,
  num_hidden_layers: 4,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  head_dim: 22,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
});
const CHECKPOINT = randomCheckpoint(CONFIG);
const CONTEXT = 640;

/** As few bytes as one bank takes, less so many that there must be more. */
function spread(options: WasmOptions): WasmOptions {
  for (let units = 3; ; units++) {
    const own = { ...options, memoryBytes: units * 65_536 };
    try {
      if (layoutFor(CONFIG, CHECKPOINT, own).banks.length > 1) return own;
      throw new RangeError('one bank is enough for everything');
    } catch (error) {
      if (error instanceof RangeError) throw error;
    }
  }
}

const SMALL = { context: CONTEXT, maxRows: 16 };
const load = {
  wasm: async (options: WasmOptions) =>
    new Llama(CONFIG, await WasmEngine.load(CONFIG, CHECKPOINT, { ...SMALL, ...options })),
  exact: async (options: ExactOptions) =>
    new Llama(CONFIG, new ExactEngine(CONFIG, CHECKPOINT, options)),
};

const TOKENS = Array.from({ length: 300 }, (_, i) => (i * i * 7 + 5) % 60);

async function compute(model: Llama, sequence: Sequence, end: number): Promise<number[]> {
  const rows = continuing(sequence, TOKENS.slice(sequence.length, end));
  return [...(await model.forward(rows)).data];
}

const joined = (pages: readonly PageParts[]) => Buffer.concat(pages.flat());

/** Puts `bytes` into the parts, one after the other. */
function filling(bytes: Uint8Array) {
  return async (pages: readonly PageParts[]) => {
    let at = 0;
    for (const part of pages.flat()) {
      part.set(bytes.subarray(at, at + part.length));
      at += part.length;
    }
    expect(at).toBe(bytes.length);
  };
}

const KINDS = [
  ['exact f64', () => load.exact({}), () => load.exact({})],
  ['exact bf16', () => load.exact({ numerics: 'bf16' }), () => load.exact({ numerics: 'bf16' })],
  ...(['f32', 'f16', 'q8'] as const).map(
    cache =>
      [
        `wasm, cache ${cache}, another number of banks and threads`,
        () => load.wasm({ cache, threads: 1 }),
        () => load.wasm(spread({ cache, threads: 2 })),
      ] as const,
  ),
] as const;

it.each(KINDS)('%s: what was imported goes on with the same bits', async (_, loadOne, loadTwo) => {
  await using one = await loadOne();
  await using two = await loadTwo();
  expect(two.engine.describePages()).toBe(one.engine.describePages());
  const cold = one.createSequence();
  const logits = await compute(one, cold, 300);
  const bytes = joined(cold.exportPages(0, 256));
  expect(bytes.length).toBe(4 * cold.pageBytes);

  const used = two.createSequence(); // whose pages others get next
  await compute(two, used, 150);
  used.dispose();
  const warm = two.createSequence();
  await warm.importPages(128, filling(bytes.subarray(0, bytes.length / 2)));
  await warm.importPages(256, filling(bytes.subarray(bytes.length / 2)));
  expect(warm.length).toBe(256);
  expect(joined(warm.exportPages(0, 256)).equals(bytes)).toBe(true);
  expect(await compute(two, warm, 300)).toEqual(logits);
  warm.truncate(200);
  expect(await compute(two, warm, 300)).toEqual(logits);
  const again = joined(warm.exportPages(0, 256)); // computed, where it was imported before
  expect(again.subarray(0, bytes.length).equals(bytes)).toBe(true);
});

it.each(['exact', 'wasm'] as const)('%s: what is not whole is as it was before', async kernels => {
  await using model = await load[kernels]({});
  const source = model.createSequence();
  await compute(model, source, 192);
  const bytes = joined(source.exportPages(64, 192));
  const sequence = model.createSequence();
  sequence.append(source, 64);
  const failing = async (pages: readonly PageParts[]) => {
    pages[0][0].fill(7);
    throw new Error('damaged');
  };
  await expect(sequence.importPages(192, failing)).rejects.toThrow('damaged');
  expect(sequence.length).toBe(64);
  const twice = sequence.importPages(192, async pages => {
    expect(() => sequence.truncate(0)).toThrow('one at a time');
    await filling(bytes)(pages);
  });
  await expect(model.forward(continuing(sequence, [1]))).rejects.toThrow('one at a time');
  await twice;
  const fresh = model.createSequence();
  expect(await compute(model, sequence, 250)).toEqual(await compute(model, fresh, 250));

  const refused = { code: 'BAD_INPUT', message: expect.stringContaining('no whole pages') };
  for (const [from, end] of [
    [0, 63],
    [1, 64],
    [128, 64],
    [0, 256],
    [-64, 0],
  ] as const)
    expect(() => sequence.exportPages(from, end)).toThrow(expect.objectContaining(refused));
  await expect(sequence.importPages(256, async () => {})).rejects.toMatchObject(refused);
  for (const each of [source, sequence, fresh]) each.dispose();
  const gone = model.createSequence();
  const importing = gone.importPages(64, async () => gone.dispose());
  await expect(importing).rejects.toMatchObject({ code: 'DISPOSED' });
  expect(() => gone.exportPages(0, 0)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
});

it('more than there is room for is refused, and nothing is held', async () => {
  await using model = await load.wasm({});
  const sequence = model.createSequence();
  const tooMany = sequence.importPages(CONTEXT + 64, async () => {});
  await expect(tooMany).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  await sequence.importPages(CONTEXT, async () => {});
});

const known = JSON.parse(await readFile(new URL('page-bytes.json', import.meta.url), 'utf8'));

it(`the bytes are those of version ${PAGES_VERSION}`, async () => {
  const kinds: [string, () => Promise<Llama>][] = [
    ...(['f64', 'f32', 'bf16', 'f16'] as const).map(
      numerics => [`exact ${numerics}`, () => load.exact({ numerics })] as const,
    ),
    ...(['f32', 'f16', 'q8'] as const).map(
      cache => [`wasm, cache ${cache}`, () => load.wasm({ cache })] as const,
    ),
    ...(['f16', 'bf16', 'q8_0', 'q4_0'] as const).map(
      weights => [`wasm, weights ${weights}`, () => load.wasm({ weights })] as const,
    ),
  ].map(([name, kind]) => [name, kind]);
  const hashes: Record<string, string> = {};
  for (const [name, kind] of kinds) {
    await using model = await kind();
    const sequence = model.createSequence();
    await compute(model, sequence, 128);
    const bytes = joined(sequence.exportPages(0, 128));
    hashes[name] = createHash('sha256').update(bytes).digest('hex');
  }
  expect(hashes).toEqual(known[PAGES_VERSION]);
});
