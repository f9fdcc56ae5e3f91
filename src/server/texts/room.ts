/** That what is asked for fits into the context, and into the queue: nothing is ever cut off. */
import type { Tokenizer } from '../../tokenizer/tokenizer.js';
import { ApiError } from '../errors/api-error.js';

/**
 * Before a text is made into tokens, which takes a while if there are many.
 * @throws {ApiError} 400 context_length_exceeded if it has too many in any case
 */
export function checkLength(
  tokenizer: Pick<Tokenizer, 'leastTokens'>,
  text: string,
  positions: number,
  param: string,
): void {
  const least = tokenizer.leastTokens(text);
  if (least <= positions) return;
  const what = `the prompt has ${text.length} characters, which are ${least} tokens or more`;
  throw overflow(what, least, positions, param);
}

/**
 * @param maxTokens that were asked for, if any were
 * @throws {ApiError} 400 context_length_exceeded
 */
export function checkRoom(
  promptTokens: number,
  maxTokens: number | undefined,
  positions: number,
  param: string,
): void {
  const needed = promptTokens + (maxTokens ?? 1);
  if (needed <= positions) return;
  const asked =
    maxTokens === undefined ? 'no room for an answer' : `and ${maxTokens} more were asked for`;
  throw overflow(`the prompt has ${promptTokens} tokens, ${asked}`, promptTokens, positions, param);
}

/**
 * That a request does not have more texts than are ever taken at once.
 * @param param what there is too much of
 * @throws {ApiError} 400 too_many_choices
 */
export function checkChoices(texts: number, most: number, param: string): void {
  if (texts <= most) return;
  const what = `the request asks for ${texts} texts, and this server takes ${most} at once`;
  throw new ApiError(400, 'too_many_choices', `${what} (--max-running and --max-queue)`, { param });
}

/** In OpenAI's words: LangChain, for one, knows this error by "maximum context length". */
function overflow(what: string, promptTokens: number, positions: number, param: string): ApiError {
  const limit = `the maximum context length is ${positions} tokens`;
  const message = `${what}; ${limit}, and nothing is cut off: send less`;
  return new ApiError(400, 'context_length_exceeded', message, {
    param,
    extra: { n_prompt_tokens: promptTokens, n_ctx: positions },
  });
}
