/**
 * Telling the control tokens that a template writes from those that somebody typed.
 *
 * A template makes one text of a conversation, and in that text a "</s>" of a user looks like one
 * of the template. So before it runs, two characters that are in none of the texts are put around
 * every control token that a message has, and where a message begins or ends like a part of one
 * that could be completed by what the template puts beside it. They come through the template with
 * the text around them, and are taken out again, leaving the places where they were: no control
 * token may overlap these. A message without anything of the kind goes in unchanged.
 *
 * transformers does the same where asked to (`sanitize_control_tokens`), but not at the ends.
 */

import { escapeRegExp } from '../../base/text.js';
import type { Span } from '../../tokenizer/encode/spans.js';
import { unusedCharacters } from './unused-characters.js';

/** Texts of control tokens, to be looked for in messages. */
export class ControlTokens {
  readonly #texts: ReadonlySet<string>;
  readonly #any: RegExp;

  constructor(texts: Iterable<string>) {
    this.#texts = new Set(texts);
    const longestFirst = [...this.#texts].sort((a, b) => b.length - a.length);
    this.#any = new RegExp(longestFirst.map(escapeRegExp).join('|') || '(?!)', 'g');
  }

  has(text: string): boolean {
    return this.#texts.has(text);
  }

  /** `text` with `open` and `close` around every token, and before and after a part of one. */
  mark(text: string, { open, close }: Marks): string {
    const core = text.trim(); // a template may strip the white space, and the marks must stay
    if (core === '') return text;
    const before = text.slice(0, text.length - text.trimStart().length);
    const after = text.slice(before.length + core.length);
    const marked = core.replace(this.#any, `${open}$&${close}`);
    const first = this.#continues(core) ? open : '';
    const last = this.#begins(core) ? close : '';
    return before + first + marked + last + after;
  }

  /** Whether something in front of `core` could make a token of its beginning, or of all of it. */
  #continues(core: string): boolean {
    return this.#some(token =>
      inside(token).some(place => {
        const end = token.slice(place);
        return core.startsWith(end) || end.startsWith(core);
      }),
    );
  }

  /** Whether something behind `core` could make a token of its end, or of all of it. */
  #begins(core: string): boolean {
    return this.#some(token =>
      inside(token).some(place => {
        const beginning = token.slice(0, place);
        return core.endsWith(beginning) || beginning.endsWith(core);
      }),
    );
  }

  #some(holds: (token: string) => boolean): boolean {
    return [...this.#texts].some(holds);
  }
}

/** The places between the characters of a token. */
const inside = (token: string): number[] =>
  Array.from({ length: token.length - 1 }, (_, i) => i + 1);

/** Two characters. */
export interface Marks {
  readonly open: string;
  readonly close: string;
}

/** Marks that are in none of `texts`, which are all that come together in one. */
export function marksFor(texts: readonly string[]): Marks {
  const [open, close] = unusedCharacters(texts, 2);
  return { open, close };
}

/**
 * The text that a template has made, without marks; and in its order what they were around, or, of
 * one by itself, where it was.
 */
export function unmark(
  rendered: string,
  { open, close }: Marks,
  tokens: ControlTokens,
): { readonly text: string; readonly literal: readonly Span[] } {
  const literal: Span[] = [];
  let text = '';
  // [text, mark, text, mark, …, text]
  const parts = rendered.split(new RegExp(`([${open}${close}])`));
  for (let i = 0; i < parts.length; i += 2) {
    const start = text.length;
    text += parts[i];
    const isBetween = parts[i - 1] === open && parts[i + 1] === close;
    if (isBetween && tokens.has(parts[i])) literal.push({ start, end: text.length });
    else if (i > 0) literal.push({ start, end: start });
  }
  return { text, literal };
}
