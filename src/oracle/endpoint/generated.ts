/** The log-probabilities that come with the one token that a server generates. */
import type { Collector } from './collector.js';
import { at, listAt, numberAt, textAt } from './json-path.js';

/**
 * Adds those of the first token of a choice, in either of the two forms that servers have; says
 * whether there were any.
 */
export function addGenerated(collector: Collector, position: number, choice: unknown): boolean {
  const logprobs = at(choice, 'logprobs');
  const described = at(logprobs, 'content', 0);
  if (described === undefined) return addListed(collector, position, logprobs, 0);
  addDescribed(collector, position, described);
  return true;
}

/** As OpenAI has them for chat, and llama.cpp everywhere, with ids. */
export function addDescribed(collector: Collector, position: number, described: unknown): void {
  for (const entry of [described, ...(listAt(described, 'top_logprobs') ?? [])]) {
    const id = numberAt(entry, 'id');
    const name = textAt(entry, 'token');
    if (id !== undefined) collector.add(position, id, at(entry, 'logprob'));
    else if (name !== undefined) collector.addNamed(position, name, at(entry, 'logprob'));
  }
}

/** As OpenAI has them for completions: lists, in which the token has the place `index`. */
export function addListed(
  collector: Collector,
  position: number,
  logprobs: unknown,
  index: number,
): boolean {
  const name = textAt(logprobs, 'tokens', index);
  const own = at(logprobs, 'token_logprobs', index);
  if (name === undefined || own === undefined) return false;
  collector.addNamed(position, name, own);
  addLikeliest(collector, position, logprobs, index);
  return true;
}

export function addLikeliest(
  collector: Collector,
  position: number,
  logprobs: unknown,
  index: number,
): void {
  const likeliest = at(logprobs, 'top_logprobs', index) ?? {};
  for (const [name, logprob] of Object.entries(likeliest))
    collector.addNamed(position, name, logprob);
}
