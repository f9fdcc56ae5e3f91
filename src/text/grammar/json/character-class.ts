/** Sets of characters in regular expressions: `[a-z]`, `\d`, `.` and single ones. */
import { type CodePoints, complementCodePoints } from './characters.js';

export const DIGITS: readonly CodePoints[] = [[0x30, 0x39]];
export const WORD: readonly CodePoints[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** ECMAScript's WhiteSpace and LineTerminator. */
export const WHITE_SPACE: readonly CodePoints[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
/** What `.` is not. */
export const LINE_TERMINATORS: readonly CodePoints[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

/** By the letter behind the backslash; a capital stands for all others. */
const ESCAPED_CLASSES: Readonly<Record<string, readonly CodePoints[]>> = {
  d: DIGITS,
  w: WORD,
  s: WHITE_SPACE,
};
const ESCAPED_CONTROLS: Readonly<Record<string, number>> = {
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
  '0': 0x00,
};
const SYNTAX = '^$\\.*+?()[]{}|/-';

/** Reads a regular expression from left to right. */
export class PatternText {
  readonly #text: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = Array.from(text);
  }

  /** The next character; undefined at the end. */
  get next(): string | undefined {
    return this.#text[this.#at];
  }

  /** Whether `text` comes next. */
  sees(text: string): boolean {
    return Array.from(text).every((character, i) => this.#text[this.#at + i] === character);
  }

  /** The next character, which is passed. */
  take(): string {
    if (this.next === undefined) throw new PatternError('it ends in the middle');
    return this.#text[this.#at++];
  }

  /** Passes `text` if it comes next; whether it did. */
  skip(text: string): boolean {
    const isThere = this.sees(text);
    if (isThere) this.#at += Array.from(text).length;
    return isThere;
  }

  /** The decimal digits that come next, passed; undefined if there are none. */
  takeInteger(): number | undefined {
    let digits = '';
    while (this.next !== undefined && /[0-9]/.test(this.next)) digits += this.take();
    return digits === '' ? undefined : Number(digits);
  }

  takeHex(digits: number): number {
    let text = '';
    while (text.length < digits) text += this.take();
    if (!/^[0-9a-f]+$/i.test(text)) throw new PatternError(`${text} is not hexadecimal`);
    return Number.parseInt(text, 16);
  }
}

/** What is wrong with a regular expression, or not supported in it. */
export class PatternError extends Error {}

/** What stands behind a backslash: the characters that it means. */
export function readEscape(text: PatternText): readonly CodePoints[] {
  const letter = text.take();
  const named = ESCAPED_CLASSES[letter.toLowerCase()];
  if (named !== undefined) return letter in ESCAPED_CLASSES ? named : complementCodePoints(named);
  return single(readCodePoint(letter, text));
}

function readCodePoint(letter: string, text: PatternText): number {
  if (letter === 'x') return text.takeHex(2);
  if (letter === 'u') return readUnicode(text);
  if (letter === '0' && /[0-9]/.test(text.next ?? '')) throw new PatternError('\\0 and a digit');
  const control = ESCAPED_CONTROLS[letter];
  if (control !== undefined) return control;
  if (SYNTAX.includes(letter)) return letter.codePointAt(0)!;
  throw new PatternError(`\\${letter} is not supported`);
}

function readUnicode(text: PatternText): number {
  if (!text.skip('{')) {
    const unit = text.takeHex(4);
    const isHigh = unit >= 0xd800 && unit < 0xdc00;
    if (!isHigh || !text.skip('\\u')) return unit;
    return 0x10000 + ((unit - 0xd800) << 10) + (text.takeHex(4) - 0xdc00);
  }
  let digits = '';
  while (!text.skip('}')) digits += text.take();
  const codePoint = /^[0-9a-f]+$/i.test(digits) ? Number.parseInt(digits, 16) : Infinity;
  if (codePoint > 0x10ffff) throw new PatternError(`\\u{${digits}} is no character`);
  return codePoint;
}

const single = (codePoint: number): readonly CodePoints[] => [[codePoint, codePoint]];

/** What stands behind `[`, up to `]`. */
export function readClass(text: PatternText): readonly CodePoints[] {
  const isNegated = text.skip('^');
  const points: CodePoints[] = [];
  while (!text.skip(']')) {
    const low = readMember(text);
    const isRange = text.sees('-') && !text.sees('-]');
    if (!isRange) points.push(...low);
    else points.push(readRange(low, text));
  }
  return isNegated ? complementCodePoints(points) : points;
}

function readMember(text: PatternText): readonly CodePoints[] {
  if (text.skip('\\b')) return single(0x08);
  return text.skip('\\') ? readEscape(text) : single(text.take().codePointAt(0)!);
}

function readRange(low: readonly CodePoints[], text: PatternText): CodePoints {
  text.skip('-');
  const high = readMember(text);
  const isOne = (points: readonly CodePoints[]) =>
    points.length === 1 && points[0][0] === points[0][1];
  const [from, to] = [low[0][0], high[0][0]];
  if (!isOne(low) || !isOne(high) || from > to)
    throw new PatternError('a range in [ ] is not of one character to a later one');
  return [from, to];
}
