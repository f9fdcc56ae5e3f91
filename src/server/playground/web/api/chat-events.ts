/** What a stream of /v1/chat/completions tells, one thing after the other. */
import type {
  AnswerToken,
  ChatChunk,
  FinishReason,
  PromptProgress,
  Timings,
  Usage,
} from './answers.js';
import { Failure, failureOf } from './failure.js';

export type ChatEvent =
  | { readonly kind: 'progress'; readonly progress: PromptProgress }
  /** Text may be empty: of a token that ends the answer, or waits for the next one. */
  | { readonly kind: 'text'; readonly text: string; readonly tokens: readonly AnswerToken[] }
  | { readonly kind: 'end'; readonly reason: FinishReason }
  | { readonly kind: 'timings'; readonly timings: Timings }
  | { readonly kind: 'usage'; readonly usage: Usage };

const DONE = '[DONE]';

/** @throws {Failure} what the server says in the stream; and if that stops before its end */
export async function* chatEvents(data: AsyncIterable<string>): AsyncGenerator<ChatEvent> {
  let isDone = false;
  for await (const text of data) {
    isDone = text === DONE;
    if (isDone) continue;
    const chunk = JSON.parse(text);
    if (chunk.error !== undefined) throw failureOf(200, text);
    yield* eventsOf(chunk);
  }
  if (!isDone)
    throw new Failure(200, 'stream_cut_off', 'the stream of the answer stopped before its end');
}

function* eventsOf(chunk: ChatChunk): Generator<ChatEvent> {
  const { prompt_progress: progress, timings, usage } = chunk;
  if (progress) yield { kind: 'progress', progress };
  for (const { delta, logprobs, finish_reason: reason } of chunk.choices) {
    const tokens = logprobs?.content ?? [];
    if (delta.content || tokens.length > 0)
      yield { kind: 'text', text: delta.content ?? '', tokens };
    if (reason !== null) yield { kind: 'end', reason };
  }
  if (timings) yield { kind: 'timings', timings };
  if (usage) yield { kind: 'usage', usage };
}
