/**
 * Where added tokens stand in a text. As in Hugging Face's `tokenizers`: from left to right, of
 * several at one place the longest; one that does not count there (not a word of its own, or a
 * special one where those are text) is passed over as a whole.
 */
import type { AddedToken } from '../model/added-tokens.js';

/** A stretch of text, and where it starts; or a token, which stands for all that it covers. */
export type Part =
  | { readonly token: AddedToken }
  | { readonly token?: undefined; readonly text: string; readonly start: number };

interface Node {
  readonly next: Map<number, Node>;
  token?: AddedToken;
}

const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const SPACE = /^\p{White_Space}$/u;

export class AddedTokenFinder {
  readonly #root: Node = { next: new Map() };

  /** Of `tokens`, each is looked for as what `spelling` makes of its content. */
  constructor(tokens: readonly AddedToken[], spelling: (content: string) => string) {
    for (const token of tokens) {
      const spelled = spelling(token.content);
      let node = this.#root;
      for (let i = 0; i < spelled.length; i++) node = step(node, spelled.charCodeAt(i));
      node.token ??= token;
    }
  }

  /**
   * All of `text`, in order.
   * @param special whether special tokens are found, or are text
   * @param isLiteral whether what stands between two places is text in any case
   */
  split(
    text: string,
    special: boolean,
    isLiteral: (start: number, end: number) => boolean = () => false,
  ): Part[] {
    if (this.#root.next.size === 0) return text === '' ? [] : [{ text, start: 0 }];
    const parts: Part[] = [];
    let done = 0; // up to here, the text is in a part
    const pushText = (end: number) => {
      if (done < end) parts.push({ text: text.slice(done, end), start: done });
    };
    for (let at = 0; at < text.length; ) {
      const [token, end] = this.#longestAt(text, at);
      const isFound = token !== undefined && counts(token, text, at, end, special);
      if (isFound && !isLiteral(at, end)) {
        pushText(token.lstrip ? leftOfSpaces(text, at, done) : at);
        parts.push({ token });
        done = token.rstrip ? rightOfSpaces(text, end) : end;
      }
      at = end;
    }
    pushText(text.length);
    return parts;
  }

  /** The longest token at `at`, and its end; undefined and the next place if there is none. */
  #longestAt(text: string, at: number): [AddedToken | undefined, number] {
    let token: AddedToken | undefined;
    let end = at + 1;
    let node = this.#root.next.get(text.charCodeAt(at));
    for (let next = at + 1; node !== undefined; next++) {
      if (node.token !== undefined) [token, end] = [node.token, next];
      node = node.next.get(text.charCodeAt(next)); // NaN behind the end: there is none
    }
    return [token, end];
  }
}

function step({ next }: Node, unit: number): Node {
  const node = next.get(unit) ?? { next: new Map() };
  next.set(unit, node);
  return node;
}

function counts(
  token: AddedToken,
  text: string,
  start: number,
  end: number,
  special: boolean,
): boolean {
  if (token.special && !special) return false;
  if (!token.singleWord) return true;
  return !WORD.test(characterBefore(text, start)) && !WORD.test(characterAt(text, end));
}

function characterAt(text: string, at: number): string {
  return at < text.length ? String.fromCodePoint(text.codePointAt(at)!) : '';
}

function characterBefore(text: string, at: number): string {
  const pair = at >= 2 ? text.codePointAt(at - 2)! : 0;
  return pair > 0xffff ? String.fromCodePoint(pair) : text.slice(Math.max(0, at - 1), at);
}

function leftOfSpaces(text: string, start: number, least: number): number {
  let at = start;
  while (at > least && SPACE.test(text[at - 1])) at--;
  return at;
}

function rightOfSpaces(text: string, end: number): number {
  let at = end;
  while (at < text.length && SPACE.test(text[at])) at++;
  return at;
}
