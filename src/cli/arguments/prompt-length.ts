/** A prompt that no context has room for, refused before it is tokenized and a model is loaded. */
import { openModelFiles } from '../../load/model-files.js';
import { checkTextFits } from '../../text/prompt.js';
import { tokenizerForText } from './tokenizer.js';

/** In UTF-16 units. To tokenize so many takes less time than to open a model twice. */
const SHORT = 2 ** 20;

/** Throws CONTEXT_OVERFLOW if a long `text` cannot fit into the context of the model at `path`. */
export async function refuseTooLong(
  text: string | undefined,
  path: string,
  context = 0,
): Promise<void> {
  if (text === undefined || text.length <= SHORT) return;
  const { config, checkpoint } = await openModelFiles(path);
  await checkpoint.close();
  const tokenizer = await tokenizerForText(path);
  checkTextFits(tokenizer, text, Math.max(context, config.maxPositionEmbeddings));
}
