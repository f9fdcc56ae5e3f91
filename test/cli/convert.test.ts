import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../convert/support.js';
import { goldenPath } from '../support/golden.js';
import { CLEAR_LINE, cli, FakeIo, json } from './support.js';

const { at, names } = temporaryDirectory();
const model = ['--model', goldenPath('gqa')];

/** Without what names the files or the clock. */
async function said(...args: string[]) {
  const { model: _, timings: __, ...rest } = await json(args);
  return rest;
}

describe('logits and text are the same bits in every form that loses nothing', () => {
  const logits = (path: string, ...more: string[]) => {
    return said('logits', '--tokens', '1,118,292,17,330', '--model', path, ...more);
  };
  const generated = (path: string) =>
    said('generate', '--prompt', 'Hi', '--max-new-tokens', '12', '--model', path);

  it('golden/gqa as GGUF, as a directory, and in shards', async () => {
    await json(['convert', ...model, '--output', at('model.gguf')]);
    await json(['convert', '--model', at('model.gguf'), '--output', at('model')]);
    await json(['convert', ...model, '--output', at('shards'), '--shard-size', '400000']);
    const expected = await logits(goldenPath('gqa'));
    const exact = await logits(goldenPath('gqa'), '--kernels', 'exact');
    const text = await generated(goldenPath('gqa'));
    for (const path of ['model.gguf', 'model', 'shards'].map(name => at(name))) {
      expect(await logits(path)).toEqual(expected);
      expect(await logits(path, '--kernels', 'exact')).toEqual(exact);
      expect(await generated(path)).toEqual(text);
    }
  });

  it('golden/tied, which is bf16, as GGUF, and back', async () => {
    await json(['convert', '--model', goldenPath('tied'), '--output', at('model.gguf')]);
    await json(['convert', '--model', at('model.gguf'), '--output', at('model'), '--type', 'bf16']);
    const expected = await logits(goldenPath('tied'));
    for (const path of [at('model.gguf'), at('model')])
      expect(await logits(path)).toEqual(expected);
  });

  it('blocks, widened to float32', async () => {
    const blocks = goldenPath('gguf/long-blocks.gguf');
    await json(['convert', '--model', blocks, '--output', at('model'), '--type', 'f32']);
    const tokens = ['logits', '--tokens', '1,5,9', '--kernels', 'exact'];
    expect(await said(...tokens, '--model', at('model'))).toEqual(
      await said(...tokens, '--model', blocks),
    );
  });
});

describe('convert', () => {
  it('--json tells what was written', async () => {
    const output = at('model');
    const { seconds, ...written } = await json([
      'convert',
      ...model,
      '--output',
      output,
      '--type',
      'bf16',
    ]);
    expect(seconds).toBeGreaterThan(0);
    expect(written).toMatchObject({ model: goldenPath('gqa'), output, tensors: 30, rounded: 30 });
    expect(written.files.map(({ name }: { name: string }) => name).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.model',
    ]);
    const { totals } = await json(['inspect', '--model', output]);
    expect(written.dtypes).toEqual(totals.dtypes);
    expect(Object.keys(written.dtypes)).toEqual(['BF16']);
  });

  it('a person is told in a few lines, and whether numbers changed', async () => {
    const { code, stdout, stderr } = await cli(['convert', ...model, '--output', at('model.gguf')]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^model\.gguf {2}[\d,]+$/m);
    expect(stdout).toMatch(
      /^[\d,]+ bytes in [\d.]+ s; 30 tensors with [\d,]+ F32; no number was changed$/m,
    );
    const half = await cli(['convert', ...model, '--output', at('half.gguf'), '--type', 'f16']);
    const same = ['--output', at('same.gguf'), '--type', 'source'];
    expect((await cli(['convert', ...model, ...same])).stdout).toMatch(/; no number was changed$/m);
    expect(half.stdout).toMatch(/; 30 tensors with [\d,]+ F16, [\d,]+ F32; 23 tensors rounded$/m);
  });

  it('shows on a terminal how far it is, and clears the line', async () => {
    const io = new FakeIo(['stderr']);
    await cli(['convert', ...model, '--output', at('model')], '', io);
    expect(io.stderr.text).toMatch(/writing \d+ %/);
    expect(io.stderr.text.endsWith(CLEAR_LINE)).toBe(true);
  });

  it('Ctrl-C leaves nothing', async () => {
    const io = new FakeIo(['stderr']);
    const write = io.stderr.write.bind(io.stderr);
    io.stderr.write = ((chunk: string) => {
      if (chunk.includes('writing')) io.interrupt();
      return write(chunk);
    }) as typeof write;
    const { code, stdout } = await cli(['convert', ...model, '--output', at('model')], '', io);
    expect([code, stdout, await names()]).toEqual([130, '', []]);
  });

  it('--force replaces a file', async () => {
    await writeFile(at('model.gguf'), 'mine');
    const args = ['convert', ...model, '--output', at('model.gguf')];
    expect((await cli(args)).code).toBe(2);
    expect((await cli([...args, '--force', '--threads', '2'])).code).toBe(0);
  });

  it.each([
    [[], '--output is missing'],
    [['--output', ''], '--output is missing'],
    [['--output', 'x', '--type', 'q8_0'], '--type is "q8_0"; there is: source, f32, f16, bf16'],
    [['--output', 'x', '--shard-size', '5GB'], '--shard-size is "5GB"'],
    [['--output', 'x', '--threads', '0'], 'threads is 0'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await cli(['convert', ...model, ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('quantize', () => {
  it('writes what inspect then tells, and what runs', async () => {
    const output = at('q8.gguf');
    const { rounded, ...written } = await json([
      ...['quantize', '--model', goldenPath('gguf/long-blocks.gguf')],
      ...['--output', output, '--type', 'q8_0', '--allow-requantize'],
    ]);
    expect(rounded).toBeGreaterThan(0);
    const { totals } = await json(['inspect', '--model', output]);
    expect(written.dtypes).toEqual(totals.dtypes);
    expect(Object.keys(totals.dtypes)).toContain('Q8_0');
    expect((await json(['logits', '--tokens', '1,5', '--model', output])).logits).toHaveLength(2);
  });

  it.each([
    [['--output', 'x.gguf'], '--type is missing; there is: q8_0, q6_k,'],
    [['--output', 'x.gguf', '--type', 'q3_k'], '--type is "q3_k"'],
    [['--output', 'x', '--type', 'q8_0'], 'ends in .gguf'],
    [['--type', 'q8_0'], '--output is missing'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await cli(['quantize', ...model, ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('names the option that allows to quantize twice', async () => {
    const args = [
      '--model',
      goldenPath('gguf/long-blocks.gguf'),
      '--output',
      at('x.gguf'),
      '--type',
      'q4_0',
    ];
    const { code, stderr } = await cli(['quantize', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--allow-requantize')]);
  });
});
