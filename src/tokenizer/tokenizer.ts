/**
 * Text → token ids → text, for Llama's tokenizers: byte-pair encoding over Unicode characters, no
 * splitting into words before.
 *
 *     "Hi<end> you" → Hi, <end>, ▁you      at added tokens (`encode/added-token-finder.ts`)
 *       → ▁Hi, <end>, ▁you                 a space before the first word (`model/space-rule.ts`)
 *       → ▁ H i, <end>, ▁ y o u → merge    (`encode/bpe.ts`)
 *       → ▁Hi <end> ▁you → ids             a character without a piece: the ids of its UTF-8 bytes
 *
 * Not here: the prompt format (`src/text/prompt.ts`) and what the files look like.
 */
import { check } from '../base/errors.js';
import { type DecodeOptions, StreamDecoder } from './decode/stream-decoder.js';
import { AddedTokenFinder } from './encode/added-token-finder.js';
import { mergeSymbols } from './encode/bpe.js';
import { leastTokens } from './encode/least-tokens.js';
import { overlapsAny, type Span } from './encode/spans.js';
import { type AddedToken, plainToken } from './model/added-tokens.js';
import { MERGING } from './model/merge-table.js';
import { normalizeStretch, prefixStretch } from './model/space-rule.js';
import type { TokenizerModel } from './model/tokenizer-model.js';
import { checkId } from './model/vocabulary.js';

/** How a text becomes token ids. */
export interface EncodeOptions {
  /** Put the id of BOS, which begins every text a Llama was trained on, in front. Default false. */
  readonly bos?: boolean;
  /** Put the id of EOS, which ends them, behind. Default false. */
  readonly eos?: boolean;
  /** The text goes on from other text: no space is put in front of it. Default false. */
  readonly continuation?: boolean;
  /**
   * Whether a special token that the text spells out, such as "</s>", becomes its id, as
   * llama.cpp's `parse_special` says, or stays text, as what users write should. `'added'`: those
   * in `addedTokens` do. Default false. Added tokens that are not special are found in any case.
   */
  readonly special?: boolean | 'added';
  /**
   * Parts of the text, in order and apart, that are text in any case: no added token is found that
   * overlaps one, or that one is inside, if it is empty. Default none.
   */
  readonly literal?: readonly Span[];
}

const SPACE = 0x20;
/** U+2581 ▁, which pieces have for a space. */
const ESCAPED_SPACE = 0x2581;
const REPLACEMENT = 0xfffd;

/** Text to token ids and back, as SentencePiece and transformers do it for Llama. */
export class Tokenizer {
  /** One more than the largest id. A model's own vocabulary may be larger: padding. */
  readonly vocabSize: number;
  /** Begins every text; undefined if the tokenizer has no such piece, and so are the next two. */
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly unkId: number | undefined;
  /**
   * The tokens that the model's files list as added, special ones among them. A tokenizer.model by
   * itself lists its user-defined pieces only: in SentencePiece, no text becomes a control piece.
   */
  readonly addedTokens: readonly AddedToken[];
  /** The tokens that are signs to the model, not text: all control pieces, listed or not. */
  readonly specialTokens: readonly AddedToken[];
  /** What the tokenizer's files say besides, and changes no id: a sentence each. */
  readonly notes: readonly string[];
  readonly #model: TokenizerModel;
  /** By code point: the piece that is this character alone. */
  readonly #characters = new Map<number, number>();
  readonly #specialIds: ReadonlySet<number>;
  readonly #finders: Readonly<Record<'added' | 'all', Finders>>;
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
    this.addedTokens = model.addedTokens;
    this.specialTokens = specialTokensOf(model);
    this.notes = model.notes;
    this.#model = model;
    this.#specialIds = new Set(this.specialTokens.map(({ id }) => id));
    const unlisted = this.specialTokens.filter(token => !this.addedTokens.includes(token));
    this.#finders = {
      added: findersOf(this.addedTokens, model),
      all: findersOf([...this.addedTokens, ...unlisted], model),
    };
    pieces.forEach(({ text, type }, id) => {
      if (!MERGING.has(type)) return;
      const first = text.codePointAt(0)!;
      if (String.fromCodePoint(first) === text) this.#characters.set(first, id);
    });
  }

  /**
   * The ids of `text`; none for an empty text, but for `bos` and `eos`. A surrogate without its
   * other half, which is not Unicode, is read as U+FFFD.
   *
   * `decode(encode(text))` is `text`, if that is well-formed, has no U+2581, which reads as a
   * space, and no added tokens, around which spaces may be lost.
   *
   * @throws {LlamaError} BAD_TOKENIZER if BOS or EOS is asked for, and the tokenizer has none.
   */
  encode(text: string, { bos = false, eos = false, ...options }: EncodeOptions = {}): number[] {
    const ids: number[] = bos ? [present(this.bosId, 'BOS', 'bos_token')] : [];
    for (const part of this.#parts(text, options)) {
      if (typeof part === 'number') ids.push(part);
      else this.#pushText(ids, part);
    }
    if (eos) ids.push(present(this.eosId, 'EOS', 'eos_token'));
    return ids;
  }

  /**
   * The text of `ids`; see `stream-decoder.ts` for spaces, bytes and special tokens. An id that the
   * tokenizer does not have, as a model with a padded vocabulary may say it, has no text.
   * @throws {LlamaError} BAD_INPUT for what is not an id: a negative number or a fraction.
   */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    const decoder = this.streamDecoder(options);
    let text = '';
    for (const id of ids) text += decoder.push(id);
    return text + decoder.flush();
  }

  /** For text that comes id by id. */
  streamDecoder(options: DecodeOptions = {}): StreamDecoder {
    return new StreamDecoder(this.#model, this.#specialIds, options);
  }

  /**
   * The pieces as the vocabulary has them, with "▁" for a space and `<0x0A>` for a byte; '' for an
   * id that the tokenizer does not have.
   * @throws {LlamaError} BAD_INPUT for what is not an id.
   */
  pieces(ids: readonly number[]): string[] {
    return ids.map(id => {
      checkId(id);
      return this.#model.vocabulary.pieces[id]?.text ?? '';
    });
  }

  /**
   * `encode` gives so many ids for `text`, or more; told without tokenizing (`least-tokens.ts`).
   */
  leastTokens(text: string): number {
    return leastTokens(text, this.#model);
  }

  /** The id of a piece as the vocabulary has it, such as "▁the" or "</s>"; undefined if none. */
  idOf(piece: string): number | undefined {
    return this.#model.vocabulary.idOf(piece);
  }

  /** Ids of tokens that are found as wholes, and the text between them, prefixed. */
  *#parts(
    text: string,
    { special = false, continuation = false, literal = [] }: EncodeOptions,
  ): Generator<number | string> {
    const { spaces } = this.#model;
    const isLiteral = (start: number, end: number) => overlapsAny(literal, start, end);
    const { raw, normalized } = this.#finders[special === true ? 'all' : 'added'];
    for (const outer of raw.split(text, special !== false, isLiteral)) {
      if (outer.token !== undefined) {
        yield outer.token.id;
        continue;
      }
      const isFirst = outer.start === 0;
      const stretch = normalizeStretch(outer.text, spaces, isFirst && continuation);
      // Where the stretch begins in the text, less a prefix: else a place stays a place.
      const offset = outer.start + outer.text.length - stretch.length;
      const isLiteralInside = (start: number, end: number) =>
        isLiteral(offset + start, offset + end);
      for (const inner of normalized.split(stretch, special !== false, isLiteralInside)) {
        if (inner.token !== undefined) yield inner.token.id;
        else if (isFirst && inner.start === 0 && continuation) yield inner.text;
        else yield prefixStretch(inner.text, spaces, isFirst && inner.start === 0);
      }
    }
  }

  #pushText(ids: number[], text: string): void {
    let afterUnknown = false;
    for (const symbol of mergeSymbols(this.#symbols(text), this.#model.merges)) {
      if (symbol >= 0) ids.push(symbol);
      else if (this.#model.vocabulary.byteIds.length > 0) this.#pushBytes(ids, ~symbol);
      else if (!afterUnknown || this.#model.fusesUnknown === false) ids.push(this.unkId!);
      afterUnknown = symbol < 0;
    }
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

function present(id: number | undefined, name: string, key: string): number {
  check(id !== undefined, 'BAD_TOKENIZER', () => {
    return (
      `the tokenizer has no ${name} to put around a text; name it in tokenizer_config.json ` +
      `(${key})`
    );
  });
  return id;
}

interface Finders {
  readonly raw: AddedTokenFinder;
  readonly normalized: AddedTokenFinder;
}

function findersOf(tokens: readonly AddedToken[], { spaces }: TokenizerModel): Finders {
  const asTheyAre = tokens.filter(({ normalized }) => !normalized);
  const others = tokens.filter(({ normalized }) => normalized);
  return {
    raw: new AddedTokenFinder(asTheyAre, content => content),
    normalized: new AddedTokenFinder(others, content => normalizeStretch(content, spaces)),
  };
}

/** The listed ones, and the control and unknown pieces that no list names. */
function specialTokensOf({ vocabulary, addedTokens }: TokenizerModel): AddedToken[] {
  const listed = new Set(addedTokens.map(({ id }) => id));
  const unlisted = vocabulary.pieces.flatMap(({ text, type }, id) => {
    const isSpecial = (type === 'control' || type === 'unknown') && !listed.has(id);
    return isSpecial ? [plainToken(id, text, true)] : [];
  });
  return [...unlisted, ...addedTokens.filter(({ special }) => special)];
}

function normalize(codePoint: number): number {
  if (codePoint === SPACE) return ESCAPED_SPACE;
  return codePoint >= 0xd800 && codePoint < 0xe000 ? REPLACEMENT : codePoint;
}
