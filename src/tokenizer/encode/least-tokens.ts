/**
 * How many tokens a text has at least, told in a moment: to tokenize 100 MB takes a minute, only to
 * find that no model has room for them.
 */
import type { TokenizerModel } from '../model/tokenizer-model.js';

/** What `leastTokens` looks at. */
type Bounding = Pick<TokenizerModel, 'vocabulary' | 'fusesUnknown'>;

/**
 * A number of ids that `Tokenizer.encode` reaches for `text`, whatever it is: no id stands for more
 * characters than the longest piece has. White space does not count, for added tokens may swallow
 * any amount of it. 0 where a run of unknown characters, however long, is one id.
 */
export function leastTokens(text: string, { vocabulary, fusesUnknown = true }: Bounding): number {
  const { pieces, byteIds } = vocabulary;
  if (byteIds.length === 0 && fusesUnknown) return 0;
  const longest = pieces.reduce((length, piece) => Math.max(length, piece.text.length), 1);
  return Math.ceil(visibleUnits(text) / longest);
}

/** UTF-16 units that are not white space, nor the ▁ that stands for it. */
function visibleUnits(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x20 && (unit < 0x7f || !/[\s\u0085\u2581]/.test(text[at]))) count++;
  }
  return count;
}
