/**
 * Text → token ids → text, for Llama's tokenizers: byte-pair encoding, of Unicode characters
 * (SentencePiece) or of bytes.
 *
 *     "Hi<end> you" → Hi, <end>, ▁you      at added tokens (`encode/added-token-finder.ts`)
 *       → ▁ H i, <end>, ▁ y o u → merge    (`sentencepiece/spelling.ts`, `byte-level/spelling.ts`)
 *       → ▁Hi <end> ▁you → ids             (`encode/bpe.ts`)
 *
 * Not here: the prompt format (`src/text/prompt.ts`) and what the files look like.
 */
import { check } from '../base/errors.js';
import { ByteLevelSpelling } from './byte-level/spelling.js';
import { type DecodeOptions, StreamDecoder } from './decode/stream-decoder.js';
import { AddedTokenFinder } from './encode/added-token-finder.js';
import { overlapsAny, type Span } from './encode/spans.js';
import { type AddedToken, plainToken } from './model/added-tokens.js';
import type { Before, Spelling } from './model/spelling.js';
import type { TokenizerModel } from './model/tokenizer-model.js';
import { checkId, type Vocabulary } from './model/vocabulary.js';
import { SentencePieceSpelling } from './sentencepiece/spelling.js';

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

/** Text to token ids and back, as SentencePiece and transformers do it for Llama. */
export class Tokenizer {
  /** One more than the largest id. A model's own vocabulary may be larger: padding. */
  readonly vocabSize: number;
  /** Begins every text; undefined if the tokenizer has no such piece, and so are the next two. */
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly unkId: number | undefined;
  /**
   * Whether prompts begin with BOS (`bos`): always with SentencePiece; of pieces of bytes, if the
   * files say so.
   */
  readonly addsBos: boolean;
  /**
   * The tokens that the model's files list as added, special ones among them. A tokenizer.model by
   * itself lists its user-defined pieces only: in SentencePiece, no text becomes a control piece.
   */
  readonly addedTokens: readonly AddedToken[];
  /** The tokens that are signs to the model, not text: all control pieces, listed or not. */
  readonly specialTokens: readonly AddedToken[];
  /** What the tokenizer's files say besides, and changes no id: a sentence each. */
  readonly notes: readonly string[];
  readonly #vocabulary: Vocabulary;
  readonly #spelling: Spelling;
  readonly #specialIds: ReadonlySet<number>;
  readonly #finders: Readonly<Record<'added' | 'all', Finders>>;

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
    this.addsBos = model.addsBos ?? true;
    this.addedTokens = model.addedTokens;
    this.specialTokens = specialTokensOf(model);
    this.notes = model.notes;
    this.#vocabulary = model.vocabulary;
    this.#spelling = spellingOf(model);
    this.#specialIds = new Set(this.specialTokens.map(({ id }) => id));
    const unlisted = this.specialTokens.filter(token => !this.addedTokens.includes(token));
    this.#finders = {
      added: findersOf(this.addedTokens, this.#spelling),
      all: findersOf([...this.addedTokens, ...unlisted], this.#spelling),
    };
  }

  /**
   * The ids of `text`; none for an empty text, but for `bos` and `eos`. A surrogate without its
   * other half, which is not Unicode, is read as U+FFFD.
   *
   * `decode(encode(text))` is `text`, if that is well-formed and has no added tokens, around which
   * spaces may be lost; of pieces of characters, if it has no U+2581, which reads as a space; of
   * pieces of bytes, if each of its bytes has one (`leftOut`), and the files ask for no other
   * changes.
   *
   * @throws {LlamaError} BAD_TOKENIZER if BOS or EOS is asked for, and the tokenizer has none;
   * BAD_INPUT for a run of millions of characters that cannot be cut.
   */
  encode(text: string, { bos = false, eos = false, ...options }: EncodeOptions = {}): number[] {
    const ids: number[] = bos ? [present(this.bosId, 'BOS', 'bos_token')] : [];
    for (const part of this.#parts(text, options)) {
      if (typeof part === 'number') ids.push(part);
      else this.#spelling.pushIds(ids, part.text, part.before);
    }
    if (eos) ids.push(present(this.eosId, 'EOS', 'eos_token'));
    return ids;
  }

  /**
   * The characters of `text`, each once, that `encode` leaves bytes of out, with the same options:
   * those of pieces of bytes that have none for some byte, and no unknown piece. The ids are those
   * of `tokenizers` and llama.cpp, which say nothing of it; say it to whoever wrote the text.
   */
  leftOut(text: string, options: Omit<EncodeOptions, 'bos' | 'eos'> = {}): string[] {
    const found = new Set<string>();
    for (const part of this.#parts(text, options)) {
      if (typeof part === 'number') continue;
      for (const each of this.#spelling.leftOut(part.text, part.before)) found.add(each);
    }
    return [...found];
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
    return new StreamDecoder(this.#spelling, this.#vocabulary, this.#specialIds, options);
  }

  /**
   * The pieces as the vocabulary has them, with "▁" for a space and `<0x0A>` for a byte, or, of
   * bytes, with "Ġ" and "Ċ"; '' for an id that the tokenizer does not have.
   * @throws {LlamaError} BAD_INPUT for what is not an id.
   */
  pieces(ids: readonly number[]): string[] {
    return ids.map(id => {
      checkId(id);
      return this.#vocabulary.pieces[id]?.text ?? '';
    });
  }

  /**
   * What one token reads like in the middle of a text, special tokens by their names: `text`, or,
   * if its bytes are a part of a character or may be, `undefined`; and its bytes in any case. Empty
   * for an id that the tokenizer does not have.
   * @throws {LlamaError} BAD_INPUT for what is not an id.
   */
  tokenOf(id: number): { readonly text: string | undefined; readonly bytes: Uint8Array } {
    checkId(id);
    const piece = this.#vocabulary.pieces[id];
    if (piece === undefined || piece.type === 'absent')
      return { text: '', bytes: new Uint8Array() };
    const text = this.#spelling.textOf(id);
    return typeof text === 'string'
      ? { text, bytes: new TextEncoder().encode(text) }
      : { text: undefined, bytes: text };
  }

  /**
   * The bytes that a token adds to a text that is decoded: those of `tokenOf`, but none for special
   * tokens, which are left out.
   * @throws {LlamaError} BAD_INPUT for what is not an id.
   */
  bytesOf(id: number): Uint8Array {
    return this.#specialIds.has(id) ? new Uint8Array() : this.tokenOf(id).bytes;
  }

  /**
   * `encode` gives so many ids for `text`, or more; told without tokenizing (`least-tokens.ts`).
   */
  leastTokens(text: string): number {
    return this.#spelling.leastTokens(text);
  }

  /**
   * The id of a piece as the vocabulary has it, such as "▁the", "Ġthe" or "</s>"; undefined if
   * there is none.
   */
  idOf(piece: string): number | undefined {
    return this.#vocabulary.idOf(piece);
  }

  /** Ids of tokens that are found as wholes, and the text between them, normalized. */
  *#parts(
    text: string,
    { special = false, continuation = false, literal = [] }: EncodeOptions,
  ): Generator<number | TextPart> {
    const start: Before = continuation ? 'text' : 'nothing';
    const isLiteral = (from: number, to: number) => overlapsAny(literal, from, to);
    const { raw, normalized } = this.#finders[special === true ? 'all' : 'added'];
    for (const outer of raw.split(text, special !== false, isLiteral)) {
      if (outer.token !== undefined) {
        yield outer.token.id;
        continue;
      }
      const before = outer.start === 0 ? start : 'token';
      const stretch = this.#spelling.normalize(outer.text, before);
      const isLiteralInside = (from: number, to: number) => {
        // Where places have moved, none is known: then the stretch is literal as a whole.
        if (stretch.added === undefined)
          return isLiteral(outer.start, outer.start + outer.text.length);
        const offset = outer.start - stretch.added;
        return isLiteral(offset + from, offset + to);
      };
      for (const inner of normalized.split(stretch.text, special !== false, isLiteralInside)) {
        if (inner.token !== undefined) yield inner.token.id;
        else yield { text: inner.text, before: inner.start === 0 ? before : 'token' };
      }
    }
  }
}

/** Text without added tokens, and what stands before it. */
interface TextPart {
  readonly text: string;
  readonly before: Before;
}

function spellingOf(model: TokenizerModel): Spelling {
  return model.kind === 'byte-level'
    ? new ByteLevelSpelling(model)
    : new SentencePieceSpelling(model);
}

function present(id: number | undefined, name: string, key: string): number {
  check(id !== undefined, 'BAD_TOKENIZER', () => {
    return (
      `the tokenizer has no ${name} to put around a text; name it in tokenizer_config.json ` +
      `(${key}), or in the GGUF file (tokenizer.ggml.${key}_id)`
    );
  });
  return id;
}

interface Finders {
  readonly raw: AddedTokenFinder;
  readonly normalized: AddedTokenFinder;
}

function findersOf(tokens: readonly AddedToken[], spelling: Spelling): Finders {
  const asTheyAre = tokens.filter(({ normalized }) => !normalized);
  const others = tokens.filter(({ normalized }) => normalized);
  return {
    raw: new AddedTokenFinder(asTheyAre, content => content),
    normalized: new AddedTokenFinder(
      others,
      content => spelling.normalize(content, 'nothing').text,
    ),
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
