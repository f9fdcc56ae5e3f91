import { expect, it } from 'vitest';
import { openTokenizer } from '../../../src/load/tokenizer.js';
import { tokenNames } from '../../../src/oracle/endpoint/token-names.js';
import type { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import { goldenPath } from '../../support/golden.js';

it('takes a text for no token if a server may write part of another token so', async () => {
  const tokenizer = await openTokenizer(goldenPath('small-smollm2'));
  const { tokenOf } = tokenNames(tokenizer);
  // pieces of bytes, of which there are some that begin with a letter and end within a character
  expect(tokenOf('D')).toBeUndefined();
  expect(tokenOf('D', true)).toBe(tokenizer.idOf('D'));
  expect(tokenOf(' do')).toBe(tokenizer.idOf('Ġdo'));
});

it('takes a text for no token if several read like it', () => {
  const texts = ['a', 'b', 'a', 'a'];
  const tokenOf = (id: number) => ({ text: texts[id], bytes: new Uint8Array() });
  const names = tokenNames({ vocabSize: texts.length, tokenOf } as unknown as Tokenizer);
  expect(['a', 'b', 'c'].map(text => names.tokenOf(text))).toEqual([undefined, 1, undefined]);
});
