/**
 * Ids → text as they come. All that `push` and `flush` gave, joined, is `Tokenizer.decode` of all
 * the ids: that is made of this.
 *
 * - "▁" becomes a space; the first one of the text, which encoding put there, is dropped. Not so if
 *   text, even from byte pieces, came before it.
 * - Byte pieces are joined and read as UTF-8; text is held back until a character is complete, and
 *   any other piece, control pieces too, ends it. Bytes that are no UTF-8 become one U+FFFD each
 *   (`utf8-stream.ts`).
 * - Control and unknown pieces have no text. With `showSpecials` they have their name, such as
 *   `</s>`.
 *
 * SentencePiece does the same, but for its " ⁇ " in place of an unknown piece. Hugging Face skips
 * specials before it joins bytes, makes U+FFFD of every byte of a run that is not UTF-8 as a whole,
 * and drops a first space from a byte piece, too.
 */
import { check } from '../base/errors.js';
import type { TokenizerModel } from './tokenizer-model.js';
import { Utf8Stream } from './utf8-stream.js';
import { byteOf } from './vocabulary.js';

export interface DecodeOptions {
  /** The ids go on from other text: a space at the start is kept. Default false. */
  readonly continuation?: boolean;
  /** Write control and unknown pieces by name. Default false. */
  readonly showSpecials?: boolean;
}

export class StreamDecoder {
  readonly #pieces: TokenizerModel['vocabulary']['pieces'];
  readonly #showSpecials: boolean;
  readonly #utf8 = new Utf8Stream();
  /** Until there is text, or the space that is not: whether to drop a "▁". */
  #dropSpace: boolean;

  constructor(
    { vocabulary, dummyPrefix }: TokenizerModel,
    { continuation = false, showSpecials = false }: DecodeOptions,
  ) {
    this.#pieces = vocabulary.pieces;
    this.#dropSpace = dummyPrefix !== 'never' && !continuation;
    this.#showSpecials = showSpecials;
  }

  /**
   * The text that the next id makes certain; often '' for byte pieces.
   * @throws {LlamaError} BAD_INPUT if `id` is not in the vocabulary.
   */
  push(id: number): string {
    const piece = pieceOf(this.#pieces, id);
    const byte = byteOf(piece);
    if (byte !== undefined) {
      this.#dropSpace = false;
      return this.#utf8.push(byte);
    }
    const cutOff = this.#utf8.flush();
    if (piece.type === 'normal') return cutOff + this.#spaced(piece.text);
    if (!this.#showSpecials) return cutOff;
    this.#dropSpace = false;
    return cutOff + piece.text;
  }

  /** What is still held back, at the end: U+FFFD for each byte of a character cut off. */
  flush(): string {
    return this.#utf8.flush();
  }

  #spaced(text: string): string {
    const start = this.#dropSpace && text.startsWith('▁') ? 1 : 0;
    this.#dropSpace = false;
    return text.slice(start).replaceAll('▁', ' ');
  }
}

/** @throws {LlamaError} BAD_INPUT */
export function pieceOf<T>(pieces: readonly T[], id: number): T {
  const piece = pieces[id];
  check(
    piece !== undefined,
    'BAD_INPUT',
    () => `token id ${id} is not in the vocabulary of the tokenizer, 0 … ${pieces.length - 1}`,
  );
  return piece;
}
