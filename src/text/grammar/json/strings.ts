/** Strings as JSON writes them, and what is between values. */
import { type Expression, type Language, NEVER } from '../automaton/expression.js';
import {
  ALL_CHARACTERS,
  anyCharacter,
  type CodePoints,
  canonicalCharacter,
  complementCodePoints,
} from './characters.js';

export const quoted = (language: Language, content: Expression): Expression =>
  language.sequence(language.text('"'), content, language.text('"'));

/** Any string of so many characters of Unicode, each spelled in any way. */
export const anyString = (language: Language, least = 0, most = Infinity): Expression =>
  quoted(language, language.repeat(anyCharacter(language), least, most));

/** What is in a string of so many characters, each as JSON.stringify writes it. */
export const canonicalContent = (language: Language, least = 0, most = Infinity): Expression =>
  language.repeat(canonicalCharacter(language, ALL_CHARACTERS), least, most);

/** Names that are none of these, as JSON.stringify writes them, so that no other spelling helps. */
export function otherNames(language: Language, names: readonly string[]): Expression {
  return quoted(
    language,
    otherThan(
      language,
      names.map(name => Array.from(name)),
    ),
  );
}

/** Texts that are none of these, of which each is a list of characters. */
function otherThan(language: Language, texts: readonly (readonly string[])[]): Expression {
  if (texts.length === 0) return canonicalContent(language);
  const firsts = new Map<number, (readonly string[])[]>();
  for (const [first, ...rest] of texts.filter(({ length }) => length > 0)) {
    const codePoint = first.codePointAt(0)!;
    firsts.set(codePoint, [...(firsts.get(codePoint) ?? []), rest]);
  }
  const like = [...firsts].map(([codePoint, rests]) => {
    const character = canonicalCharacter(language, [[codePoint, codePoint]]);
    return language.sequence(character, otherThan(language, rests));
  });
  const taken = [...firsts.keys()].map((codePoint): CodePoints => [codePoint, codePoint]);
  const other = canonicalCharacter(language, complementCodePoints(taken));
  const isTaken = texts.some(({ length }) => length === 0);
  const rest = language.sequence(other, canonicalContent(language));
  return language.choice(...like, rest, isTaken ? NEVER : language.text(''));
}

/** At most one space stands anywhere, and no newline: a model cannot go on with them for ever. */
export function punctuation(language: Language) {
  const space = language.optional(language.text(' '));
  const before = (text: string) => language.sequence(space, language.text(text));
  const after = (text: string) => language.sequence(language.text(text), space);
  return { space, before, after };
}
