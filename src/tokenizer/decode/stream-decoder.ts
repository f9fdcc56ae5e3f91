/**
 * Ids → text as they come. All that `push` and `flush` gave, joined, is `Tokenizer.decode` of all
 * the ids: that is made of this.
 *
 * - "▁" becomes a space; the first one of the text, which encoding put there, is dropped. Not so if
 *   text, even from byte pieces, came before it.
 * - Byte pieces are joined and read as UTF-8; text is held back until a character is complete, and
 *   any other piece, control pieces too, ends it. Bytes that are no UTF-8 become one U+FFFD each
 *   (`utf8-stream.ts`).
 * - Special tokens (control and unknown pieces among them) have no text, unless they are not to be
 *   skipped: then they have their name, such as `</s>`. Other added tokens are text.
 * - An id that the tokenizer does not have is passed over, as transformers does it.
 *
 * SentencePiece does the same, but for its " ⁇ " in place of an unknown piece. Hugging Face skips
 * specials before it joins bytes, makes U+FFFD of every byte of a run that is not UTF-8 as a whole,
 * and drops a first space from a byte piece, too.
 */
import type { TokenizerModel } from '../model/tokenizer-model.js';
import { byteOf, checkId } from '../model/vocabulary.js';
import { Utf8Stream } from './utf8-stream.js';

/** How token ids become text. */
export interface DecodeOptions {
  /** The ids go on from other text: a space at the start is kept. Default false. */
  readonly continuation?: boolean;
  /** Leave special tokens out; if not, they are written by name. Default true. */
  readonly skipSpecial?: boolean;
}

/** Decodes token after token; a character whose bytes are not complete yet is held back. */
export class StreamDecoder {
  readonly #pieces: TokenizerModel['vocabulary']['pieces'];
  readonly #specialIds: ReadonlySet<number>;
  readonly #skipSpecial: boolean;
  readonly #utf8 = new Utf8Stream();
  /** Until there is text, or the space that is not: whether to drop a "▁". */
  #dropSpace: boolean;

  constructor(
    { vocabulary, spaces }: TokenizerModel,
    specialIds: ReadonlySet<number>,
    { continuation = false, skipSpecial = true }: DecodeOptions,
  ) {
    this.#pieces = vocabulary.pieces;
    this.#specialIds = specialIds;
    this.#dropSpace = spaces.dropsSpace && !continuation;
    this.#skipSpecial = skipSpecial;
  }

  /**
   * The text that the next id makes certain; often '' for byte pieces.
   * @throws {LlamaError} BAD_INPUT if `id` is negative or a fraction.
   */
  push(id: number): string {
    checkId(id);
    const piece = this.#pieces[id];
    if (piece === undefined || piece.type === 'absent') return '';
    const byte = byteOf(piece);
    if (byte !== undefined) {
      this.#dropSpace = false;
      return this.#utf8.push(byte);
    }
    const cutOff = this.#utf8.flush();
    const isSpecial = this.#specialIds.has(id);
    return isSpecial && this.#skipSpecial ? cutOff : cutOff + this.#withSpaces(piece.text);
  }

  /** What is still held back, at the end: U+FFFD for each byte of a character cut off. */
  flush(): string {
    return this.#utf8.flush();
  }

  #withSpaces(text: string): string {
    const start = this.#dropSpace && text.startsWith('▁') ? 1 : 0;
    this.#dropSpace = false;
    return text.slice(start).replaceAll('▁', ' ');
  }
}
