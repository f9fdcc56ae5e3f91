/** Tokens and their log-probabilities, as OpenAI's two endpoints have them. */
import { type GenerationResult, type GenerationStep, hasToken } from '../../text/result.js';
import type { StepLogprobs } from '../../text/sampling/logprobs.js';
import type { Tokenizer } from '../../tokenizer/tokenizer.js';

/**
 * A token as text. One that is bytes, of which a character may be made with others, is written as
 * OpenAI writes it: `bytes:\xe2\x82`.
 */
export function tokenText(tokenizer: Tokenizer, id: number): string {
  const { text, bytes } = tokenizer.tokenOf(id);
  if (text !== undefined) return text;
  return `bytes:${[...bytes].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
}

/** The ids of steps, as vLLM has them. */
export const tokenIdsOf = (steps: readonly GenerationStep[]) => ({
  token_ids: steps.filter(hasToken).map(({ token }) => token),
});

/** A token with its log-probability; with `topLogprobs`, if there are any. */
export interface ScoredToken extends Partial<StepLogprobs> {
  readonly token: number;
}

function described(tokenizer: Tokenizer, token: number, logprob: number) {
  const { bytes } = tokenizer.tokenOf(token);
  return { token: tokenText(tokenizer, token), logprob, bytes: [...bytes] };
}

/** The tokens of a prompt, scored if that was asked for: all but the first one. */
export const promptScores = (
  prompt: readonly number[],
  { promptLogprobs = [] }: Pick<GenerationResult, 'promptLogprobs'>,
): ScoredToken[] => prompt.map((token, i) => ({ token, ...promptLogprobs[i] }));

/** For chat: `choices[].logprobs`. */
export function chatLogprobs(tokenizer: Tokenizer, tokens: readonly ScoredToken[]) {
  const content = tokens.map(({ token, logprob = 0, topLogprobs = [] }) => ({
    ...described(tokenizer, token, logprob),
    top_logprobs: topLogprobs.map(top => described(tokenizer, top.token, top.logprob)),
  }));
  return { content, refusal: null };
}

/** The same as lists, as Together has them. */
export function flatLogprobs(tokenizer: Tokenizer, tokens: readonly ScoredToken[]) {
  return {
    tokens: tokens.map(({ token }) => tokenText(tokenizer, token)),
    token_logprobs: tokens.map(({ logprob = null }) => logprob),
    token_ids: tokens.map(({ token }) => token),
  };
}

/**
 * For completions: `choices[].logprobs`. Of the first token of a prompt there are none, and they
 * are null.
 *
 * @param offset where in the text the first token begins, in UTF-16 units
 */
export function completionLogprobs(
  tokenizer: Tokenizer,
  tokens: readonly (ScoredToken & { readonly offset: number })[],
) {
  return {
    tokens: tokens.map(({ token }) => tokenText(tokenizer, token)),
    token_logprobs: tokens.map(({ logprob = null }) => logprob),
    top_logprobs: tokens.map(token => withItself(tokenizer, token)),
    text_offset: tokens.map(({ offset }) => offset),
  };
}

/** The likeliest, and the token itself: it may be one more. */
function withItself(tokenizer: Tokenizer, { token, logprob, topLogprobs }: ScoredToken) {
  if (logprob === undefined || topLogprobs === undefined) return null;
  const isOne = topLogprobs.some(top => top.token === token);
  return byText(tokenizer, isOne ? topLogprobs : [...topLogprobs, { token, logprob }]);
}

/** Of two tokens that read alike the later one is named by its id: neither is lost. */
function byText(
  tokenizer: Tokenizer,
  tops: readonly { readonly token: number; readonly logprob: number }[],
): Record<string, number> {
  const logprobs = new Map<string, number>();
  for (const { token, logprob } of tops) {
    const text = tokenText(tokenizer, token);
    logprobs.set(logprobs.has(text) ? `token_id:${token}` : text, logprob);
  }
  return Object.fromEntries(logprobs);
}
