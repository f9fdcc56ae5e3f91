/** What does not fit is refused before it is allocated, by the sum that `estimate` prints. */
import { totalmem } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { memoryNeeds } from '../../../src/engines/wasm/memory/memory-needs.js';
import type { WasmOptions } from '../../../src/engines/wasm/options.js';
import { platform } from '../../../src/engines/wasm/platform/here.js';
import { layoutFor } from '../../../src/engines/wasm/wasm-engine.js';
import { loadLlama } from '../../../src/load/model.js';
import { openModelDirectory } from '../../../src/load/model-files.js';
import { cli, json } from '../../cli/support.js';
import { continuing, goldenPath } from '../../support/golden.js';

const limit = vi.spyOn(process, 'constrainedMemory');
afterEach(() => {
  limit.mockReset();
});

const gqa = ['--model', goldenPath('gqa'), '--threads', '2'];
const { config, checkpoint } = await openModelDirectory(goldenPath('gqa'));
await checkpoint.close();
const needs = (context: number) =>
  memoryNeeds(layoutFor(config, checkpoint, { threads: 2, context }), context).total;
const load = async (options: WasmOptions) =>
  (await loadLlama(goldenPath('gqa'), { threads: 2, ...options })).model;

describe('the memory of this machine', () => {
  it.each([
    ['no limit', 0, totalmem()],
    ['no limit, as cgroups have it', 2 ** 64, totalmem()],
    ['a limit above what there is', 2 ** 53, totalmem()],
    ['a limit', 1e9, 1e9],
  ])('with %s', (_, constrained, memory) => {
    limit.mockReturnValue(constrained);
    expect(platform.memoryBytes()).toBe(memory);
  });
});

it('the parts add up, and the cache grows by pages of 64 positions', () => {
  const layout = layoutFor(config, checkpoint, { threads: 2, context: 1000 });
  const page = memoryNeeds(layout, 64).cache;
  for (const [positions, pages] of [
    [0, 0],
    [1, 1],
    [64, 1],
    [65, 2],
    [1000, 16],
  ]) {
    const { weights, cache, scratch, total } = memoryNeeds(layout, positions);
    expect(weights + cache + scratch).toBe(total);
    expect(cache).toBe(pages * page);
  }
});

describe('loading with a context', () => {
  it.each([64, 300, 2000])(
    'of %i positions takes place with just enough memory, and not with a byte less',
    async context => {
      const enough = needs(context);
      limit.mockReturnValue(enough);
      expect(await json(['estimate', ...gqa, '--context', `${context}`])).toMatchObject({
        fits: true,
        machine_bytes: enough,
      });
      await (await load({ context })).close();
      limit.mockReturnValue(enough - 1);
      expect(await json(['estimate', ...gqa, '--context', `${context}`])).toMatchObject({
        fits: false,
        total_bytes: enough,
      });
      const allocated = vi.spyOn(WebAssembly, 'Memory');
      await expect(load({ context })).rejects.toMatchObject({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(
          new RegExp(`^${enough} bytes .* ${enough - 1} .* ${context} positions.*q4_0`),
        ),
      });
      expect(allocated).not.toHaveBeenCalled();
      allocated.mockRestore();
    },
  );

  it('that depends on the configuration', async () => {
    limit.mockReturnValue(needs(128) - 1);
    const options = { context: () => 128 };
    await expect(load(options)).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  });
});

it('without a context, only what is in use must fit; more is refused before it grows', async () => {
  limit.mockReturnValue(needs(128));
  const model = await load({});
  const sequence = model.createSequence();
  await model.forward(continuing(sequence, new Array(120).fill(5)));
  const pass = model.forward(continuing(sequence, new Array(9).fill(5)));
  await expect(pass).rejects.toMatchObject({
    code: 'OUT_OF_MEMORY',
    message: expect.stringContaining('192 positions'),
  });
  expect(sequence.length).toBe(120);
  await model.forward(continuing(sequence, new Array(8).fill(5)));
  sequence.dispose();
  await model.forward(continuing(model.createSequence(), new Array(128).fill(5)));
  await model.close();
});

it('weights alone may be too much', async () => {
  limit.mockReturnValue(1e6);
  const message = expect.stringMatching(
    /for weights \+ \d+ for scratch; choose smaller weights, such as q4_0$/,
  );
  await expect(load({})).rejects.toMatchObject({ code: 'OUT_OF_MEMORY', message });
});

describe('the command line ends with 4', () => {
  const text = ['--tokens', '1,2,3'];
  it.each([
    ['generate', [...text, '--max-new-tokens', '62'], [...text, '--max-new-tokens', '61']],
    ['generate', [...text, '--max-length', '65'], [...text, '--max-length', '64']],
    [
      'logits',
      ['--tokens', new Array(65).fill(1).join(), '--json'],
      ['--tokens', new Array(64).fill(1).join(), '--json'],
    ],
    [
      'bench',
      ['--prompt-tokens', '60', '--new-tokens', '5'],
      ['--prompt-tokens', '60', '--new-tokens', '4'],
    ],
    ['chat', ['--context', '65'], ['--context', '64']],
  ])('%s %j, when there is memory for 64 positions', async (verb, tooMuch, enough) => {
    limit.mockReturnValue(needs(64));
    const { code, stdout, stderr } = await cli([verb, ...gqa, ...tooMuch]);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('positions');
    expect(stderr).toContain('OUT_OF_MEMORY');
    expect((await cli([verb, ...gqa, ...enough])).code).toBe(0);
  });

  it('generate does not ask for more positions than the model has', async () => {
    limit.mockReturnValue(needs(config.maxPositionEmbeddings));
    const { code } = await cli([
      'generate',
      ...gqa,
      ...text,
      '--max-new-tokens',
      '1000000000',
      '--stop',
      'e',
      '--stop',
      'a',
    ]);
    expect(code).toBe(0);
  });

  it('generate says what is wrong with the prompt before anything is loaded', async () => {
    limit.mockReturnValue(1);
    const { code, stderr } = await cli(['generate', ...gqa, ...text, '--max-length', '3']);
    expect(code).toBe(1);
    expect(stderr).toContain('--max-length');
  });
});
