import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { goldenPath } from '../support/golden.js';
import { cli, FakeIo, json } from './support.js';

const model = ['--model', goldenPath('tokenizer')]; // no config.json there: none is needed
const tokenizer = await openTokenizer(goldenPath('tokenizer'));

describe('tokenize', () => {
  it('prints the ids', async () => {
    const { code, stdout, stderr } = await cli(['tokenize', 'Hi you', ...model]);
    expect([code, stdout, stderr]).toEqual([0, `${tokenizer.encode('Hi you').join(',')}\n`, '']);
  });

  it('--json prints ids and pieces; --bos puts BOS in front', async () => {
    const ids = tokenizer.encode('Hi you');
    expect(await json(['tokenize', 'Hi you', ...model])).toEqual({
      ids,
      pieces: tokenizer.pieces(ids),
    });
    expect(await json(['tokenize', 'Hi you', '--bos', ...model])).toEqual({
      ids: [1, ...ids],
      pieces: ['<s>', ...tokenizer.pieces(ids)],
    });
  });

  it.each(['', 'line\n', ' two  spaces ', '</s>', '日本語 🦙', '\ufeffmark'])(
    '- is stdin as it is: %j',
    async text => {
      const ids = tokenizer.encode(text, { special: 'added' });
      expect((await json(['tokenize', '-', ...model], text)).ids).toEqual(ids);
    },
  );

  it('takes a text that begins with a dash after --', async () => {
    expect((await cli(['tokenize', ...model, '--', '-x'])).stdout).toBe(
      `${tokenizer.encode('-x').join(',')}\n`,
    );
  });

  it('refuses no text, and bytes that are not UTF-8', async () => {
    expect(await cli(['tokenize', ...model])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('TEXT is missing'),
    });
    const { code, stderr } = await cli(['tokenize', '-', ...model], Buffer.of(0x61, 0xff));
    expect([code, stderr]).toEqual([2, expect.stringContaining('not UTF-8')]);
  });
});

describe('characters with bytes that have no piece', () => {
  const args = ['tokenize', 'a\x04b\u{40000}\x04', '--model', goldenPath('small-smollm2')];

  it('are named, once each', async () => {
    const { code, stderr } = await cli(args);
    expect(code).toBe(0);
    expect(stderr).toContain('no pieces for some bytes of U+0004, U+40000: they are left out');
  });

  it('are in the JSON, in which nothing else is said', async () => {
    expect((await json(args)).left_out).toEqual(['\x04', '\u{40000}']);
    expect((await cli([...args, '--json'])).stderr).toBe('');
  });

  it.each([
    ['generate', ['--prompt', 'a\x04', '--max-new-tokens', '1']],
    ['generate', ['--prompt', 'a\x04', '--raw', '--max-new-tokens', '1']],
    ['logits', ['--prompt', 'a\x04', '--raw', '--positions', '-1']],
    ['chat', ['--max-new-tokens', '1']],
    ['perplexity', ['--file', '-', '--ctx-size', '3']],
  ])('are named by %s %j', async (verb, more) => {
    const text = `${'a b c d '.repeat(9)}\x04\n`;
    const { code, stderr } = await cli([verb, ...args.slice(2), ...more], text);
    expect([code, stderr.match(/of U\+0004: they are left out/g)]).toHaveProperty('1.length', 1);
    expect(code).toBe(0);
  });
});

describe('what is to be known of a tokenizer', () => {
  let path: string;
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'llama-32k-tokenize-'));
    await cp(goldenPath('small-smollm2'), path, { recursive: true });
    const file = join(path, 'tokenizer.json');
    const content = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...content, truncation: { max_length: 8 } }));
  });
  afterAll(() => rm(path, { recursive: true }));

  it.each([
    ['tokenize', ['a']],
    ['detokenize', ['1']],
    ['perplexity', ['--file', '-', '--ctx-size', '3']],
    ['logits', ['--prompt', 'a', '--raw', '--positions', '-1']],
  ])('is said by %s, once', async (verb, args) => {
    const { code, stderr } = await cli([verb, ...args, '--model', path], 'a b c d '.repeat(9));
    expect(code).toBe(0);
    expect(stderr.match(/tokenizer\.json: .*truncation/g)).toHaveLength(1);
  });
});

describe('special tokens in the text', () => {
  const asTokens = [1, ...tokenizer.encode('Hi'), 2];
  const asText = tokenizer.encode('<s>Hi</s>');
  it.each([
    ['a tokenizer.json lists are tokens, as in transformers', 'tokenizer', asTokens],
    ['a tokenizer.model has are text, as in SentencePiece, unless asked for', 'mha', asText],
  ])('that %s', async (_, name, expected) => {
    const args = ['tokenize', '<s>Hi</s>', '--model', goldenPath(name)];
    expect((await json(args)).ids).toEqual(expected);
    expect((await json([...args, '--special'])).ids).toEqual(asTokens);
  });
});

describe('detokenize', () => {
  it.each(['Hi you', 'line\n', '日本語 🦙'])('gives back %j, and nothing more', async text => {
    const ids = tokenizer.encode(text).join(',');
    expect((await cli(['detokenize', ids, ...model])).stdout).toBe(text);
    expect(await json(['detokenize', ids, ...model])).toEqual({ text });
    expect(await json(['detokenize', '-', ...model], `[${ids}]\n`)).toEqual({ text });
  });

  it('passes over an id that the tokenizer does not have, and says so', async () => {
    const [hi] = tokenizer.encode('Hi');
    const { code, stdout, stderr } = await cli(['detokenize', `${hi},99999`, ...model]);
    expect([code, stdout]).toEqual([0, tokenizer.decode([hi])]);
    expect(stderr).toContain(`99999 has no text: the tokenizer has ${tokenizer.vocabSize} tokens`);
  });

  it('shows special tokens if asked to', async () => {
    expect((await cli(['detokenize', '1,2', ...model])).stdout).toBe('');
    expect((await cli(['detokenize', '1,2', '--special', ...model])).stdout).toBe('<s></s>');
  });

  it.each(['1,x', '', '-1'])('refuses %j', async ids => {
    const { code, stdout, stderr } = await cli(['detokenize', '-', ...model], ids);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('(BAD_INPUT)');
  });

  it('shows control characters on a terminal, where they would be obeyed', async () => {
    const ids = tokenizer.encode('\x1b[2Ja\x7f\x9b\n').join(',');
    expect((await cli(['detokenize', ids, ...model])).stdout).toBe('\x1b[2Ja\x7f\x9b\n');
    expect((await cli(['detokenize', ids, ...model], '', new FakeIo(['stdout']))).stdout).toBe(
      '␛[2Ja\ufffd\ufffd\n\n',
    );
  });
});
