/** What a request cost: `usage` and `timings` of its answer. */
import { sum } from '../../base/sum.js';
import type { GenerationResult } from '../../text/result.js';

/** @param choices how many texts there are of each prompt, which counts once */
export function usageOf(results: readonly GenerationResult[], choices: number) {
  const prompts = results.filter((_, i) => i % choices === 0);
  const promptTokens = sum(prompts.map(result => result.promptTokens));
  const completionTokens = sum(results.map(({ tokens }) => tokens.length));
  const proposed = sum(results.map(({ lookup }) => lookup.proposed));
  const accepted = sum(results.map(({ lookup }) => lookup.accepted));
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: sum(prompts.map(result => result.reusedTokens)) },
    completion_tokens_details: {
      accepted_prediction_tokens: accepted,
      rejected_prediction_tokens: proposed - accepted,
    },
  };
}

/** As llama.cpp has them, all texts together. */
export function timingsOf(results: readonly GenerationResult[]) {
  const cached = sum(results.map(({ reusedTokens }) => reusedTokens));
  const read = sum(results.map(({ promptTokens }) => promptTokens)) - cached;
  const written = sum(results.map(({ tokens }) => tokens.length));
  const prefill = sum(results.map(({ timings }) => timings.prefillSeconds));
  const decode = sum(results.map(({ timings }) => timings.decodeSeconds));
  return {
    cache_n: cached,
    prompt_n: read,
    prompt_ms: prefill * 1000,
    prompt_per_token_ms: ratio(prefill * 1000, read),
    prompt_per_second: ratio(read, prefill),
    predicted_n: written,
    predicted_ms: decode * 1000,
    predicted_per_token_ms: ratio(decode * 1000, written),
    predicted_per_second: ratio(written, decode),
  };
}

/** JSON has no infinity. */
const ratio = (a: number, b: number): number | null => (b === 0 ? null : a / b);
