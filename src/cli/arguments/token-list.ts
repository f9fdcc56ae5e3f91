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
  check(list !== '', 'BAD_INPUT', () => `${what}: there are none; write 1,2,3`);
  const words = list.split(/\s*,\s*|\s+/);
  // Perhaps a number was lost there: 1,,2 is not 1,2.
  check(
    !words.includes(''),
    'BAD_INPUT',
    () => `${what}: an integer is missing beside a comma; write 1,2,3`,
  );
  const bad = words.find(word => !/^-?\d+$/.test(word) || !Number.isSafeInteger(Number(word)));
  check(
    bad === undefined,
    'BAD_INPUT',
    () => `${what}: ${show(bad)} is not an integer; write 1,2,3`,
  );
  return words.map(Number);
}
