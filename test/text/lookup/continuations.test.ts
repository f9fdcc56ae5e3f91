/** What followed the longest match of a text's end: as a search through all of it finds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Continuations } from '../../../src/text/lookup/continuations.js';

/** How long the longest match of the end is, if 3 tokens or more, and what followed it. */
function search(ids: readonly number[]): { longest: number; after: Set<string> } {
  let longest = 0;
  let places: number[] = [];
  for (let place = 2; place < ids.length - 1; place++) {
    let length = 0;
    while (length <= place && ids[place - length] === ids[ids.length - 1 - length]) length += 1;
    if (length < 3 || length < longest) continue;
    if (length > longest) places = [];
    longest = length;
    places.push(place);
  }
  return { longest, after: new Set(places.map(place => String(ids.slice(place + 1, place + 5)))) };
}

test('is that of a longest match, while the text grows by any lengths', () => {
  const lengths = fc.array(fc.nat(12), { minLength: 1, maxLength: 6 });
  const property = fc.property(lengths, fc.array(fc.nat(2), { maxLength: 60 }), (grows, source) => {
    const ids: number[] = [];
    const continuations = new Continuations(ids);
    for (const grow of grows) {
      ids.push(...source.splice(0, grow));
      const found = continuations.find(4);
      const { longest, after } = search(ids);
      if (longest === 0) expect(found).toEqual([]);
      // Of many places it looks at the latest; there are fewer here than it looks at.
      else if (ids.length < 16) expect(after).toContain(String(found));
    }
  });
  fc.assert(property, { numRuns: 2000 });
});

test('the longest wins over a later one, and of equals the later one', () => {
  const find = (ids: number[]) => new Continuations(ids).find(2);
  expect(find([9, 1, 2, 3, 50, 51, 8, 1, 2, 3, 60, 61, 9, 1, 2, 3])).toEqual([50, 51]);
  expect(find([9, 1, 2, 3, 50, 51, 9, 1, 2, 3, 60, 61, 9, 1, 2, 3])).toEqual([60, 61]);
  expect(find([1, 2, 50, 1, 2])).toEqual([]);
  expect(find([1, 2, 3])).toEqual([]);
  expect(find([])).toEqual([]);
});

test('a text that repeats itself goes on into its own end', () => {
  expect(new Continuations([7, 7, 7, 7, 7]).find(4)).toEqual([7]);
  expect(new Continuations([1, 2, 3, 1, 2, 3]).find(9)).toEqual([1, 2, 3]);
});

test('a token of a long text costs no more than one of a short text', () => {
  const timeOf = (length: number) => {
    const ids = Array.from({ length }, (_, i) => i % 7); // as many matches as can be
    const continuations = new Continuations(ids);
    continuations.find(16);
    const start = performance.now();
    for (let i = 0; i < 3000; i++) {
      ids.push((length + i) % 7);
      continuations.find(16);
    }
    return performance.now() - start;
  };
  timeOf(1000);
  // 30 times as long; a scan of it would take 30 times as long, and chains of it 16 places
  expect(timeOf(30_000)).toBeLessThan(8 * timeOf(1000) + 20);
});
