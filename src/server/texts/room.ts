/** That a prompt and what it asks for fit into the context: nothing is ever cut off. */
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
  throw overflow(`${what}, and the context has ${positions}`, least, positions, param);
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
  throw overflow(
    `the prompt has ${promptTokens} tokens, ${asked}; the context has ${positions}`,
    promptTokens,
    positions,
    param,
  );
}

const overflow = (what: string, promptTokens: number, positions: number, param: string) =>
  new ApiError(400, 'context_length_exceeded', `${what}: nothing is cut off; send less`, {
    param,
    extra: { n_prompt_tokens: promptTokens, n_ctx: positions },
  });
