/**
 * Regular expressions of ECMAScript, with flag u, as JSON Schema's `pattern` has them (JSON Schema
 * Validation 2020-12, §6.3.3): a string has the pattern if it is found anywhere in it, so that only
 * `^` and `$` tie it to the ends.
 *
 * Not here, and refused: what looks around or back (`(?=`, `\b`, `\1`), properties of characters
 * (`\p{…}`), and anchors elsewhere than at the two ends of the pattern or of an alternative of it.
 */
import { EMPTY, type Expression, type Language } from '../automaton/expression.js';
import {
  LINE_TERMINATORS,
  PatternError,
  PatternText,
  readClass,
  readEscape,
} from './character-class.js';
import {
  ALL_CHARACTERS,
  type CodePoints,
  canonicalCharacter,
  complementCodePoints,
  intersectCodePoints,
} from './characters.js';
import { canonicalContent } from './strings.js';

/**
 * The strings with the pattern, without quotes, as JSON.stringify writes them.
 *
 * @throws {PatternError} if it is no regular expression, or one of a kind that is not supported
 */
export function readPattern(language: Language, pattern: string): Expression {
  const reader = new PatternReader(language, pattern);
  const options: Expression[] = [];
  do options.push(reader.branch());
  while (reader.text.skip('|'));
  if (reader.text.next === ')') throw new PatternError('a ) has no ( before it');
  if (reader.text.next !== undefined) throw new PatternError('$ is supported at the end only');
  return language.choice(...options);
}

class PatternReader {
  readonly text: PatternText;
  readonly #language: Language;

  constructor(language: Language, pattern: string) {
    this.#language = language;
    this.text = new PatternText(pattern);
  }

  /** An alternative of the whole pattern. */
  branch(): Expression {
    const anything = canonicalContent(this.#language);
    const before = this.text.skip('^') ? EMPTY : anything;
    const middle = this.#terms();
    const after = this.text.skip('$') ? EMPTY : anything;
    return this.#language.sequence(before, middle, after);
  }

  /** Up to the end of an alternative, or an anchor. */
  #terms(): Expression {
    const terms: Expression[] = [];
    while (this.text.next !== undefined && !'|)$'.includes(this.text.next))
      terms.push(this.#term());
    return this.#language.sequence(...terms);
  }

  #term(): Expression {
    const atom = this.#atom();
    const [least, most] = this.#quantifier();
    return this.#language.repeat(atom, least, most);
  }

  #atom(): Expression {
    const { text } = this;
    const character = text.take();
    if (character === '(') return this.#group();
    if (character === '[') return this.#characters(readClass(text));
    if (character === '\\') return this.#characters(readEscape(text));
    if (character === '.') return this.#characters(complementCodePoints(LINE_TERMINATORS));
    if ('^*+?{}]'.includes(character)) throw new PatternError(`${character} in this place`);
    const codePoint = character.codePointAt(0)!;
    return this.#characters([[codePoint, codePoint]]);
  }

  #group(): Expression {
    const { text } = this;
    if (text.skip('?') && !text.skip(':')) {
      if (!text.skip('<') || text.sees('=') || text.sees('!'))
        throw new PatternError(`(?${text.next ?? ''} is not supported`);
      while (!text.skip('>')) text.take();
    }
    const options: Expression[] = [];
    do options.push(this.#terms());
    while (text.skip('|'));
    if (text.next === '$') throw new PatternError('$ is supported at the end only');
    if (!text.skip(')')) throw new PatternError('a ( has no ) behind it');
    return this.#language.choice(...options);
  }

  #characters(points: readonly CodePoints[]): Expression {
    return canonicalCharacter(this.#language, intersectCodePoints(points, ALL_CHARACTERS));
  }

  #quantifier(): readonly [least: number, most: number] {
    const bounds = this.#bounds();
    this.text.skip('?'); // as few as may be, or as many: the same strings
    if ('*+?{'.includes(this.text.next ?? ' '))
      throw new PatternError(`${this.text.next} behind a quantifier`);
    return bounds;
  }

  #bounds(): readonly [least: number, most: number] {
    const { text } = this;
    if (text.skip('*')) return [0, Infinity];
    if (text.skip('+')) return [1, Infinity];
    if (text.skip('?')) return [0, 1];
    if (!text.skip('{')) return [1, 1];
    const least = text.takeInteger();
    const isRange = text.skip(',');
    const most = isRange ? (text.takeInteger() ?? Infinity) : least;
    if (least === undefined || most === undefined || most < least || !text.skip('}'))
      throw new PatternError('{ } does not hold numbers in order');
    return [least, most];
  }
}
