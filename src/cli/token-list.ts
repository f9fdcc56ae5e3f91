/** Token ids and positions as text: `1,2,3`, with spaces or newlines if you like, or a JSON array. */
import { check, show } from '../errors.js';

/** Integers, negative ones too. Throws BAD_INPUT, beginning with `what`, at the first thing that is none. */
export function parseIntegers(text: string, what: string): number[] {
  const words = text
    .trim()
    .replace(/^\[(.*)\]$/s, '$1')
    .split(/\s*,\s*|\s+/)
    .filter(word => word !== '');
  const bad = words.find(word => !/^-?\d+$/.test(word) || !Number.isSafeInteger(Number(word)));
  check(bad === undefined, 'BAD_INPUT', () => `${what}: ${show(bad)} is not an integer; write 1,2,3`);
  check(words.length > 0, 'BAD_INPUT', () => `${what}: there are none; write 1,2,3`);
  return words.map(Number);
}
