/**
 * Ids → text as they come. All that `push` and `flush` gave, joined, is `Tokenizer.decode` of all
 * the ids: that is made of this.
 *
 * - What a piece reads like, and when a character is complete, is the spelling's: see
 *   `sentencepiece/spelling.ts` and `byte-level/spelling.ts`.
 * - Special tokens (control and unknown pieces among them) have no text, unless they are not to be
 *   skipped: then they have their name, such as `</s>`. Other added tokens are text.
 * - An id that the tokenizer does not have is passed over, as transformers does it.
 */
import type { Spelling, SpellingReader } from '../model/spelling.js';
import { checkId, type Vocabulary } from '../model/vocabulary.js';

/** How token ids become text. */
export interface DecodeOptions {
  /** The ids go on from other text: a space at the start is kept. Default false. */
  readonly continuation?: boolean;
  /** Leave special tokens out; if not, they are written by name. Default true. */
  readonly skipSpecial?: boolean;
}

/** Decodes token after token; a character whose bytes are not complete yet is held back. */
export class StreamDecoder {
  readonly #pieces: Vocabulary['pieces'];
  readonly #specialIds: ReadonlySet<number>;
  readonly #skipSpecial: boolean;
  readonly #reader: SpellingReader;

  constructor(
    spelling: Spelling,
    { pieces }: Vocabulary,
    specialIds: ReadonlySet<number>,
    { continuation = false, skipSpecial = true }: DecodeOptions,
  ) {
    this.#pieces = pieces;
    this.#specialIds = specialIds;
    this.#skipSpecial = skipSpecial;
    this.#reader = spelling.reader(continuation);
  }

  /**
   * The text that the next id makes certain; often '' for a part of a character.
   * @throws {LlamaError} BAD_INPUT if `id` is negative or a fraction.
   */
  push(id: number): string {
    checkId(id);
    const piece = this.#pieces[id];
    if (piece === undefined || piece.type === 'absent') return '';
    const isSkipped = this.#skipSpecial && this.#specialIds.has(id);
    return isSkipped ? this.#reader.skip() : this.#reader.push(id);
  }

  /** What is still held back, at the end: U+FFFD for a character cut off. */
  flush(): string {
    return this.#reader.flush();
  }
}
