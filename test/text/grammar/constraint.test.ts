/** The constraint on tokens: masks, ends, forks, and vocabularies that are poor. */
import { describe, expect, test } from 'vitest';
import { complete } from '../../../src/text/generate.js';
import { jsonConstraint } from '../../../src/text/grammar/json-constraint.js';
import type { TokenConstraint } from '../../../src/text/sampling/constraint.js';
import { BOS, babbling, byteTokenizer, EOS } from '../../support/fake-model.js';
import { allowed, VOCABULARIES } from './support.js';

const refused = (code: string, ...parts: string[]) =>
  expect.objectContaining({ code, message: expect.stringMatching(parts.join('.*')) });

const BYTES = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
const TEXTS = [' {', '{"', '":', 'tr', 'true}', 'e"', '  ', 'a"'];
const TOKENS = [...BYTES, ...TEXTS.map(text => new TextEncoder().encode(text)), new Uint8Array()];

/** A token for each byte, then texts, and one that is not shown. */
const tokenizer = { vocabSize: TOKENS.length, bytesOf: (id: number) => TOKENS[id] };
const idOf = (text: string) => {
  const at = TEXTS.indexOf(text);
  return at === -1 ? text.charCodeAt(0) : 256 + at;
};
const next = (constraint: TokenConstraint) => allowed(constraint, tokenizer.vocabSize);
const textsOf = (ids: readonly number[]) =>
  ids.map(id => TEXTS[id - 256] ?? String.fromCharCode(id));

describe('masks', () => {
  const schema = { properties: { e: { type: 'boolean' } }, required: ['e'] };
  const begun = (...tokens: string[]) => {
    const constraint = jsonConstraint(tokenizer, schema);
    for (const token of tokens) constraint.advance(idOf(token));
    return constraint;
  };
  const texts = (...tokens: string[]) => textsOf(next(begun(...tokens)));

  test('have the tokens of which every byte can come, whatever lies across their borders', () => {
    expect(texts()).toEqual([' ', '{', ' {', '{"']);
    expect(texts(' ')).toEqual(['{', '{"']);
    expect(texts('{"')).toEqual(['e', 'e"']);
    expect(texts('{"', 'e"', ':')).toEqual([' ', 'f', 't', 'tr', 'true}']);
  });

  test('leave nothing at the end, where a stop token is all that can come', () => {
    const constraint = begun('{"', 'e"', ':');
    expect(constraint.isComplete).toBe(false);
    constraint.advance(idOf('true}'));
    expect(constraint.isComplete).toBe(true);
    expect(next(constraint)).toEqual([]);
  });

  test('forbid what lies behind the vocabulary, too', () => {
    const ids = allowed(jsonConstraint(tokenizer, schema), tokenizer.vocabSize + 70);
    expect(ids.length).toBeGreaterThan(0);
    expect(Math.max(...ids)).toBeLessThan(tokenizer.vocabSize);
  });

  test('a number may end where it can go on', () => {
    const constraint = jsonConstraint(tokenizer, { type: 'integer' });
    expect(constraint.isComplete).toBe(false);
    constraint.advance(idOf('1'));
    expect(constraint.isComplete).toBe(true);
    expect(next(constraint)).toHaveLength(10);
  });
});

test('a fork goes its own way', () => {
  const constraint = jsonConstraint(tokenizer, { enum: ['a', 'e'] });
  const fork = constraint.fork();
  for (const token of ['"', 'e"']) fork.advance(idOf(token));
  expect([constraint.isComplete, fork.isComplete]).toEqual([false, true]);
  for (const token of ['"', 'a']) constraint.advance(idOf(token));
  expect(textsOf(next(constraint))).toEqual(['"']);
});

test('a token that cannot come, or is no text, is refused, and changes nothing', () => {
  const constraint = jsonConstraint(tokenizer);
  for (const token of [idOf('a'), tokenizer.vocabSize - 1, 9999])
    expect(() => constraint.advance(token)).toThrow(refused('BAD_INPUT', `token ${token} `));
  constraint.advance(idOf('{"'));
});

test('a vocabulary that cannot write it is refused where it ends', () => {
  const texts = ['{', '}', '"'];
  const poor = { vocabSize: 3, bytesOf: (each: number) => new TextEncoder().encode(texts[each]) };
  const constraint = jsonConstraint(poor, { const: { a: 1 } });
  for (const each of [0, 2]) constraint.advance(each);
  expect(() => constraint.forbid(new Float32Array(3))).toThrow(
    refused('UNSUPPORTED', 'every byte'),
  );
});

test('characters that are split among tokens are whole, and in UTF-8', () => {
  const constraint = jsonConstraint(tokenizer, { type: 'string', maxLength: 1 });
  for (const byte of [0x22, 0xf0]) constraint.advance(byte);
  expect(next(constraint)).toEqual(Array.from({ length: 0x30 }, (_, i) => 0x90 + i));
  for (const byte of [0x9f, 0xa6, 0x99]) constraint.advance(byte);
  expect(textsOf(next(constraint))).toEqual(['"']);
});

test('a string of more states than are remembered is as long as it must be', () => {
  const constraint = jsonConstraint(tokenizer, { type: 'string', minLength: 20_000 });
  constraint.advance(idOf('"'));
  for (let i = 0; i < 19_999; i++) constraint.advance(idOf('a'));
  expect(textsOf(next(constraint))).not.toContain('a"'.slice(1));
  constraint.advance(idOf('a'));
  expect(textsOf(next(constraint))).toContain('"');
});

test('a text that is sampled is JSON of the schema, and ends with the stop token', async () => {
  const bytes = {
    ...byteTokenizer,
    bytesOf: (each: number) => (each < 3 ? new Uint8Array() : Uint8Array.of(each - 3)),
  };
  const schema = {
    properties: {
      n: { type: 'integer' },
      s: { type: 'string', maxLength: 4 },
      ok: { type: 'boolean' },
    },
    required: ['n', 's', 'ok'],
  };
  const constraint = jsonConstraint(bytes, schema);
  for (let seed = 0; seed < 10; seed++) {
    const options = { temperature: 1, seed, constraint, maxNewTokens: 200, stopTokenIds: [EOS] };
    const model = babbling();
    const { text, finishReason } = await complete(model, bytes, [BOS], options);
    expect(finishReason).toBe('eos');
    expect(JSON.parse(text)).toEqual({
      n: expect.any(Number),
      s: expect.any(String),
      ok: expect.any(Boolean),
    });
  }
});

test.each(Object.entries(VOCABULARIES))(
  '%s: bytes of tokens are what the decoder shows',
  (_, each) => {
    for (let token = 0; token < each.vocabSize; token++) {
      const decoder = each.streamDecoder({ continuation: true });
      const shown = decoder.push(token) + decoder.flush();
      // What is no text by itself becomes U+FFFD in both, but perhaps not as many.
      const read = new TextDecoder('utf-8', { ignoreBOM: true }).decode(each.bytesOf(token));
      expect(read.replace(/\ufffd+/g, '\ufffd')).toBe(shown.replace(/\ufffd+/g, '\ufffd'));
    }
  },
);
