/** How much is proposed, and what it may cost. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lookup } from '../../../src/text/lookup/lookup.js';

/** Passes and rows of a text that comes as `text` after `prompt`, and is looked up. */
function follow(prompt: readonly number[], text: readonly number[]) {
  const ids = [...prompt];
  const lookup = new Lookup(ids);
  const proposed: number[] = [];
  for (let at = 0; at < text.length; ) {
    const ahead = lookup.propose(text.length - at - 1);
    let accepted = 0;
    while (accepted < ahead.length && ahead[accepted] === text[at + accepted]) accepted += 1;
    ids.push(...text.slice(at, at + accepted + 1));
    at += accepted + 1;
    lookup.learn(ahead.length, accepted);
    proposed.push(ahead.length);
  }
  return { ...lookup.tally, passes: proposed.length, lengths: proposed };
}

const range = (from: number, length: number) => Array.from({ length }, (_, i) => from + i);

test('text without repetition has nothing proposed', () => {
  expect(follow(range(0, 1000), range(1000, 500))).toMatchObject({ proposed: 0, passes: 500 });
});

test('a quotation of 200 tokens takes 17 passes, of longer and longer proposals', () => {
  const { passes, lengths, accepted } = follow(range(0, 3000), range(1000, 200));
  expect(lengths.filter(length => length > 0).slice(0, 5)).toEqual([2, 4, 8, 16, 16]);
  expect([passes, accepted]).toEqual([17, 183]);
});

test('at most 2, a twentieth of all tokens, and as many as were accepted are refused', () => {
  const tokens = (length: number) =>
    fc.array(fc.nat(3), { minLength: length, maxLength: 4 * length });
  const property = fc.property(tokens(10), tokens(50), (prompt, text) => {
    const { proposed, accepted } = follow(prompt, text);
    expect(proposed - accepted).toBeLessThanOrEqual(2 + 0.05 * text.length + accepted);
  });
  fc.assert(property, { numRuns: 500 });
});

test('a text that begins what stands there and always goes on otherwise costs 5 %', () => {
  const prompt = range(0, 100).flatMap(i => [1, 2, 3, 10 + i]);
  const text = range(0, 100).flatMap(i => [1, 2, 3, 200 + i]);
  const { proposed, accepted } = follow(prompt, text);
  expect(proposed - accepted).toBeLessThanOrEqual(2 + 0.05 * text.length + accepted);
});
