/**
 * Tokenizers that may be missing: token ids need none. Where there is none that can be used, the
 * error says why, and is the answer to whoever has a text.
 */
import { LlamaError, type LlamaErrorCode } from '../base/errors.js';
import type { TokenizerModel } from '../tokenizer/model/tokenizer-model.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { checkVocabulary, openTokenizer, openTokenizerModel } from './tokenizer.js';

/**
 * The tokenizer of the model at `path`, or the error that says why it has none that can be used:
 * NOT_FOUND, UNSUPPORTED or BAD_TOKENIZER. Whatever else goes wrong is thrown.
 */
export const findTokenizer = (path: string): Promise<Tokenizer | LlamaError> =>
  orRefusal(() => openTokenizer(path));

/** The same of what `openTokenizerModel` gives, for a model of `vocabSize` tokens. */
export function findTokenizerModel(
  path: string,
  vocabSize: number,
): Promise<TokenizerModel | LlamaError> {
  return orRefusal(async () => {
    const tokenizer = await openTokenizerModel(path);
    const { vocabulary, addedTokens } = tokenizer;
    checkVocabulary({ vocabSize: vocabulary.pieces.length, addedTokens }, vocabSize);
    return tokenizer;
  });
}

/** Missing, of another kind, broken, or another model's. */
const REFUSALS: readonly LlamaErrorCode[] = ['NOT_FOUND', 'UNSUPPORTED', 'BAD_TOKENIZER'];

/** What `open` returns, or the error if it is one of these. */
export async function orRefusal<T>(open: () => T | Promise<T>): Promise<T | LlamaError> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof LlamaError && REFUSALS.includes(error.code)) return error;
    throw error;
  }
}
