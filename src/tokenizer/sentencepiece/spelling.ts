/**
 * Text in pieces as SentencePiece has them: of Unicode characters, "▁" for a space, and the UTF-8
 * bytes of a character that has no piece.
 *
 *     "Hi 🦙" → ▁Hi▁🦙 → ▁ H i ▁ 🦙 → merge → ▁Hi ▁ 🦙 → ▁Hi ▁ <0xF0> <0x9F> <0xA6> <0x99>
 *
 * Reading: "▁" becomes a space; the first one of the text, which encoding put there, is dropped.
 * Not so if text, even from byte pieces, came before it. Byte pieces are joined and read as UTF-8;
 * text is held back until a character is complete, and any other piece, control pieces too, ends
 * it. Bytes that are no UTF-8 become one U+FFFD each.
 *
 * SentencePiece does the same, but for its " ⁇ " in place of an unknown piece. Hugging Face skips
 * specials before it joins bytes, makes U+FFFD of every byte of a run that is not UTF-8 as a whole,
 * and drops a first space from a byte piece, too.
 */
import { Utf8Stream } from '../decode/utf8-stream.js';
import { mergeSymbols } from '../encode/bpe.js';
import { leastTokens } from '../encode/least-tokens.js';
import { MERGING } from '../model/merge-table.js';
import { normalizeStretch, prefixStretch } from '../model/space-rule.js';
import type { Before, Normalized, Spelling, SpellingReader } from '../model/spelling.js';
import type { SentencePieceModel } from '../model/tokenizer-model.js';
import { byteOf } from '../model/vocabulary.js';

const SPACE = 0x20;
/** U+2581 ▁, which pieces have for a space. */
const ESCAPED_SPACE = 0x2581;
const REPLACEMENT = 0xfffd;

export class SentencePieceSpelling implements Spelling {
  readonly #model: SentencePieceModel;
  /** By code point: the piece that is this character alone. */
  readonly #characters = new Map<number, number>();
  readonly #utf8 = new TextEncoder();

  constructor(model: SentencePieceModel) {
    this.#model = model;
    model.vocabulary.pieces.forEach(({ text, type }, id) => {
      if (!MERGING.has(type)) return;
      const first = text.codePointAt(0)!;
      if (String.fromCodePoint(first) === text) this.#characters.set(first, id);
    });
  }

  normalize(stretch: string, before: Before): Normalized {
    const text = normalizeStretch(stretch, this.#model.spaces, before === 'text');
    return { text, added: text.length - stretch.length };
  }

  pushIds(ids: number[], text: string, before: Before): void {
    const { vocabulary, merges, spaces, fusesUnknown } = this.#model;
    const prefixed = before === 'text' ? text : prefixStretch(text, spaces, before === 'nothing');
    let afterUnknown = false;
    for (const symbol of mergeSymbols(this.#symbols(prefixed), merges)) {
      if (symbol >= 0) ids.push(symbol);
      else if (vocabulary.byteIds.length > 0) this.#pushBytes(ids, ~symbol);
      else if (!afterUnknown || fusesUnknown === false) ids.push(vocabulary.unkId!);
      afterUnknown = symbol < 0;
    }
  }

  /** None: what has no piece is bytes, or the unknown piece. */
  leftOut(): readonly string[] {
    return [];
  }

  reader(continuation: boolean): SpellingReader {
    return new SentencePieceReader(this.#model, continuation);
  }

  textOf(id: number): string | Uint8Array {
    const piece = this.#model.vocabulary.pieces[id];
    const byte = byteOf(piece);
    return byte === undefined ? withSpaces(piece.text) : Uint8Array.of(byte);
  }

  leastTokens(text: string): number {
    return leastTokens(text, this.#model);
  }

  /**
   * By character: the id of its piece, or ~(its code point), which is negative, if there is none.
   */
  #symbols(text: string): Int32Array {
    const symbols = new Int32Array(text.length);
    let count = 0;
    for (let at = 0; at < text.length; ) {
      const codePoint = text.codePointAt(at)!;
      symbols[count++] = this.#symbol(normalize(codePoint));
      at += codePoint > 0xffff ? 2 : 1;
    }
    return symbols.subarray(0, count);
  }

  #symbol(codePoint: number): number {
    return this.#characters.get(codePoint) ?? ~codePoint;
  }

  #pushBytes(ids: number[], codePoint: number): void {
    const { byteIds } = this.#model.vocabulary;
    for (const byte of this.#utf8.encode(String.fromCodePoint(codePoint))) ids.push(byteIds[byte]);
  }
}

class SentencePieceReader implements SpellingReader {
  readonly #pieces: SentencePieceModel['vocabulary']['pieces'];
  readonly #utf8 = new Utf8Stream('byte');
  /** Until there is text, or the space that is not: whether to drop a "▁". */
  #dropSpace: boolean;

  constructor({ vocabulary, spaces }: SentencePieceModel, continuation: boolean) {
    this.#pieces = vocabulary.pieces;
    this.#dropSpace = spaces.dropsSpace && !continuation;
  }

  push(id: number): string {
    const piece = this.#pieces[id];
    const byte = byteOf(piece);
    if (byte === undefined) return this.#utf8.flush() + this.#withSpaces(piece.text);
    this.#dropSpace = false;
    return this.#utf8.push(byte);
  }

  skip(): string {
    return this.#utf8.flush();
  }

  flush(): string {
    return this.#utf8.flush();
  }

  #withSpaces(text: string): string {
    const start = this.#dropSpace && text.startsWith('▁') ? 1 : 0;
    this.#dropSpace = false;
    return withSpaces(text.slice(start));
  }
}

const withSpaces = (text: string): string => text.replaceAll('▁', ' ');

function normalize(codePoint: number): number {
  if (codePoint === SPACE) return ESCAPED_SPACE;
  return codePoint >= 0xd800 && codePoint < 0xe000 ? REPLACEMENT : codePoint;
}
