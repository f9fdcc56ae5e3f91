import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { encodePrompt, formatPrompt } from '../../src/text/prompt.js';
import { allLogits, goldenPath, openGolden, readIntegers } from '../support/golden.js';
import { CLEAR_LINE, cli, FakeIo, json } from './support.js';

const tokens = await readIntegers('gqa/trace-f64.safetensors', 'tokens');
const V = 331;
const model = ['--model', goldenPath('gqa')];
const logits = (...args: string[]) =>
  json(['logits', ...model, '--tokens', tokens.join(','), ...args]);

describe('logits --json', () => {
  it.each(['f64', 'f32', 'bf16', 'f16'] as const)(
    '--numerics %s: those of the model, bit for bit',
    async numerics => {
      const golden = await openGolden('gqa', numerics);
      const expected = await allLogits(golden, tokens);
      await golden.close();
      expect(await logits('--kernels', 'exact', '--numerics', numerics)).toEqual({
        model: goldenPath('gqa'),
        kernels: `exact-${numerics}`,
        tokens,
        positions: [...tokens.keys()],
        logits: tokens.map((_, position) =>
          Array.from(expected.subarray(position * V, (position + 1) * V)),
        ),
      });
    },
  );

  it.each(['1', '7', '19', '1000'])('--chunk %s does not change a bit', async chunk => {
    expect(await logits('--chunk', chunk)).toEqual(await logits());
  });

  it.each([
    ['0,7,-1', [0, 7, 18]],
    ['-1', [18]],
    ['18', [18]],
    ['-19', [0]],
    ['7,0,-1,7,3', [7, 0, 18, 7, 3]],
  ])('--positions %s gives these rows, in this order', async (text, positions) => {
    const all = await logits();
    for (const chunk of ['1', '5', '19']) {
      const some = await logits('--positions', text, '--chunk', chunk);
      expect(some.positions).toEqual(positions);
      expect(some.logits).toEqual(positions.map(position => all.logits[position]));
    }
  });

  it.each(['19', '-20', '1.5', '', '0-3'])('refuses --positions %j', async text => {
    const { code, stdout, stderr } = await cli([
      'logits',
      ...model,
      '--tokens',
      tokens.join(),
      `--positions=${text}`,
    ]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/--positions: .*\(BAD_INPUT\)/);
  });

  it('takes ids from a file and from stdin', async () => {
    const file = join(tmpdir(), `llama-32k-tokens-${process.pid}.json`);
    await writeFile(file, JSON.stringify(tokens));
    const all = await logits();
    expect(await json(['logits', ...model, '--tokens-file', file])).toEqual(all);
    await rm(file);
    expect(
      await json(['logits', ...model, '--tokens-file', '-'], `${tokens.join('\n')}\n`),
    ).toEqual(all);
    const { code, stderr } = await cli(['logits', ...model, '--tokens-file', file]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(file)]);
  });

  it('puts BOS and the card format around a prompt, BOS before raw, nothing at ids', async () => {
    const tokenizer = await openTokenizer(goldenPath('gqa'));
    const instruction = formatPrompt([{ role: 'user', content: 'Hi you' }]);
    const prompt = ['logits', ...model, '--positions', '0', '--prompt'];
    expect((await json([...prompt, 'Hi you', '--raw'])).tokens).toEqual(
      encodePrompt(tokenizer, 'Hi you'),
    );
    expect((await json([...prompt, 'Hi you'])).tokens).toEqual(
      encodePrompt(tokenizer, instruction),
    );
    expect((await json([...prompt, '-'], 'Hi you')).tokens).toEqual(
      encodePrompt(tokenizer, instruction),
    );
    expect((await json(['logits', ...model, '--tokens', '5,6'])).tokens).toEqual([5, 6]);
  });

  it('needs no tokenizer for ids', async () => {
    const result = await json(['logits', '--model', goldenPath('long'), '--tokens', '1,2,3']);
    expect(result.logits).toHaveLength(3);
  });

  it.each([
    [['--tokens', '1,331'], 2, 'BAD_INPUT', 'token 331 is not in the vocabulary; ids are 0 to 330'],
    [['--tokens', '1,-1'], 2, 'BAD_INPUT', 'token -1'],
    [['--tokens', ''], 2, 'BAD_INPUT', 'there are no integers'],
    [
      ['--tokens', Array(32769).fill(1).join()],
      1,
      'CONTEXT_OVERFLOW',
      '32769 tokens, and the model has 32768',
    ],
    [[], 2, 'BAD_OPTION', 'give one of --prompt, --tokens, --tokens-file'],
    [['--tokens', '1', '--prompt', 'x'], 2, 'BAD_OPTION', '--prompt and --tokens; give one'],
    [['--tokens', '1', '--raw'], 2, 'BAD_OPTION', '--raw goes with --prompt'],
    [['--tokens', '1', '--chunk', '0'], 2, 'BAD_OPTION', '--chunk is 0'],
    [
      ['--tokens', '1', '--kernels', 'gpu'],
      2,
      'BAD_OPTION',
      '--kernels is "gpu"; there is: wasm, exact',
    ],
    [
      ['--tokens', '1', '--numerics', 'f32'],
      2,
      'BAD_OPTION',
      '--numerics has no effect with kernels wasm',
    ],
    [
      ['--tokens', '1', '--kernels', 'exact', '--threads', '2'],
      2,
      'BAD_OPTION',
      '--threads has no effect',
    ],
    [
      ['--tokens', '1', '--kernels', 'exact', '--cache', 'q8'],
      2,
      'BAD_OPTION',
      '--cache has no effect',
    ],
    [
      ['--tokens', '1', '--cache', 'bf16'],
      2,
      'BAD_OPTION',
      '--cache is "bf16"; there is: f32, f16, q8',
    ],
    [
      ['--tokens', '1', '--threads', '65'],
      2,
      'BAD_OPTION',
      'threads is 65; it must be an integer from 1 to 64',
    ],
    [['--tokens', '1', '--weights', 'q3'], 2, 'BAD_OPTION', 'native, f32, f16, bf16, q8_0, q4_0'],
    [
      ['--tokens', '1', '--kernels', 'exact', '--numerics', 'f8'],
      2,
      'BAD_OPTION',
      'f64, f32, bf16, f16',
    ],
  ])('refuses %j before it computes', async (args, exit, code, message) => {
    const result = await cli(['logits', ...model, ...args, '--json']);
    const { error } = JSON.parse(result.stderr);
    expect([result.code, result.stdout, error.code]).toEqual([exit, '', code]);
    expect(error.message).toContain(message);
  });
});

describe('logits for a person', () => {
  it('lists the best tokens of each position', async () => {
    const { logits: rows } = await logits('--positions', '-1');
    const best = rows[0].indexOf(Math.max(...rows[0]));
    const { stdout } = await cli([
      'logits',
      ...model,
      '--tokens',
      tokens.join(),
      '--positions',
      '0,-1',
    ]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2 * 7);
    expect(lines[0]).toBe('after position 0, token 1 <s>');
    expect(lines[9].trim().split(/\s+/).slice(0, 2)).toEqual([
      String(best),
      Math.max(...rows[0]).toFixed(6),
    ]);
  });

  it('shows progress on a terminal, and only there', async () => {
    const args = ['logits', ...model, '--tokens', tokens.join(), '--positions=-1'];
    const shown = (await cli(args, '', new FakeIo(['stderr']))).stderr.split(CLEAR_LINE);
    // What comes within a tenth of a second of the last line is not shown.
    expect(shown).toEqual([
      '',
      expect.stringMatching(/^loading \d+ %$/),
      ...shown.slice(2, -1),
      '',
    ]);
    const exact = (
      await cli([...args, '--kernels', 'exact'], '', new FakeIo(['stderr']))
    ).stderr.split(CLEAR_LINE);
    expect(exact).toEqual([
      '',
      expect.stringMatching(/^prefill \d+\/19 tokens/),
      ...exact.slice(2, -1),
      '',
    ]);
    expect((await cli([...args, '--json'], '', new FakeIo(['stderr']))).stderr).toBe('');
    expect((await cli(args, '', new FakeIo(['stdout']))).stderr).toBe('');
  });
});
