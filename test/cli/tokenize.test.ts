import { describe, expect, it } from 'vitest';
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
