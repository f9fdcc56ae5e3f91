/** The request for an answer, of a conversation and settings. */
import type { ChatRequest, RequestMessage } from '../api/chat-request.js';
import { contentOf, type Message } from '../conversation/conversation.js';
import type { Settings } from '../settings/fields.js';

/** How many alternatives of each token are shown. */
const ALTERNATIVES = 5;

/** A system text comes first, if there is one. */
export function requestMessages(system: string, messages: readonly Message[]): RequestMessage[] {
  const first = system === '' ? [] : [{ role: 'system' as const, content: system }];
  return [...first, ...messages.map(each => ({ role: each.role, content: contentOf(each) }))];
}

export const buildRequest = (
  model: string,
  { system, values }: Settings,
  messages: readonly Message[],
): ChatRequest => ({
  model,
  messages: requestMessages(system, messages),
  ...values,
  stream: true,
  stream_options: { include_usage: true },
  logprobs: true,
  top_logprobs: ALTERNATIVES,
  return_progress: true,
});
