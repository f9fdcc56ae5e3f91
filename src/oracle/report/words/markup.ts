/** Text in HTML, SVG and XML. */
import { escapeControls } from '../../../base/escape.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * `text` as the content of an element or an attribute: nothing in it is markup, and every
 * character is one that XML 1.0 may have. Control characters are shown; halves of characters, and
 * what is none, become U+FFFD.
 */
export const escapeMarkup = (text: string): string =>
  escapeControls(text)
    .replace(/\p{Cs}|[\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/g, sign => ENTITIES[sign]);

/** What is markup already. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = string | number | Markup | readonly Content[];

/** markup`<td>${text}</td>`: every text in it is escaped, so that none can be forgotten. */
export function markup(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(
    parts.map((part, i) => (i === 0 ? part : written(contents[i - 1]) + part)).join(''),
  );
}

function written(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(written).join('');
  return escapeMarkup(String(content));
}

/** Nothing, for what is not always there. */
export const NOTHING = new Markup('');
