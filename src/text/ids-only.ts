/** What stands in for a tokenizer where a model has none: ids go in and come out, and no text. */
import { LlamaError } from '../base/errors.js';
import type { LlamaConfig } from '../model/config.js';
import type { GenerateTokenizer } from './generate.js';

const NO_TOKENIZER = new LlamaError(
  'UNSUPPORTED',
  'there is no tokenizer for a text; give token ids',
);

/**
 * For `generate`, `complete` and `createScheduler` with a model that `loadLlama` opened without its
 * tokenizer: `generate(model, idsOnly(model.config), [1, 2, 3])`. The prompt must be ids, every
 * `text` is empty, and the `token` of each step is what there is. Rows of the embedding that are
 * padding are not known, and may be sampled.
 *
 * @param refusal what is thrown for a prompt that is a text and for stop strings; by default
 * UNSUPPORTED
 */
export function idsOnly(
  { vocabSize }: Pick<LlamaConfig, 'vocabSize'>,
  refusal: LlamaError = NO_TOKENIZER,
): GenerateTokenizer {
  return {
    vocabSize,
    refusal,
    encode() {
      throw refusal;
    },
    streamDecoder: () => ({ push: () => '', flush: () => '' }),
  };
}
