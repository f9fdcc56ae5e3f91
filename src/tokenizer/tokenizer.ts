/**
 * Text → token ids → text, for Llama's tokenizers: byte-pair encoding over Unicode characters, no
 * splitting into words before.
 *
 *     "Hi you" → ▁Hi▁you → ▁ H i ▁ y o u → merge (`bpe.ts`) → ▁Hi ▁you → ids
 *
 * A character without a piece becomes the ids of its UTF-8 bytes.
 *
 * Raw SentencePiece: text never becomes a control piece, "</s>" is text like any other. (Hugging
 * Face finds special tokens in texts.) Not here: the prompt format (`src/text/prompt.ts`) and what
 * the files look like.
 */
import { mergeSymbols } from './bpe.js';
import { type DecodeOptions, pieceOf, StreamDecoder } from './stream-decoder.js';
import type { DummyPrefix, TokenizerModel } from './tokenizer-model.js';

export interface EncodeOptions {
  /** Put the id of BOS, which begins every text a Llama was trained on, in front. Default false. */
  readonly bos?: boolean;
  /** Put the id of EOS, which ends them, behind. Default false. */
  readonly eos?: boolean;
  /** The text goes on from other text: no space is put in front of it. Default false. */
  readonly continuation?: boolean;
}

const SPACE = 0x20;
/** U+2581 ▁, which pieces have for a space. */
const ESCAPED_SPACE = 0x2581;
const REPLACEMENT = 0xfffd;

export class Tokenizer {
  readonly vocabSize: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly unkId: number;
  readonly #model: TokenizerModel;
  /** By code point: the piece that is this character alone. */
  readonly #characters = new Map<number, number>();
  readonly #utf8 = new TextEncoder();

  /**
   * See `openTokenizer` for files; `readSentencePieceModel` and `readTokenizerJson` for their
   * content.
   */
  constructor(model: TokenizerModel) {
    const { pieces, bosId, eosId, unkId } = model.vocabulary;
    this.vocabSize = pieces.length;
    this.bosId = bosId;
    this.eosId = eosId;
    this.unkId = unkId;
    this.#model = model;
    pieces.forEach(({ text, type }, id) => {
      const first = text.codePointAt(0)!;
      if (type === 'normal' && String.fromCodePoint(first) === text)
        this.#characters.set(first, id);
    });
  }

  /**
   * The ids of `text`; none for an empty text, but for `bos` and `eos`. A surrogate without its
   * other half, which is not Unicode, is read as U+FFFD.
   *
   * `decode(encode(text))` is `text`, if that is well-formed and has no U+2581, which reads as a
   * space.
   */
  encode(
    text: string,
    { bos = false, eos = false, continuation = false }: EncodeOptions = {},
  ): number[] {
    const ids: number[] = bos ? [this.bosId] : [];
    const prefix = !continuation && wantsPrefix(text, this.#model.dummyPrefix);
    for (const symbol of mergeSymbols(this.#symbols(text, prefix), this.#model.merges)) {
      if (symbol >= 0) ids.push(symbol);
      else this.#pushBytes(ids, ~symbol);
    }
    if (eos) ids.push(this.eosId);
    return ids;
  }

  /**
   * The text of `ids`; see `stream-decoder.ts` for spaces, bytes and control pieces.
   * @throws {LlamaError} BAD_INPUT for an id outside the vocabulary.
   */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    const decoder = this.streamDecoder(options);
    let text = '';
    for (const id of ids) text += decoder.push(id);
    return text + decoder.flush();
  }

  /** For text that comes id by id. */
  streamDecoder(options: DecodeOptions = {}): StreamDecoder {
    return new StreamDecoder(this.#model, options);
  }

  /**
   * The pieces as the vocabulary has them, with "▁" for a space and `<0x0A>` for a byte.
   * @throws {LlamaError} BAD_INPUT for an id outside the vocabulary.
   */
  pieces(ids: readonly number[]): string[] {
    return ids.map(id => pieceOf(this.#model.vocabulary.pieces, id).text);
  }

  /**
   * By character: the id of its piece, or ~(its code point), which is negative, if there is none.
   */
  #symbols(text: string, prefix: boolean): Int32Array {
    const symbols = new Int32Array(text.length + 1);
    let count = 0;
    if (prefix) symbols[count++] = this.#symbol(ESCAPED_SPACE);
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

function wantsPrefix(text: string, dummyPrefix: DummyPrefix): boolean {
  if (text === '' || dummyPrefix === 'never') return false;
  return dummyPrefix === 'always' || normalize(text.codePointAt(0)!) !== ESCAPED_SPACE;
}

function normalize(codePoint: number): number {
  if (codePoint === SPACE) return ESCAPED_SPACE;
  return codePoint >= 0xd800 && codePoint < 0xe000 ? REPLACEMENT : codePoint;
}
