/**
 * How a kind of tokenizer spells text in pieces and reads it again: all but added tokens, which
 * `Tokenizer` and `StreamDecoder` see to. There are two, `sentencepiece/spelling.ts` and
 * `byte-level/spelling.ts`.
 */

/** What stands before a stretch of text: nothing, other text, or an added token. */
export type Before = 'nothing' | 'text' | 'token';

/** A stretch as its normalizer leaves it. */
export interface Normalized {
  readonly text: string;
  /**
   * UTF-16 units that were put in front of it; undefined if other places have moved, too.
   */
  readonly added: number | undefined;
}

export interface Spelling {
  /** `stretch` as those added tokens that are `normalized` are looked for in it. */
  normalize(stretch: string, before: Before): Normalized;
  /** Appends the ids of `text`, which is normalized and has no added tokens. */
  pushIds(ids: number[], text: string, before: Before): void;
  /** The characters of the same text with bytes that become no id, one after the other. */
  leftOut(text: string, before: Before): readonly string[];
  /** For the text of ids; `continuation`: other text stands before it. */
  reader(continuation: boolean): SpellingReader;
  /** What the piece `id` reads like in the middle of a text, or its bytes if these are no text. */
  textOf(id: number): string | Uint8Array;
  /** A number that the ids of `text` reach, added tokens or not, told without tokenizing. */
  leastTokens(text: string): number;
}

/** Reads a text piece by piece; what is not certain yet is held back. */
export interface SpellingReader {
  /** The text that the piece `id` makes certain. */
  push(id: number): string;
  /** The same for a special token that is left out. */
  skip(): string;
  /** What is still held back, at the end. */
  flush(): string;
}
