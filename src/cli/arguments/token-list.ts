/**
 * Token ids and positions as text: `1,2,3`, with spaces or newlines if you like, or a JSON array.
 */
import { check, show } from '../../base/errors.js';

/**
 * Integers, negative ones too. Throws BAD_INPUT, beginning with `what`, at the first thing that is
 * none.
 */
export function parseIntegers(text: string, what: string): number[] {
  const list = text
    .trim()
    .replace(/^\[(.*)\]$/s, '$1')
    .trim();
  check(list !== '', 'BAD_INPUT', () => `${what}: there are no integers; write 1,2,3`);
  const words = new RegExp(WORD);
  const integers: number[] = [];
  let isMissing = false;
  while (words.lastIndex < list.length || isMissing) {
    const [, word, comma] = words.exec(list)!;
    checkWord(word, what);
    integers.push(Number(word));
    isMissing = comma !== '';
  }
  return integers;
}

/** One after the other: the words of a long list take ten times the memory of its numbers. */
const WORD = /([^\s,]*)\s*(,?)\s*/y;

function checkWord(word: string, what: string): void {
  // Perhaps a number was lost there: 1,,2 is not 1,2.
  check(
    word !== '',
    'BAD_INPUT',
    () => `${what}: an integer is missing beside a comma; write 1,2,3`,
  );
  check(
    /^-?\d+$/.test(word) && Number.isSafeInteger(Number(word)),
    'BAD_INPUT',
    () => `${what}: ${show(word)} is not an integer; write 1,2,3`,
  );
}
