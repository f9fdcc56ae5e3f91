/**
 * What a byte-level tokenizer does to a stretch of text between added tokens, before its bytes are
 * merged: names and meaning are those of Hugging Face's `pre_tokenizers`, which a tokenizer.json
 * has and GGUF files have one word for (`byte-level/known-rules.ts`).
 */

/**
 * What becomes of what a pattern matches: a part of its own (Isolated), none at all (Removed), one
 * with its neighbours that match or do not, too (Contiguous), or one with the text before it
 * (MergedWithPrevious) or behind it (MergedWithNext).
 */
export type SplitBehavior =
  | 'Isolated'
  | 'Removed'
  | 'Contiguous'
  | 'MergedWithPrevious'
  | 'MergedWithNext';

/** A cut of each part that the cut before it left. */
export interface Split {
  /** A regular expression of Oniguruma's. */
  readonly pattern: string;
  readonly behavior: SplitBehavior;
  /** What the pattern does not match is meant. */
  readonly invert: boolean;
}

/** How a byte-level tokenizer cuts a stretch of text into parts, and whether it merges them. */
export interface ByteLevelRule {
  /** Unicode's normal form of a stretch, before `normalized` added tokens are looked for. */
  readonly normalizer: 'none' | 'NFC';
  /** One after the other. */
  readonly splits: readonly Split[];
  /** Each part that these leave gets a space in front, unless it begins with one. */
  readonly addPrefixSpace: boolean;
  /** It is then cut as GPT-2 cuts words. */
  readonly useRegex: boolean;
  /** A part that is a piece is not merged, but taken as it is. */
  readonly ignoreMerges: boolean;
}
