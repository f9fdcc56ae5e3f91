import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../src/load/model.js';
import { type Perplexity, perplexity } from '../../src/text/perplexity/perplexity.js';
import { goldenPath } from '../support/golden.js';
import { cli, FakeIo, json } from './support.js';

const TEXT = 'The miller has an old key. The key is in the garden, and the kite is red.\n'.repeat(
  9,
);
const model = ['--model', goldenPath('gqa')];

let folder: string;
let file: string;
let ids: number[];
const expected: Record<string, Perplexity> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llama-32k-perplexity-'));
  file = join(folder, 'text.txt');
  await writeFile(file, TEXT);
  const loaded = await loadModel(goldenPath('gqa'));
  ids = loaded.tokenizer.encode(TEXT.slice(0, -1), { bos: true });
  expected.chunks = await perplexity(loaded.model, ids, { ctxSize: 50, bos: 1 });
  expected.stride = await perplexity(loaded.model, ids, { ctxSize: 50, stride: 25 });
  expected.pplStride = await perplexity(loaded.model, ids, { ctxSize: 50, pplStride: 20 });
  expected.noBos = await perplexity(loaded.model, ids.slice(1), { ctxSize: 50 });
  expected.ids = await perplexity(loaded.model, ids, { ctxSize: 50 });
  await loaded.close();
});
afterAll(() => rm(folder, { recursive: true }));

const figuresOf = ({ perplexity, standardError, meanNll, tokens, chunks }: Perplexity) => ({
  perplexity,
  standard_error: standardError,
  mean_nll: meanNll,
  tokens_scored: tokens,
  chunks: chunks.map(({ start, end, nlls, perplexity }) => ({
    start,
    end,
    tokens_scored: nlls.length,
    mean_nll: nlls.reduce((a, b) => a + b) / nlls.length,
    perplexity,
  })),
});

describe('perplexity --json', () => {
  it.each([
    ['chunks', [], { stride: null, ppl_stride: null, bos: 1 }],
    ['stride', ['--stride', '25'], { stride: 25, ppl_stride: null, bos: null }],
    ['pplStride', ['--ppl-stride', '20'], { stride: null, ppl_stride: 20, bos: null }],
    ['noBos', ['--no-bos'], { stride: null, ppl_stride: null, bos: null }],
  ] as const)('%s: that of the library, from a file and from stdin', async (name, args, cut) => {
    const verb = ['perplexity', ...model, '--ctx-size', '50', ...args];
    const result = await json([...verb, '--file', file]);
    expect(result).toEqual({
      model: goldenPath('gqa'),
      kernels: 'wasm-f32',
      ...figuresOf(expected[name]),
      tokens: name === 'noBos' ? ids.length - 1 : ids.length,
      ctx_size: 50,
      ...cut,
    });
    expect(await json([...verb, '--file', '-'], TEXT)).toEqual(result);
  });

  it('has the letters that llama-perplexity has', async () => {
    const letters = await json(['perplexity', '-m', goldenPath('gqa'), '-c', '50', '-f', file]);
    expect(letters).toMatchObject(figuresOf(expected.chunks));
  });

  it('takes ids: if they begin with BOS, so does every chunk, unless told otherwise', async () => {
    const verb = ['perplexity', ...model, '--ctx-size', '50', '--tokens-file', '-'];
    expect(await json(verb, ids.join())).toMatchObject(figuresOf(expected.chunks));
    const kept = await json([...verb, '--no-bos'], ids.join());
    expect(kept).toMatchObject({ ...figuresOf(expected.ids), bos: null });
    const bare = await json(verb, ids.slice(1).join());
    expect(bare).toMatchObject({ ...figuresOf(expected.noBos), bos: null });
  });

  it('needs no tokenizer for ids', async () => {
    const verb = ['perplexity', '--model', goldenPath('long'), '--ctx-size', '3'];
    const { tokens_scored } = await json([...verb, '--tokens-file', '-'], '1,2,3,4,5,6,7');
    expect(tokens_scored).toBe(2);
  });

  it.each([
    [[], 'BAD_OPTION', 'there is no text; give one of --file, --tokens-file'],
    [['--file', '-', '--tokens-file', '-'], 'BAD_OPTION', '--file and --tokens-file; give one'],
    [['--file', 'no/such.txt'], 'BAD_OPTION', '--file: there is no no/such.txt'],
    [['--file', '.'], 'BAD_OPTION', '--file: . is a directory'],
    [['--tokens-file', '-'], 'BAD_INPUT', '--tokens-file: "The" is not an integer'],
    [['--file', '-', '--ctx-size', '2'], 'BAD_OPTION', '--ctx-size is 2; it must be an integer, 3'],
    [['--file', '-', '--stride', '513'], 'BAD_OPTION', '--stride is 513; it must be at most --ctx'],
    [['--file', '-', '--stride', '5', '--ppl-stride', '5'], 'BAD_OPTION', '--ppl-stride are two'],
    [['--file', '-'], 'BAD_INPUT', 'or a --ctx-size of at most 2'],
    [['--file', '-', '--ctx-size', '99999'], 'CONTEXT_OVERFLOW', '99999 tokens (--ctx-size)'],
  ])('refuses %j with a next step', async (args, code, message) => {
    const { stdout, stderr } = await cli(['perplexity', ...model, ...args, '--json'], TEXT);
    const { error } = JSON.parse(stderr);
    expect([stdout, error.code]).toEqual(['', code]);
    expect(error.message).toContain(message);
  });
});

describe('perplexity for a person', () => {
  it('has the value up to each chunk on stderr, the last with its error on stdout', async () => {
    const { perplexity, standardError, meanNll, tokens, chunks } = expected.chunks;
    const args = ['perplexity', ...model, '--ctx-size', '50', '--file', file];
    const { stdout, stderr } = await cli(args);
    expect(stdout).toBe(
      `perplexity ${perplexity.toFixed(4)} ± ${standardError!.toFixed(4)}\n` +
        `mean −log p ${meanNll.toFixed(5)} nats, ${tokens} tokens scored in ${chunks.length} ` +
        'chunks\n',
    );
    const values = chunks.map(({ perplexity }, i) => `[${i + 1}]${perplexity.toFixed(4)},`);
    expect(stderr).toBe(`${values.join('')}\n`);
  });

  it('ends at Ctrl-C, with a line of its own', async () => {
    const io = new FakeIo();
    const args = ['perplexity', ...model, '--ctx-size', '3', '--file', '-'];
    const running = cli(args, TEXT, io);
    while (!io.stderr.text.includes('[1]')) await new Promise(resolve => setTimeout(resolve, 1));
    io.interrupt();
    const { code, stdout, stderr } = await running;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/,\nllama-32k: interrupted \(INTERRUPTED\)\n$/);
  });
});
