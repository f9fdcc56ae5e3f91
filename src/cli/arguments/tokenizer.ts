/** The tokenizer of a model, for those who have a text. */
import { LlamaError } from '../../base/errors.js';
import { findTokenizer } from '../../load/find-tokenizer.js';
import { openModelFiles } from '../../load/model-files.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';

/**
 * @param instead how ids are given in place of the text
 * @throws {LlamaError} what `openTokenizer` throws, with the way that goes without; what
 * `openModelFiles` throws if there is no model either.
 */
export async function tokenizerForText(
  path: string,
  instead = 'give token ids with --tokens',
): Promise<Tokenizer> {
  const found = await findTokenizer(path);
  if (!(found instanceof LlamaError)) return found;
  // Only of what is a model can it be said that it runs.
  const { checkpoint } = await openModelFiles(path);
  await checkpoint.close();
  throw withoutText(found, instead);
}

/** `refusal` with the next step. */
export const withoutText = (refusal: LlamaError, instead: string): LlamaError =>
  new LlamaError(refusal.code, `${refusal.message}; the model runs without: ${instead}`, {
    cause: refusal,
  });
