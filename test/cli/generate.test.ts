import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/load/model.js';
import { complete, generate } from '../../src/text/generate.js';
import { formatPrompt } from '../../src/text/prompt.js';
import { goldenPath } from '../support/golden.js';
import { CLEAR_LINE, cli, endlessModel, FakeIo, json } from './support.js';

const model = ['--model', goldenPath('gqa')];
const short = [...model, '--max-new-tokens', '8'];

interface GreedyCase {
  readonly prompt: number[];
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly tokens: number[];
}

describe.each(['gqa', 'mha', 'tied'])('generate --tokens on golden/%s', async name => {
  const { cases } = JSON.parse(await readFile(goldenPath(`${name}/greedy.json`), 'utf8')) as {
    cases: GreedyCase[];
  };
  // The card's call has sampling parameters that transformers ignores, and a max_length of 128.
  const flags = ({ options }: GreedyCase) =>
    Object.entries(options)
      .filter(([key]) => ['max_new_tokens', 'max_length', 'repetition_penalty'].includes(key))
      .flatMap(([key, value]) => [`--${key.replaceAll('_', '-')}`, String(value)]);

  it.each(cases.map(each => [each.prompt.length, flags(each).join(' '), each] as const))(
    'gives the tokens of transformers: %i tokens, %s',
    async (_, __, each) => {
      const ids = each.prompt.join(',');
      const args = [
        'generate',
        '--model',
        goldenPath(name),
        '--tokens',
        ids,
        '--kernels',
        'exact',
        '--numerics',
        'f32',
        ...flags(each),
      ];
      const { tokens } = await json(args);
      // transformers does not stop at BOS, which here ends a reply.
      const end = each.tokens.indexOf(1) + 1 || each.tokens.length;
      expect(tokens).toEqual(each.tokens.slice(0, end));
    },
  );
});

describe('generate', () => {
  it('prints the continuation, all of it and nothing else, on stdout', async () => {
    const { text } = await json(['generate', '--prompt', 'Hi', ...short]);
    const { code, stdout, stderr } = await cli(['generate', '--prompt', 'Hi', ...short]);
    expect([code, stdout, stderr]).toEqual([0, text, '']);
    expect(text).not.toBe('');
  });

  it('--json has the schema of the contract', async () => {
    const result = await json(['generate', '--prompt', 'Hi', '--raw', ...short]);
    expect(result).toEqual({
      text: expect.any(String),
      tokens: expect.any(Array),
      finish_reason: 'length',
      prompt_tokens: 4,
      reused_tokens: 0,
      completion_tokens: 8,
      lookup: { proposed: expect.any(Number), accepted: expect.any(Number) },
      timings: { prefill_seconds: expect.any(Number), decode_seconds: expect.any(Number) },
      seed: null,
      model: goldenPath('gqa'),
      kernels: 'wasm-f32',
    });
    expect(result.tokens).toHaveLength(8);
  });

  it('puts a prompt into the format of the card, unless it is raw', async () => {
    await using loaded = await loadModel(goldenPath('gqa'));
    const promptTokens = (text: string) => loaded.tokenizer.encode(text, { bos: true }).length;
    const card = formatPrompt([{ role: 'user', content: 'Hi' }]);
    expect((await json(['generate', '--prompt', 'Hi', ...short])).prompt_tokens).toBe(
      promptTokens(card),
    );
    expect((await json(['generate', '--prompt', 'Hi', '--raw', ...short])).prompt_tokens).toBe(
      promptTokens('Hi'),
    );
    expect(await json(['generate', '--prompt', card, '--raw', ...short])).toMatchObject({
      tokens: (await json(['generate', '--prompt', 'Hi', ...short])).tokens,
    });
  });

  it('reads a prompt from stdin', async () => {
    const tokens = async (prompt: string, stdin?: string) =>
      (await json(['generate', '--prompt', prompt, ...short, '--raw'], stdin)).tokens;
    const [plain, withNewline] = [await tokens('Hi'), await tokens('Hi\n')];
    expect(plain).not.toEqual(withNewline);
    for (const stdin of ['Hi', 'Hi\n', 'Hi\r\n']) expect(await tokens('-', stdin)).toEqual(plain);
    expect(await tokens('-', 'Hi\n\n')).toEqual(withNewline);
  });

  it.each(['', '\n'])('refuses stdin without a prompt: %j', async stdin => {
    const { code, stderr } = await cli(['generate', '--prompt', '-', ...short], stdin);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('stdin is empty; write the prompt into it (BAD_INPUT)'),
    ]);
  });

  it('hands every sampling option on', async () => {
    const sampling = {
      temperature: 0.9,
      topK: 40,
      topP: 0.95,
      minP: 0.001,
      repetitionPenalty: 1.2,
      seed: 7,
    };
    const filters = '--temperature 0.9 --top-k 40 --top-p 0.95 --min-p 0.001';
    const flags = `${filters} --repetition-penalty 1.2 --seed 7`.split(' ');
    await using loaded = await loadModel(goldenPath('gqa'));
    const steps = generate(loaded.model, loaded.tokenizer, [1, 183], {
      ...sampling,
      maxNewTokens: 30,
    });
    let expected: readonly number[] = [];
    for await (const { result } of steps) expected = result?.tokens ?? [];
    const args = ['generate', '--tokens', '1,183', ...model, '--max-new-tokens', '30'];
    expect(await json([...args, ...flags])).toMatchObject({ tokens: expected, seed: 7 });
    for (let i = 0; i < flags.length; i += 2) {
      if (flags[i] === '--temperature') continue; // without it the others are refused
      const without = flags.toSpliced(i, 2, ...(flags[i] === '--seed' ? ['--seed', '8'] : []));
      const { tokens } = await json([...args, ...without]);
      if (flags[i] !== '--min-p') expect(tokens, flags[i]).not.toEqual(expected);
    }
  });

  it.each(['wasm', 'exact'] as const)(
    '--rope-factor stands in for that of the model, with kernels %s',
    async kernels => {
      const prompt = [1, 183, 40, 97];
      const tokens = async (...flags: string[]) => {
        const args = [
          'generate',
          '--tokens',
          prompt.join(','),
          ...model,
          '--max-new-tokens',
          '20',
          '--kernels',
          kernels,
        ];
        return (await json([...args, ...flags])).tokens;
      };
      await using ignored = await loadModel(goldenPath('gqa'), { kernels, ropeFactor: 1 });
      const { tokens: expected } = await complete(ignored.model, ignored.tokenizer, prompt, {
        maxNewTokens: 20,
      });
      expect(await tokens('--rope-factor', '1')).toEqual(expected);
      expect(await tokens()).not.toEqual(expected);
      expect(await tokens()).toEqual(await tokens('--rope-factor', '8'));
    },
  );

  it('--json tells a seed that nobody gave, and it repeats the text', async () => {
    const args = ['generate', '--prompt', 'Hi', '--temperature', '1', ...short];
    const { seed, tokens } = await json(args);
    expect(seed).toEqual(expect.any(Number));
    expect((await json([...args, '--seed', String(seed)])).tokens).toEqual(tokens);
  });

  it('--stop ends before the text, any of several', async () => {
    const { text } = await json(['generate', '--tokens', '1,183', ...short]); // agϵ\n…
    const stopped = await json([
      'generate',
      '--tokens',
      '1,183',
      ...short,
      '--stop',
      'zzz',
      '--stop',
      'ϵ',
    ]);
    expect(stopped).toMatchObject({
      finish_reason: 'stop',
      text: text.slice(0, text.indexOf('ϵ')),
    });
  });

  it('--max-length counts the prompt, and then nothing else limits it', async () => {
    expect(
      await json(['generate', '--tokens', '1,183', ...model, '--max-length', '100']),
    ).toMatchObject({
      finish_reason: 'length',
      completion_tokens: 98,
    });
  });

  it('has a limit of 256 tokens, and says so when it ends there', async () => {
    const model = await endlessModel();
    const { code, stderr } = await cli(['generate', '--prompt', 'Hi', '--model', model.path]);
    expect(code).toBe(0);
    const [first, last, ...others] = stderr.split('\n');
    expect(first).toMatch(/texts end with token 0 for the model .* with token 2 for the tokenizer/);
    expect(last).toBe(
      'llama-32k: ended after 256 tokens, the limit; --max-new-tokens N allows more',
    );
    expect(others).toEqual(['']);
    await model.remove();
  });

  it('--logprobs adds those of every token', async () => {
    const { tokens, logprobs } = await json([
      'generate',
      '--prompt',
      'Hi',
      ...short,
      '--logprobs',
      '2',
    ]);
    expect(logprobs.map(({ token }: { token: number }) => token)).toEqual(tokens);
    for (const { token, logprob, top_logprobs } of logprobs) {
      expect(top_logprobs).toHaveLength(2);
      expect(top_logprobs[0]).toEqual({ token, logprob }); // greedy
      expect(logprob).toBeLessThan(0);
    }
  });

  it.each([
    [['--temperature', '-1'], '--temperature is -1'],
    [['--top-k', '5'], '--top-k is 5, but without a temperature'],
    [['--top-p', '2', '--temperature', '1'], '--top-p is 2'],
    [['--min-p', '2', '--temperature', '1'], '--min-p is 2'],
    [['--repetition-penalty', '0'], '--repetition-penalty is 0'],
    [['--seed', '-1'], '--seed is -1'],
    [['--seed', '1.5'], '--seed is "1.5"'],
    [['--max-new-tokens', '0'], '--max-new-tokens is 0'],
    [['--max-length', '0'], '--max-length is 0'],
    [['--stop', ''], '--stop has ""'],
    [['--presence-penalty', 'x'], '--presence-penalty is "x"'],
    [['--logit-bias', '5'], '--logit-bias is "5"; it must be a token id and a number'],
    [['--logit-bias', '999999:1'], '--logit-bias has token 999999'],
    [['--bad-words-ids', '999999'], '--bad-words-ids has token 999999'],
    [['--stop-token-ids', '999999'], '--stop-token-ids has token 999999'],
    [['--min-new-tokens', '257'], '--min-new-tokens is 257; it must be at most --max-new-tokens'],
    [['--typical-p', '0', '--temperature', '1'], '--typical-p is 0; it must be a number above 0'],
    [['--logprobs', '2'], '--logprobs needs --json'],
    [['--logprobs', '21', '--json'], '--logprobs is 21'],
  ])('refuses %j under its own name, with the way to the help', async (args, message) => {
    const { code, stdout, stderr } = await cli(['generate', '--prompt', 'Hi', ...model, ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('see llama-32k generate --help');
    expect(stderr).toContain('BAD_OPTION');
  });

  it('refuses a prompt that leaves no room', async () => {
    const { code, stderr } = await cli([
      'generate',
      '--prompt',
      'Hi',
      ...model,
      '--max-length',
      '3',
    ]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('CONTEXT_OVERFLOW')]);
    expect(stderr).toMatch(
      /and 3 is --max-length, .* shorten the prompt, or give a larger --max-length \(/,
    );
  });

  it('warns of what is probably a mistake in a prompt', async () => {
    const warned = async (...args: string[]) => (await cli(['generate', ...short, ...args])).stderr;
    expect(await warned('--raw', '--prompt', '[INST]\nHi\n[\\INST]')).toContain('misprint');
    expect(await warned('--raw', '--prompt', '[INST]\nHi\n[/INST]\n\n')).toBe('');
    expect(await warned('--raw', '--prompt', 'Hi</s>')).toContain('tokens, not text: </s>');
    expect(await warned('--prompt', '[INST]\nHi\n[/INST]\n\n')).toContain(
      '--raw takes it as it is',
    );
  });

  it('ends the line on a terminal, and shows control characters there', async () => {
    const { text } = await json([
      'generate',
      '--tokens',
      '1,183',
      ...model,
      '--max-new-tokens',
      '20',
    ]);
    const args = ['generate', '--tokens', '1,183', ...model, '--max-new-tokens', '20'];
    const { stdout } = await cli(args, '', new FakeIo(['stdout', 'stderr']));
    expect(text).toMatch(/[^\n]$/);
    expect(stdout).toMatch(/\n$/);
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it('shows progress on a terminal, and only there', async () => {
    const args = ['generate', '--prompt', 'Hi', ...short];
    const shown = (await cli(args, '', new FakeIo(['stderr']))).stderr.split(CLEAR_LINE);
    // What comes within a tenth of a second of the last line is not shown.
    expect(shown).toEqual([
      '',
      expect.stringMatching(/^loading \d+ %$/),
      ...shown.slice(2, -1),
      '',
    ]);
    expect((await cli([...args, '--json'], '', new FakeIo(['stderr']))).stderr).toBe('');
    expect((await cli(args, '', new FakeIo(['stdout']))).stderr).toBe('');
  });

  it('is ended by Ctrl-C, with 130, what was printed staying', async () => {
    const model = await endlessModel();
    const io = new FakeIo();
    const result = cli(
      ['generate', '--prompt', 'Hi', '--model', model.path, '--max-new-tokens', '20000'],
      '',
      io,
    );
    while (io.stdout.text === '') await new Promise(resolve => setTimeout(resolve, 5));
    io.interrupt();
    expect(await result).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/\nllama-32k: interrupted \(INTERRUPTED\)\n$/),
    });
    expect(io.stdout.text).not.toBe('');
    expect(io.interrupts.size).toBe(0);
    await model.remove();
  });
});
