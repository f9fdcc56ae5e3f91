/** The text that an engine is asked about when nobody gives one. */
import type { LlamaConfig } from '../../model/config.js';
import { randomFrom } from '../noise/random.js';

/** Plain words, numbers and signs, which every tokenizer has. */
export const DEFAULT_TEXT =
  'The lighthouse keeper wrote down the weather every evening: wind from the north-west, 14 ' +
  'knots; visibility 9 miles; two ships, one of them without lights. On the third of May he saw ' +
  'nothing at all, because the fog had come in before noon and stayed. "A day for mending nets," ' +
  'he wrote, and underlined it. In the margin somebody else has added, in blue ink, that the ' +
  'nets were never mended, and that the second ship was the Ardent, bound for Bergen with 312 ' +
  'barrels of salt. Whoever reads the book from its beginning will find the same hand on page 7, ' +
  'on page 23, and on the last page, where it says: the light was out tonight, and nobody noticed.';

const DRAWN_TOKENS = 192;

/** Ids for a model without a tokenizer: BOS, if there is one, and others drawn at random. */
export function drawTokens({
  vocabSize,
  bosTokenId,
  maxPositionEmbeddings,
}: LlamaConfig): number[] {
  const random = randomFrom(1);
  const count = Math.min(DRAWN_TOKENS, maxPositionEmbeddings);
  const tokens = Array.from({ length: count }, () => Math.floor(random() * vocabSize));
  if (bosTokenId !== undefined) tokens[0] = bosTokenId;
  return tokens;
}
