/**
 * Tokens that are found in a text as wholes, before byte-pair encoding: those that a fine-tune
 * added, and the control tokens. Names and meaning are those of Hugging Face's `AddedToken`
 * (github.com/huggingface/tokenizers, src/tokenizer/added_vocabulary.rs).
 */
export interface AddedToken {
  readonly id: number;
  /** What it reads like in a text. */
  readonly content: string;
  /** A sign for the model, such as `</s>`, not a word: may be left out when decoding. */
  readonly special: boolean;
  /** Only where no letter, digit or underscore stands beside it. */
  readonly singleWord: boolean;
  /** With the white space before it. */
  readonly lstrip: boolean;
  /** With the white space after it. */
  readonly rstrip: boolean;
  /** Looked for in the text as the normalizer leaves it, and in what the others leave over. */
  readonly normalized: boolean;
}

/** A token that is found exactly as it reads. */
export function plainToken(id: number, content: string, special: boolean): AddedToken {
  const exactly = { singleWord: false, lstrip: false, rstrip: false, normalized: false };
  return { id, content, special, ...exactly };
}
