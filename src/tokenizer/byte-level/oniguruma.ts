/**
 * Regular expressions of Oniguruma, which tokenizer.json has, as JavaScript's (ECMA-262 §22.2, flag
 * v). Where both mean the same by the same text nothing is changed; otherwise:
 *
 *     \s \S         white space by Unicode: with U+0085, without U+FEFF
 *     \d \D         digits by Unicode, \p{Nd}
 *     .             all but U+000A
 *     $             also before each U+000A
 *     (?i:…)        letters of ASCII in both cases, with U+017F (long s) and U+212A (kelvin sign)
 *     x++ x*+ x?+   possessive: an atomic group, as (?>x+) is, made of (?=(x+))\1
 *     x{1,3}+       not possessive in Ruby's syntax: (?:x{1,3})+
 *     x{,3}         x{0,3}
 *     \p{^L}        \P{L}
 *
 * What tokenizers do not use, or what cannot be said in JavaScript, is refused by name: \b, ^,
 * references, POSIX brackets, intersections. Properties are those of the Unicode that the runtime
 * knows: characters that another version of it calls letters may be cut otherwise.
 */
import { LlamaError, show } from '../../base/errors.js';

const WHITE_SPACE = '\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

/** Inside a class and outside; a class of the flag v may hold others. */
const CLASSES: Readonly<Record<string, string>> = {
  s: `[${WHITE_SPACE}]`,
  S: `[^${WHITE_SPACE}]`,
  d: '\\p{Nd}',
  D: '\\P{Nd}',
};

/** What a letter behind a backslash stands for. */
const CONTROLS: Readonly<Record<string, string>> = {
  ...{ t: '\t', n: '\n', v: '\v', f: '\f', r: '\r', a: '\x07', e: '\x1b' },
};

/** What `(?` begins, as far as it is known. */
const GROUPS = ['?:', '?i:', '?>', '?=', '?!', '?<=', '?<!'] as const;

/**
 * `pattern` for JavaScript, to find all that it matches.
 * @throws {LlamaError} UNSUPPORTED for what is not translated.
 */
export function compileOniguruma(pattern: string): RegExp {
  try {
    return new RegExp(new Translator(pattern).translate(), 'gv');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new LlamaError(
      'UNSUPPORTED',
      `the regular expression ${show(pattern)} is not understood (${error.message})`,
      { cause: error },
    );
  }
}

/** A pattern that matches `text` and nothing else. */
export function literalPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|&-]/g, '\\$&');
}

/** A recursive descent: alternatives of sequences of atoms with their quantifiers. */
class Translator {
  readonly #pattern: string;
  readonly #characters: readonly string[];
  #at = 0;
  #foldsCase = false;
  #atomicGroups = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = [...pattern];
  }

  translate(): string {
    const translated = this.#alternatives();
    if (this.#at < this.#characters.length) this.#refuse(')');
    return translated;
  }

  #alternatives(): string {
    let translated = '';
    while (this.#at < this.#characters.length && this.#next() !== ')')
      translated += this.#take('|') ? '|' : this.#quantified(this.#atom());
    return translated;
  }

  #atom(): string {
    const character = this.#read();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '\\':
        return this.#escape() ?? this.#literal(this.#escapedCharacter());
      case '.':
        return '[^\\n]';
      case '$':
        return '(?=\\n|$)';
      case '^':
      case '*':
      case '+':
      case '?':
        return this.#refuse(character);
      default:
        return this.#literal(character);
    }
  }

  #group(): string {
    const begin = GROUPS.find(group => this.#take(group));
    if (begin === undefined && this.#next() === '?') this.#refuse(`(${this.#rest(3)}`);
    const foldedBefore = this.#foldsCase;
    this.#foldsCase ||= begin === '?i:';
    const content = this.#alternatives();
    this.#foldsCase = foldedBefore;
    if (!this.#take(')')) this.#refuse('( without )');
    if (begin === '?>') return this.#atomic(content);
    return `(${begin === undefined || begin === '?i:' ? '?:' : begin}${content})`;
  }

  /** JavaScript goes back into no lookahead, so that what one has matched stays. */
  #atomic(content: string): string {
    const name = `atomic${this.#atomicGroups++}`;
    return `(?:(?=(?<${name}>${content}))\\k<${name}>)`;
  }

  #quantified(atom: string): string {
    const [quantifier] = /^(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})/.exec(this.#rest(12)) ?? [];
    if (quantifier === undefined) return atom;
    this.#take(quantifier);
    const repeated = `${atom}${quantifier.replace('{,', '{0,')}`;
    const isCounted = quantifier.startsWith('{');
    if (isCounted && this.#next() === '?') this.#refuse(`${quantifier}?`);
    if (this.#take('?')) return `${repeated}?`;
    if (!this.#take('+')) return repeated;
    return isCounted ? `(?:${repeated})+` : this.#atomic(repeated);
  }

  /** Behind "[". */
  #class(): string {
    const negation = this.#take('^') ? '^' : '';
    let items = '';
    while (this.#at < this.#characters.length && this.#next() !== ']') items += this.#item();
    if (!this.#take(']') || items === '') this.#refuse('[ without ]');
    return `[${negation}${items}]`;
  }

  #item(): string {
    for (const unknown of ['[:', '&&']) if (this.#rest(2) === unknown) this.#refuse(unknown);
    if (this.#take('[')) return this.#class();
    const first = this.#classCharacter();
    if (first.length > 1 && !this.#isCharacter(first)) return first;
    const isRange = this.#next() === '-' && this.#characters[this.#at + 1] !== ']';
    if (!isRange) return this.#foldsCase ? this.#folded(first) : escaped(first);
    this.#take('-');
    const last = this.#classCharacter();
    if (!this.#isCharacter(last) || this.#foldsCase) this.#refuse(`${first}-${last}`);
    return `${escaped(first)}-${escaped(last)}`;
  }

  /** A character, or a class that is translated already. */
  #classCharacter(): string {
    const character = this.#read();
    if (character !== '\\') return character;
    return this.#escape() ?? this.#escapedCharacter();
  }

  #isCharacter(text: string): boolean {
    return String.fromCodePoint(text.codePointAt(0)!) === text;
  }

  /** The class behind a backslash; undefined if it is a character. */
  #escape(): string | undefined {
    const letter = this.#next() ?? this.#refuse('\\');
    if (letter === 'p' || letter === 'P') return this.#property();
    if (!Object.hasOwn(CLASSES, letter)) return undefined;
    this.#read();
    return CLASSES[letter];
  }

  #property(): string {
    const [whole, letter, caret, name] = /^([pP])\{(\^?)(\w+)\}/.exec(this.#rest(40)) ?? [];
    if (whole === undefined) this.#refuse(`\\${this.#rest(5)}`);
    this.#take(whole);
    const isNegated = (letter === 'P') !== (caret === '^');
    const property = [name, `Script=${name}`].find(isProperty);
    // JavaScript knows more names by themselves than Oniguruma: general categories are the same.
    if (property === undefined || !/^(?:[A-Z][a-z]?|Script=.*)$/.test(property))
      this.#refuse(whole.startsWith('p') ? `\\p{${caret}${name}}` : `\\P{${caret}${name}}`);
    return `\\${isNegated ? 'P' : 'p'}{${property}}`;
  }

  #escapedCharacter(): string {
    const [whole, digits] =
      /^(?:x\{([\dA-Fa-f]+)\}|x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4}))/
        .exec(this.#rest(12))
        ?.filter(group => group !== undefined) ?? [];
    if (whole !== undefined && digits !== undefined) {
      this.#take(whole);
      return String.fromCodePoint(Number.parseInt(digits, 16));
    }
    const character = this.#read();
    if (Object.hasOwn(CONTROLS, character)) return CONTROLS[character];
    return /[\dA-Za-z]/.test(character) ? this.#refuse(`\\${character}`) : character;
  }

  #literal(character: string): string {
    return this.#foldsCase ? `[${this.#folded(character)}]` : escaped(character);
  }

  /** All characters that are one without regard to case. */
  #folded(letter: string): string {
    const both = new Set([letter.toLowerCase(), letter.toUpperCase()]);
    if (letter > '\x7f' && both.size > 1) this.#refuse(`(?i:${letter})`);
    const more = { s: 'ſ', k: '\u212a' }[letter.toLowerCase()] ?? '';
    return [...both, ...more].map(escaped).join('');
  }

  #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #read(): string {
    return this.#characters[this.#at++] ?? this.#refuse('its end');
  }

  #rest(length: number): string {
    return this.#characters.slice(this.#at, this.#at + length).join('');
  }

  #take(text: string): boolean {
    const isNext = this.#rest(text.length) === text;
    if (isNext) this.#at += text.length;
    return isNext;
  }

  #refuse(what: string): never {
    throw new LlamaError(
      'UNSUPPORTED',
      `the regular expression ${show(this.#pattern)} has ${what}, which is not implemented, and ` +
        'the ids would be others; please report the tokenizer that has it',
    );
  }
}

/** As JavaScript writes a character inside a class and outside. */
function escaped(character: string): string {
  if (/[\dA-Za-z]/.test(character)) return character;
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

function isProperty(name: string): boolean {
  try {
    return new RegExp(`\\p{${name}}`, 'v') !== undefined;
  } catch {
    return false;
  }
}
