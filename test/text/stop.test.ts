import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StopMatcher } from '../../src/text/stop.js';

/** What comes out piece by piece, then at the end. */
function stream(
  stops: string[],
  pieces: string[],
): { texts: string[]; text: string; stop: string | undefined } {
  const matcher = new StopMatcher(stops);
  let stop: string | undefined;
  const texts = pieces.map(piece => {
    const step = matcher.push(piece);
    stop = step.stop;
    return step.text;
  });
  texts.push(matcher.flush());
  return { texts, text: texts.join(''), stop };
}

/**
 * The definition: the stop string that is complete first, the longest of those that end together.
 */
function whole(stops: string[], text: string): { text: string; stop: string | undefined } {
  for (let end = 1; end <= text.length; end++) {
    const found = stops
      .filter(stop => text.slice(0, end).endsWith(stop))
      .sort((a, b) => b.length - a.length);
    if (found.length > 0) return { text: text.slice(0, end - found[0].length), stop: found[0] };
  }
  return { text, stop: undefined };
}

describe('by example', () => {
  test('nothing is held back that cannot be a beginning', () => {
    expect(stream(['[INST]'], ['Hello', ' [IN', 'to] ', '[', 'INST', '] more'])).toEqual({
      texts: ['Hello', ' ', '[INto] ', '', '', '', ''],
      text: 'Hello [INto] ',
      stop: '[INST]',
    });
  });

  test('what is still held at the end comes out', () => {
    expect(stream(['[INST]'], ['a[INS']).texts).toEqual(['a', '[INS']);
  });

  test('without stop strings text goes straight through', () => {
    expect(stream([], ['a', 'b'])).toEqual({ texts: ['a', 'b', ''], text: 'ab', stop: undefined });
  });

  test('a beginning within a beginning is not lost', () => {
    expect(stream(['aab'], ['a', 'a', 'a', 'b'])).toEqual({
      texts: ['', '', 'a', '', ''],
      text: 'a',
      stop: 'aab',
    });
    expect(stream(['abac'], ['abab', 'ac']).text).toBe('ab');
  });

  test('the first to be complete wins, though another began earlier', () => {
    expect(stream(['abcd', 'c'], ['abcd'])).toMatchObject({ text: 'ab', stop: 'c' });
    expect(stream(['abcd', 'c'], ['a', 'b', 'c', 'd'])).toMatchObject({ text: 'ab', stop: 'c' });
  });

  test('the longest of those that end together wins', () => {
    expect(stream(['c', 'abc', 'bc'], ['xabc'])).toMatchObject({ text: 'x', stop: 'abc' });
  });

  test('after a match nothing comes any more', () => {
    const matcher = new StopMatcher(['.']);
    expect(matcher.push('a.b')).toEqual({ text: 'a', stop: '.' });
    expect(matcher.push('c')).toEqual({ text: '', stop: '.' });
    expect(matcher.flush()).toBe('');
  });

  test('an empty stop string is refused', () => {
    const refused = expect.objectContaining({
      code: 'BAD_OPTION',
      message: expect.stringContaining('stop is ""'),
    });
    expect(() => new StopMatcher(['a', ''])).toThrow(refused);
  });
});

describe('however the text is cut', () => {
  const letters = (maxLength: number, minLength = 0) =>
    fc
      .array(fc.constantFrom('a', 'b', 'ä', '😀'), { minLength, maxLength })
      .map(list => list.join(''));
  const stops = fc.array(letters(5, 1), { maxLength: 3 });
  const pieces = fc.array(letters(4), { maxLength: 12 });

  test('the result is that of the whole text', () => {
    fc.assert(
      fc.property(stops, pieces, (some, cut) => {
        const { text, stop } = stream(some, cut);
        expect({ text, stop }).toEqual(whole(some, cut.join('')));
      }),
      { numRuns: 2000 },
    );
  });

  test('no more is held back than may still become a stop string', () => {
    fc.assert(
      fc.property(stops, pieces, (some, cut) => {
        const matcher = new StopMatcher(some);
        let shown = '';
        for (let i = 0; i < cut.length; i++) {
          const step = matcher.push(cut[i]);
          if (step.stop !== undefined) return;
          shown += step.text;
          const held = cut
            .slice(0, i + 1)
            .join('')
            .slice(shown.length);
          expect(held === '' || some.some(stop => stop.startsWith(held))).toBe(true);
        }
      }),
    );
  });
});

test('time is linear, though 100,000 characters are held back', () => {
  const length = 100_000;
  const matcher = new StopMatcher([`${'a'.repeat(length)}b`]);
  const began = performance.now();
  let shown = 0;
  for (let i = 0; i < 3 * length; i++) shown += matcher.push('a').text.length;
  expect(shown).toBe(2 * length);
  expect(matcher.flush().length).toBe(length);
  // 0.1 s; joining the held text each time takes minutes
  expect(performance.now() - began).toBeLessThan(2000);
});
