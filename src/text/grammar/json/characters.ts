/** Characters: as bytes of UTF-8 (RFC 3629 §4), and as strings of JSON have them (RFC 8259 §7). */
import type { ByteRange } from '../automaton/byte-set.js';
import { type Expression, type Language, NEVER } from '../automaton/expression.js';

/** Code points `from` … `to`, both included. */
export type CodePoints = readonly [from: number, to: number];

/** All characters of Unicode: no surrogates. */
export const ALL_CHARACTERS: readonly CodePoints[] = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** Where UTF-8 takes another byte. */
const LONGEST = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** What may stand behind a backslash, besides `u`. */
const ESCAPE_LETTERS = '"\\/bfnrt';

/** What stands for itself in a string. */
export const UNESCAPED: readonly CodePoints[] = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** The characters of both. */
export function intersectCodePoints(
  a: readonly CodePoints[],
  b: readonly CodePoints[],
): CodePoints[] {
  return a.flatMap(([low, high]) =>
    b
      .map(([from, to]): CodePoints => [Math.max(low, from), Math.min(high, to)])
      .filter(([from, to]) => from <= to),
  );
}

/** All other characters. */
export function complementCodePoints(points: readonly CodePoints[]): CodePoints[] {
  let rest: readonly CodePoints[] = ALL_CHARACTERS;
  for (const [from, to] of points) {
    const others: CodePoints[] = [
      [0, from - 1],
      [to + 1, 0x10ffff],
    ];
    rest = intersectCodePoints(rest, others);
  }
  return [...rest];
}

/** One of the code points, none of which is a surrogate, in UTF-8. */
export function utf8(language: Language, points: readonly CodePoints[]): Expression {
  const options: Expression[] = [];
  for (const [low, high] of points) {
    let from = low;
    for (const longest of LONGEST) {
      const to = Math.min(high, longest);
      if (from > to) continue;
      options.push(sameLength(language, bytesOf(from), bytesOf(to)));
      from = to + 1;
    }
  }
  return language.choice(...options);
}

/** The byte strings from `low` to `high`, in their order, which are equally long. */
function sameLength(
  language: Language,
  [low, ...lows]: readonly number[],
  [high, ...highs]: readonly number[],
): Expression {
  if (lows.length === 0) return language.byte([low, high]);
  const rest = (a: readonly number[], b: readonly number[]) => sameLength(language, a, b);
  const [first, last] = [lows.map(() => 0x80), lows.map(() => 0xbf)];
  if (low === high) return language.sequence(language.byte([low, low]), rest(lows, highs));
  const isLowWhole = lows.every(byte => byte === 0x80);
  const isHighWhole = highs.every(byte => byte === 0xbf);
  const middle: ByteRange = [isLowWhole ? low : low + 1, isHighWhole ? high : high - 1];
  const between = middle[0] <= middle[1] ? language.byte(middle) : NEVER;
  return language.choice(
    isLowWhole ? NEVER : language.sequence(language.byte([low, low]), rest(lows, last)),
    language.sequence(between, rest(first, last)),
    isHighWhole ? NEVER : language.sequence(language.byte([high, high]), rest(first, highs)),
  );
}

function bytesOf(codePoint: number): number[] {
  return [...new TextEncoder().encode(String.fromCodePoint(codePoint))];
}

/**
 * One of the code points as JSON.stringify writes it: itself if it can be, else as the shortest
 * escape, in small letters.
 */
export function canonicalCharacter(language: Language, points: readonly CodePoints[]): Expression {
  const escapes = intersectCodePoints(points, complementCodePoints(UNESCAPED)).flatMap(
    ([from, to]) =>
      Array.from({ length: to - from + 1 }, (_, i) =>
        language.text(JSON.stringify(String.fromCodePoint(from + i)).slice(1, -1)),
      ),
  );
  const itself = utf8(language, intersectCodePoints(points, UNESCAPED));
  return language.choice(itself, ...escapes);
}

/** Any character in any spelling: itself, or an escape, of two surrogates if need be. */
export function anyCharacter(language: Language): Expression {
  const escaped = language.choice(
    oneOf(language, ESCAPE_LETTERS),
    language.sequence(language.text('u'), hexadecimal(language)),
  );
  return language.choice(
    utf8(language, UNESCAPED),
    language.sequence(language.text('\\'), escaped),
  );
}

/** The digits behind `\u`: of a character, or of a high surrogate, with a low one behind it. */
function hexadecimal(language: Language): Expression {
  const of = (digits: string) => oneOf(language, digits);
  const any = of('0123456789abcdefABCDEF');
  const begin = language.choice(
    language.sequence(of('0123456789abcefABCEF'), any),
    language.sequence(of('dD'), of('01234567')),
    language.sequence(
      of('dD'),
      of('89abAB'),
      any,
      any,
      language.text('\\u'),
      of('dD'),
      of('cdefCDEF'),
    ),
  );
  return language.sequence(begin, any, any);
}

function oneOf(language: Language, characters: string): Expression {
  const ranges = Array.from(characters, (character): ByteRange => {
    const byte = character.charCodeAt(0);
    return [byte, byte];
  });
  return language.byte(...ranges);
}
