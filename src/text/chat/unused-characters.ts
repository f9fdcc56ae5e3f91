/** Characters that occur in none of some texts, to stand for something while a template runs. */

import { check } from '../../base/errors.js';

/** Private use characters of one UTF-16 unit, which no template can cut in two. */
const FIRST = 0xe000;
const LAST = 0xf8ff;

/**
 * So many private use characters that are in none of `texts`.
 * @throws {LlamaError} BAD_INPUT if the texts leave too few of the 6,400 there are.
 */
export function unusedCharacters(texts: readonly string[], count: number): string[] {
  const used = new Set(texts.join('').match(/[\ue000-\uf8ff]/g));
  const unused: string[] = [];
  for (let code = FIRST; unused.length < count; code++) {
    check(code <= LAST, 'BAD_INPUT', () => {
      return (
        'the conversation has all private use characters, U+E000 to U+F8FF, but ' +
        `${unused.length}; ${count} must be free: take some out`
      );
    });
    const character = String.fromCharCode(code);
    if (!used.has(character)) unused.push(character);
  }
  return unused;
}
