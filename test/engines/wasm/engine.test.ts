/**
 * The WASM engine: the same bits whatever the threads, the chunks, the batch, the memories (the
 * build: `bits.test.ts`); what goes wrong goes wrong loudly.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CacheFormat } from '../../../src/engines/wasm/memory/cache-formats.js';
import type { WeightFormat } from '../../../src/engines/wasm/memory/weight-formats.js';
import type { WasmOptions } from '../../../src/engines/wasm/options.js';
import { platform } from '../../../src/engines/wasm/platform/here.js';
import type { Thread } from '../../../src/engines/wasm/platform/platform.js';
import { layoutFor, WasmEngine } from '../../../src/engines/wasm/wasm-engine.js';
import { openModelDirectory } from '../../../src/load/model-files.js';
import type { Checkpoint } from '../../../src/model/checkpoint.js';
import { Llama } from '../../../src/model/llama.js';
import {
  allLogits,
  continuing,
  goldenPath,
  openGolden,
  readIntegers,
  readTensors,
} from '../../support/golden.js';
import { distance } from '../../support/tensors.js';

const FORMATS: readonly (readonly [WeightFormat, CacheFormat])[] = [
  ['f32', 'f32'],
  ['f16', 'f32'],
  ['bf16', 'f32'],
  ['q8_0', 'f32'],
  ['q4_0', 'f32'],
  ['f32', 'f16'],
  ['q8_0', 'q8'],
];

/**
 * The fewest bytes in which the largest of a model's parts fits: they are spread over several
 * memories then.
 */
async function leastMemory(name: string, options: WasmOptions): Promise<number> {
  const { config, checkpoint } = await openModelDirectory(goldenPath(name));
  await checkpoint.close();
  const fits = (memoryBytes: number) => {
    try {
      return layoutFor(config, checkpoint, { ...options, memoryBytes }).banks.length > 0;
    } catch {
      return false;
    }
  };
  let bytes = 2 ** 20;
  while (!fits(bytes)) bytes += 4096;
  return bytes;
}

const open: Llama[] = [];
async function load(
  name: string,
  options: WasmOptions = {},
  change = (weights: Checkpoint) => weights,
): Promise<Llama> {
  const { config, checkpoint } = await openModelDirectory(goldenPath(name));
  const model = new Llama(config, await WasmEngine.load(config, change(checkpoint), options));
  open.push(model);
  return model;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map(model => model.close()));
});

const prompt = () => readIntegers('gqa/trace-f32.safetensors', 'tokens');
/** Longer than a page of 64 positions and than a pass of 128 rows. */
const longText = async () =>
  (await readIntegers('long/tokens.safetensors', 'tokens')).slice(0, 150);

describe.each(FORMATS)('%s weights, %s cache: the same bits', (weights, cache) => {
  const formats = { weights, cache };
  it('with 1, 2, 3 and 5 threads', async () => {
    const tokens = await prompt();
    const one = await allLogits(await load('gqa', { ...formats, threads: 1 }), tokens);
    for (const threads of [2, 3, 5]) {
      expect(
        await allLogits(await load('gqa', { ...formats, threads }), tokens),
        `${threads} threads`,
      ).toEqual(one);
    }
  });

  it('for 150 tokens at once, in chunks of 7, 64 and 1, and passes of 33 rows', async () => {
    const model = await load('long', { ...formats, threads: 2 });
    const tokens = await longText();
    const whole = await allLogits(model, tokens);
    for (const chunk of [7, 64, 1])
      expect(await allLogits(model, tokens, chunk), `chunks of ${chunk}`).toEqual(whole);
    expect(
      await allLogits(await load('long', { ...formats, threads: 2, maxRows: 33 }), tokens),
    ).toEqual(whole);
  });

  it('in one memory, and spread over several', async () => {
    const tokens = await prompt();
    const options = { ...formats, threads: 2, context: 128 };
    const one = await load('gqa', options);
    const several = await load('gqa', {
      ...options,
      memoryBytes: await leastMemory('gqa', options),
    });
    expect((several.engine as WasmEngine).layout.banks.length).toBeGreaterThan(2);
    expect(await allLogits(several, tokens, 7)).toEqual(await allLogits(one, tokens));
    const sequence = several.createSequence();
    await several.forward(continuing(sequence, tokens.slice(0, 9)));
    const onFork = await several.forward(continuing(sequence.fork(), tokens.slice(9)));
    const fresh = await one.forward(continuing(one.createSequence(), tokens));
    expect(onFork.data).toEqual(fresh.data);
  });

  it('alone, and in a batch with others', async () => {
    const model = await load('gqa', { ...formats, threads: 2 });
    const tokens = await prompt();
    const alone = await allLogits(model, tokens);
    const [a, b] = [model.createSequence(), model.createSequence()];
    await model.forward(continuing(b, [1, 5, 9]));
    const rows = [
      ...continuing(b, [7, 8]),
      ...continuing(a, tokens),
      ...continuing(model.createSequence(), [1]),
    ];
    const logits = await model.forward(rows, { logitsFor: tokens.map((_, i) => i + 2) });
    expect(Float64Array.from(logits.data)).toEqual(alone);
  });

  it('from a fork, and from a fresh start; and the fork leaves its origin alone', async () => {
    const model = await load('long', { ...formats, threads: 2 });
    const tokens = await longText();
    const origin = model.createSequence();
    await model.forward(continuing(origin, tokens.slice(0, 100)));
    const fork = origin.fork();
    await model.forward(continuing(fork, [5, 6, 7]));
    const onOrigin = await model.forward(continuing(origin, tokens.slice(100)));
    fork.truncate(100);
    const onFork = await model.forward(continuing(fork, tokens.slice(100)));
    const fresh = await model.forward(continuing(model.createSequence(), tokens));
    expect(onOrigin.data).toEqual(fresh.data);
    expect(onFork.data).toEqual(fresh.data);
  });
});

describe('accuracy', () => {
  it.each([
    ['f32', 2e-5],
    ['bf16', 0.1],
    ['f16', 0.02],
    ['q8_0', 0.15],
    ['q4_0', 3],
  ] as const)(
    'golden/gqa, %s: logits within %f σ of float64 (the rounding of its weights)',
    async (weights, bound) => {
      const model = await load('gqa', { weights, threads: 2 });
      const logits = await allLogits(model, await prompt());
      const truth = (await readTensors('gqa/trace-f64.safetensors')).get('lm_head');
      expect(distance(logits, truth?.data ?? [])).toBeLessThan(bound);
    },
  );

  // What rounds keys and values: f16 by 2⁻¹¹ of each at most, q8 by 1/254 of the largest beside it.
  it.each([
    ['f16', 0.01],
    ['q8', 0.15],
  ] as const)(
    'golden/gqa, %s cache: logits within %f σ of float64 (the rounding of keys and values)',
    async (cache, bound) => {
      const logits = await allLogits(await load('gqa', { cache, threads: 2 }), await prompt());
      const truth = (await readTensors('gqa/trace-f64.safetensors')).get('lm_head');
      expect(distance(logits, truth?.data ?? [])).toBeLessThan(bound);
    },
  );

  it.each([
    ['f32', 1e-5],
    ['f16', 0.005],
    ['q8', 0.1],
  ] as const)(
    'golden/long, %s cache: 13 rows of logits, up to position 8,299, within %f σ of float64',
    async (cache, bound) => {
      const tokens = await readIntegers('long/tokens.safetensors', 'tokens');
      const positions = await readIntegers('long/tokens.safetensors', 'positions');
      const model = await load('long', { cache, threads: 2 });
      const logits = await model.forward(continuing(model.createSequence(), tokens), {
        logitsFor: positions,
      });
      const truth = (await readTensors('long/logits-f64.safetensors')).get('logits');
      expect(distance(logits.data, truth?.data ?? [])).toBeLessThan(bound);
    },
  );

  it('golden/llama3 (frequencies by wavelength): within 2e-5 σ of float64', async () => {
    const tokens = await readIntegers('llama3/trace-f32.safetensors', 'tokens');
    const logits = await allLogits(await load('llama3', { threads: 2 }), tokens);
    const truth = (await readTensors('llama3/trace-f64.safetensors')).get('lm_head');
    expect(distance(logits, truth?.data ?? [])).toBeLessThan(2e-5);
  });

  it('golden/tied (bf16 shards, tied, 1 head of 12): within 2e-5 σ of exact f64', async () => {
    const tokens = [1, 25, 32, 290, 303, 176, 5];
    const exact = await openGolden('tied', 'f64');
    const expected = await allLogits(exact, tokens);
    await exact.close();
    const logits = await allLogits(await load('tied', { threads: 2 }), tokens);
    expect(distance(logits, expected)).toBeLessThan(2e-5);
  });
});

describe('what goes wrong', () => {
  it('a cancelled pass rejects with the reason and leaves the sequence as it was', async () => {
    const model = await load('gqa', { threads: 2 });
    const tokens = await prompt();
    const sequence = model.createSequence();
    await model.forward(continuing(sequence, tokens.slice(0, 4)));
    const controller = new AbortController();
    const pass = model.forward(continuing(sequence, tokens.slice(4)), {
      signal: controller.signal,
    });
    controller.abort(new Error('enough'));
    await expect(pass).rejects.toThrow('enough');
    expect(sequence.length).toBe(4);
    const resumed = await model.forward(continuing(sequence, tokens.slice(4)));
    const fresh = await model.forward(continuing(model.createSequence(), tokens));
    expect(resumed.data).toEqual(fresh.data);
  });

  it('positions beyond the room are OUT_OF_MEMORY; what is given back is room again', async () => {
    const model = await load('gqa', { threads: 2, context: 128 });
    const first = model.createSequence();
    await model.forward(continuing(first, new Array(100).fill(3)));
    const second = model.createSequence();
    const pass = model.forward(continuing(second, [1]));
    await expect(pass).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining('2 pages'),
    });
    first.dispose();
    await expect(model.forward(continuing(second, [1]))).resolves.toMatchObject({
      shape: [1, 331],
    });
    await expect(model.forward(continuing(first, [1]))).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('keys beyond f16 are NOT_FINITE in an f16 cache alone; the sequence stays', async () => {
    const name = 'model.layers.1.self_attn.k_proj.weight';
    const larger = (weights: Checkpoint): Checkpoint => {
      const tensor = weights.tensors.get(name)!;
      const { dtype, shape, byteLength, read } = tensor;
      const readBytes = async (first?: number, count?: number) =>
        new Uint8Array(Float32Array.from(await tensor.read(first, count), x => x * 20_000).buffer);
      const readInto = async (target: Uint8Array, first?: number, count?: number) =>
        target.set(await readBytes(first, count));
      const scaled = { name, dtype, shape, byteLength, read, readInto, readBytes };
      return {
        name: '',
        tensors: new Map(weights.tensors).set(name, scaled),
        close: () => weights.close(),
      };
    };
    const tokens = await prompt();
    for (const cache of ['f32', 'q8'] as const) {
      const model = await load('gqa', { cache, threads: 2 }, larger);
      await expect(
        model.forward(continuing(model.createSequence(), tokens)),
      ).resolves.toMatchObject({
        shape: [1, 331],
      });
    }
    const model = await load('gqa', { cache: 'f16', threads: 2 }, larger);
    const sequence = model.createSequence();
    await expect(model.forward(continuing(sequence, tokens))).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: expect.stringMatching(
        /^\d+ keys or values of a pass over positions 0 to 18 are no f16 numbers: .*f32 or q8$/,
      ),
    });
    expect(sequence.length).toBe(0);
    await expect(model.forward(continuing(sequence, [8]))).resolves.toMatchObject({
      shape: [1, 331],
    }); // its keys are smaller
  });

  it('a worker that dies ends the pass and the model, not the process', async () => {
    const start = vi.spyOn(platform, 'startThread');
    const model = await load('gqa', { threads: 3 });
    const threads = start.mock.results.map(({ value }) => value as Thread<unknown>);
    start.mockRestore();
    const pass = model.forward(continuing(model.createSequence(), new Array(128).fill(5)));
    void threads[1].stop();
    await expect(pass).rejects.toMatchObject({
      code: 'WORKER_FAILED',
      message: expect.stringContaining('load it again'),
    });
    const next = model.forward(continuing(model.createSequence(), [1]));
    await expect(next).rejects.toMatchObject({ code: 'WORKER_FAILED' });
  });

  it.each([
    [{ threads: 0 }, 'BAD_OPTION', 'threads is 0'],
    [{ threads: 65 }, 'BAD_OPTION', 'threads is 65'],
    [{ maxRows: 0 }, 'BAD_OPTION', 'maxRows is 0'],
    [{ context: 0 }, 'BAD_OPTION', 'context is 0'],
    [{ context: 2 ** 31 }, 'OUT_OF_MEMORY', 'smaller context'],
  ])('%j is %s', async (options, code, message) => {
    await expect(load('gqa', options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
