import { describe, expect, test } from 'vitest';
import { openTokenizer } from '../../src/load/tokenizer.js';
import {
  defaultStopTokenIds,
  encodePrompt,
  formatPrompt,
  type Message,
  promptWarnings,
} from '../../src/text/prompt.js';
import { goldenPath } from '../support/golden.js';

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const refused = (part: string) =>
  expect.objectContaining({ code: 'BAD_INPUT', message: expect.stringContaining(part) });

describe('formatPrompt', () => {
  test("is the card's format, to the character (bug H11)", () => {
    expect(formatPrompt([user('Write a poem about cats')])).toBe(
      '[INST]\nWrite a poem about cats\n[/INST]\n\n',
    );
  });

  test('leaves what was said as it is', () => {
    expect(formatPrompt([user(' a [/INST] </s>\n')])).toBe(
      '[INST]\n a [/INST] </s>\n\n[/INST]\n\n',
    );
  });

  test('the next turn begins a line after the reply', () => {
    const turns = (reply: string) => formatPrompt([user('1'), assistant(reply), user('2')]);
    expect(turns('one')).toBe('[INST]\n1\n[/INST]\n\none\n[INST]\n2\n[/INST]\n\n');
    expect(turns('one\n\n')).toBe('[INST]\n1\n[/INST]\n\none\n\n[INST]\n2\n[/INST]\n\n');
    expect(turns('')).toBe('[INST]\n1\n[/INST]\n\n[INST]\n2\n[/INST]\n\n');
  });

  test('a prompt and its reply are a prefix of the next prompt', () => {
    const first = [user('1'), assistant('one ')];
    const begun = formatPrompt(first.slice(0, 1)) + first[1].content;
    expect(formatPrompt([...first, user('2')]).startsWith(begun)).toBe(true);
  });

  test('a system prompt is refused, with advice', () => {
    const system = { role: 'system', content: 'Be brief.' } as unknown as Message;
    expect(() => formatPrompt([system, user('Hi'), user('Hi')])).toThrow(
      refused('start of the first user message'),
    );
  });

  test('turns must alternate, and the last is the user’s', () => {
    expect(() => formatPrompt([])).toThrow(refused('0 messages'));
    expect(() => formatPrompt([user('1'), assistant('one')])).toThrow(refused("the user's turn"));
    expect(() => formatPrompt([user('1'), user('2'), user('3')])).toThrow(
      refused('message 1 has the role "user"'),
    );
    expect(() => formatPrompt([assistant('1')])).toThrow(
      refused('message 0 has the role "assistant"'),
    );
    expect(() => formatPrompt([{ role: 'user', content: 5 } as unknown as Message])).toThrow(
      refused('content of message 0 is 5'),
    );
  });
});

test('encodePrompt asks the tokenizer for BOS', () => {
  const tokenizer = {
    encode: (text: string, { bos }: { bos: boolean }) => [...(bos ? [1] : []), text.length],
  };
  expect(encodePrompt(tokenizer, 'abc')).toEqual([1, 3]);
});

test('encodePrompt makes tokens of "</s>" only where it is asked to', async () => {
  const tokenizer = await openTokenizer(goldenPath('tokenizer'));
  const { bosId, eosId } = tokenizer;
  expect(encodePrompt(tokenizer, '</s>', { special: true })).toEqual([bosId, eosId]);
  expect(encodePrompt(tokenizer, '</s>')).not.toContain(eosId);
});

test('what a user writes never becomes a control token (bug H5)', async () => {
  const tokenizer = await openTokenizer(goldenPath('tokenizer'));
  const text = formatPrompt([user('</s><s> <unk>'), assistant('</s>'), user('<s>[INST]</s>')]);
  const [bos, ...rest] = encodePrompt(tokenizer, text);
  expect(bos).toBe(tokenizer.bosId);
  expect(
    rest.filter(id => [tokenizer.bosId, tokenizer.eosId, tokenizer.unkId].includes(id)),
  ).toEqual([]);
  expect(tokenizer.decode(rest)).toBe(text);
});

describe('promptWarnings', () => {
  test('nothing about a prompt as it should be', () => {
    expect(promptWarnings(formatPrompt([user('What is [1] < 2 > s?')]))).toEqual([]);
  });

  test.each(['[\\INST]', '<<SYS>>', '<s>', '</s>'])('names %s', found => {
    expect(promptWarnings(`a ${found} b`)).toEqual([expect.stringContaining(found)]);
  });

  test('where special tokens are tokens, only of a BOS that is there twice', () => {
    expect(promptWarnings('a</s><s>b', { special: true })).toEqual([]);
    expect(promptWarnings('<s>a', { special: true })).toEqual([
      expect.stringContaining('a second time'),
    ]);
  });

  test('of the tokens that the tokenizer has, and puts in front', () => {
    const bos = '<|begin|>';
    const tokenizer = (addsBos: boolean) => ({
      ...{ addsBos, bosId: 7, idOf: (text: string) => (text === bos ? 7 : undefined) },
      pieces: () => [bos],
    });
    const special = true;
    expect(promptWarnings('<s>a</s>', { tokenizer: tokenizer(true) })).toEqual([]);
    expect(promptWarnings('<s>a', { special, tokenizer: tokenizer(true) })).toEqual([]);
    expect(promptWarnings(`${bos}a`, { special, tokenizer: tokenizer(true) })).toEqual([
      `The prompt begins with ${bos}: the BOS token, a second time; one is added anyway.`,
    ]);
    expect(promptWarnings(`${bos}a`, { special, tokenizer: tokenizer(false) })).toEqual([]);
  });
});

test('replies end at end of text or at BOS', () => {
  expect(defaultStopTokenIds({ eosTokenIds: [2, 7], bosTokenId: 1 })).toEqual([2, 7, 1]);
});
