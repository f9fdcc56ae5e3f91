import { describe, expect, it } from 'vitest';
import { LlamaError } from '../../src/base/errors.js';
import { report } from '../../src/cli/terminal/errors.js';
import { Interrupted } from '../../src/cli/terminal/io.js';
import { VERBS } from '../../src/cli/verbs.js';
import { goldenPath } from '../support/golden.js';
import { cli, FakeIo } from './support.js';

describe('llama-32k', () => {
  it.each([[[]], [['--help']], [['-h']]])('%j lists the verbs on stdout', async args => {
    const { code, stdout, stderr } = await cli(args);
    expect([code, stderr]).toEqual([0, '']);
    for (const { name, summary } of VERBS) expect(stdout).toContain(`${name.padEnd(12)}${summary}`);
  });

  it('--version prints that of the package', async () => {
    expect((await cli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('refuses an unknown verb and lists the known ones', async () => {
    const { code, stdout, stderr } = await cli(['genrate', '--prompt', 'x']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'llama-32k: "genrate" is not a verb; there is: generate, chat, serve, cache, logits, ' +
        'perplexity, tokenize, detokenize, inspect, convert, quantize, estimate, bench, compare, ' +
        'vectors, mutants; see llama-32k --help (BAD_OPTION)\n',
    );
  });

  it('says where the verb goes when an option comes first', async () => {
    expect((await cli(['--model', 'm', 'generate'])).stderr).toContain('the verb comes first');
  });

  it.each(VERBS.map(verb => verb.name))(
    '%s refuses an unknown option, and points to its help',
    async name => {
      const { code, stdout, stderr } = await cli([name, '--beams', '4']);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        new RegExp(
          `^llama-32k: Unknown option '--beams'.*; see llama-32k ${name} --help ` +
            '\\(BAD_OPTION\\)\n$',
        ),
      );
    },
  );
});

describe('exit codes', () => {
  it.each([
    ['BAD_OPTION', 2],
    ['BAD_INPUT', 2],
    ['BAD_CONFIG', 3],
    ['UNSUPPORTED', 3],
    ['BAD_CHECKPOINT', 3],
    ['TENSOR_MISMATCH', 3],
    ['BAD_TOKENIZER', 3],
    ['NOT_FOUND', 3],
    ['WRITE_FAILED', 1],
    ['UNAUTHORIZED', 1],
    ['DOWNLOAD_FAILED', 1],
    ['OUT_OF_MEMORY', 4],
    ['CONTEXT_OVERFLOW', 1],
    ['NOT_FINITE', 1],
    ['BROKEN_INSTALLATION', 1],
    ['WORKER_FAILED', 1],
    ['DISPOSED', 1],
  ] as const)('%s is %i, with message and code on one line', (code, exit) => {
    const io = new FakeIo();
    expect(report(new LlamaError(code, 'what happened'), io, false)).toBe(exit);
    expect(io.stderr.text).toBe(`llama-32k: what happened (${code})\n`);
  });

  it.each([true, false])('a message is one line, whatever it quotes: --json %s', json => {
    const io = new FakeIo();
    report(new LlamaError('NOT_FOUND', 'cannot open a\nb:\r\n  why'), io, json);
    expect(io.stderr.text).toContain('cannot open a b: why');
    expect(io.stderr.text).toMatch(/^[^\r\n]*\n$/);
  });

  it('an interruption is 130', () => {
    expect(report(new Interrupted('interrupted'), new FakeIo(), false)).toBe(130);
  });

  it('an allocation that V8 refuses is 4', () => {
    let refusal: unknown;
    try {
      new Float64Array(2 ** 53 - 1);
    } catch (error) {
      refusal = error;
    }
    expect(report(refusal, new FakeIo(), false)).toBe(4);
  });

  it('what should not happen is 1, with its stack', () => {
    const io = new FakeIo();
    expect(report(new TypeError('x is undefined'), io, false)).toBe(1);
    expect(io.stderr.text).toMatch(/please report it\nTypeError: x is undefined\n {4}at /);
  });

  it('with --json the error is JSON', async () => {
    const { code, stdout, stderr } = await cli(['generate', '--json']);
    expect([code, stdout]).toEqual([2, '']);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'BAD_OPTION', message: expect.stringContaining('--prompt') },
    });
  });
});

describe('--model', () => {
  it.each([
    [
      'no/such/directory',
      3,
      'NOT_FOUND',
      'there is no no/such/directory; --model takes a directory that has config.json',
    ],
    [
      'some.gguf',
      3,
      'NOT_FOUND',
      'there is no some.gguf; --model takes a directory that has config.json, or a GGUF file',
    ],
    ['dir/some.gguf', 3, 'NOT_FOUND', 'there is no dir/some.gguf; --model takes'],
    ['package.json', 3, 'BAD_CHECKPOINT', 'package.json: it begins with "{\\n  ", not with GGUF'],
    [goldenPath('rope'), 3, 'NOT_FOUND', 'config.json'],
  ])('%s is refused by name', async (model, exit, code, message) => {
    const { code: actual, stderr } = await cli(['inspect', '--model', model, '--json']);
    const { error } = JSON.parse(stderr);
    expect([actual, error.code]).toEqual([exit, code]);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('ENOENT');
  });

  it('none is the embedded model, which stderr is told', async () => {
    const { code, stdout, stderr } = await cli(['inspect']);
    expect([code, stdout.split('\n')[0]]).toEqual([0, goldenPath('tiny-32k')]);
    expect(stderr).toMatch(/^llama-32k: no --model: this is tiny-32k, .*\n$/);
    expect((await cli(['inspect', '--model', goldenPath('mha')])).stderr).toBe('');
  });

  it('with --json stderr has nothing but the error', async () => {
    const inspected = await cli(['inspect', '--json']);
    expect([JSON.parse(inspected.stdout).model, inspected.stderr]).toEqual([
      goldenPath('tiny-32k'),
      '',
    ]);
    const { stderr } = await cli(['generate', '--prompt', 'Hi <s>', '--max-length', '3', '--json']);
    expect(JSON.parse(stderr).error.code).toBe('CONTEXT_OVERFLOW');
  });
});

describe('colours', () => {
  const isColoured = async (io: FakeIo) => (await cli(['--help'], '', io)).stdout.includes('\x1b');

  it('are for terminals, and not if NO_COLOR is set', async () => {
    expect(await isColoured(new FakeIo(['stdout']))).toBe(true);
    // as no-color.org has it
    expect(await isColoured(new FakeIo(['stdout'], { NO_COLOR: '' }))).toBe(true);
    expect(await isColoured(new FakeIo(['stdout'], { NO_COLOR: '1' }))).toBe(false);
    expect(await isColoured(new FakeIo(['stdout'], { TERM: 'dumb' }))).toBe(false);
    expect(await isColoured(new FakeIo())).toBe(false);
  });
});
