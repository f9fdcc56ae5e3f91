/** An answer with text, of either endpoint: whole, or as a stream of events. */
import { randomUUID } from 'node:crypto';
import type { ChatRequest } from '../schemas/chat.js';
import { checkChoices } from '../texts/room.js';
import type { Served } from '../texts/served.js';
import { timingsOf, usageOf } from '../texts/usage.js';
import { type TextEvent, type Writing, write } from '../texts/write.js';
import { finishReasonOf, WrittenTexts } from '../texts/written.js';
import { type Asked, type Services, warningsField } from './endpoint.js';
import { DONE, eventOf, eventStream, PING } from './event-stream.js';
import type { Shape } from './shape.js';

/** What both requests have. */
export type AnswerRequest = Pick<
  ChatRequest,
  'n' | 'stream' | 'stream_options' | 'return_progress'
>;

/**
 * The answer of which `writings` are the choices: `n` for each prompt.
 * @throws {ApiError} and what the scheduler throws at once
 */
export async function answer(
  { body, call, warnings }: Asked<AnswerRequest>,
  { served, metrics }: Services,
  writings: readonly Writing[],
  shape: Shape,
): Promise<Response> {
  const choices = body.n ?? 1;
  checkChoices(writings.length, served.mostTexts, choices > 1 ? 'n' : 'prompt');
  const tellsProgress = body.stream === true && body.return_progress === true;
  const events = write(served.scheduler, writings, call.signal, tellsProgress);
  const written = new WrittenTexts(writings.length, choices, call, metrics);
  const told = new Told(headOf(served, shape, warnings), shape, written, choices);
  if (body.stream) {
    const includesUsage = body.stream_options?.include_usage === true;
    return eventStream(told.stream(events, call.startedAt, includesUsage), call);
  }
  await written.collect(events);
  return Response.json(told.whole());
}

/** Shared by all events of a stream. */
function headOf(
  { id: model, fingerprint }: Served,
  { prefix }: Shape,
  warnings: readonly string[],
) {
  return {
    id: `${prefix}-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: fingerprint,
    ...warningsField(warnings),
  };
}

/** What is told of texts while they are written, or at the end. */
class Told {
  readonly #head: object;
  readonly #shape: Shape;
  readonly #written: WrittenTexts;
  /** Of each prompt. */
  readonly #choices: number;

  constructor(head: object, shape: Shape, written: WrittenTexts, choices: number) {
    this.#head = head;
    this.#shape = shape;
    this.#written = written;
    this.#choices = choices;
  }

  whole(): object {
    const { results, texts } = this.#written;
    const choices = texts.map((text, index) => ({
      index,
      ...this.#shape.whole(index, text),
      finish_reason: finishReasonOf(text.result!),
    }));
    return {
      ...this.#head,
      object: this.#shape.objects.whole,
      choices,
      ...this.#shape.besides(texts),
      usage: usageOf(results, this.#choices),
      timings: timingsOf(results),
    };
  }

  async *stream(
    events: AsyncGenerator<TextEvent>,
    startedAt: number,
    includesUsage: boolean,
  ): AsyncGenerator<string> {
    const usage = includesUsage ? { usage: null } : {};
    const event = (choices: readonly object[], more: object = {}) =>
      eventOf({
        ...this.#head,
        object: this.#shape.objects.event,
        choices,
        ...usage,
        ...more,
      });
    let besides = this.#shape.besides([]);
    for (const index of this.#written.texts.keys()) {
      const begin = this.#shape.begin(index);
      if (begin === undefined) continue;
      yield event([{ index, ...begin, finish_reason: null }], besides);
      besides = {};
    }
    for await (const each of events) {
      if (each.kind === 'idle') yield PING;
      else if (each.kind === 'progress') yield event([], progressOf(each, startedAt));
      else for (const choice of this.#add(each)) yield event([choice], this.#timings(choice));
    }
    if (includesUsage) yield event([], { usage: usageOf(this.#written.results, this.#choices) });
    yield DONE;
  }

  /** The choices of the events of one step: of its token, and at the end of that. */
  #add({ choice: index, step }: Extract<TextEvent, { kind: 'step' }>): object[] {
    this.#written.add(index, step);
    const part = this.#shape.part(index, step);
    const parts = part === undefined ? [] : [{ index, ...part, finish_reason: null }];
    if (step.result === undefined) return parts;
    const finish_reason = finishReasonOf(step.result);
    return [...parts, { index, ...this.#shape.end(index), finish_reason }];
  }

  #timings(choice: { finish_reason?: string | null }): object {
    const isLast = choice.finish_reason !== null && this.#written.isComplete;
    return isLast ? { timings: timingsOf(this.#written.results) } : {};
  }
}

/** As llama.cpp tells it. */
function progressOf({ progress }: Extract<TextEvent, { kind: 'progress' }>, startedAt: number) {
  const { done, total, reused } = progress;
  const time_ms = Math.round(performance.now() - startedAt);
  return { prompt_progress: { total, cache: reused, processed: done, time_ms } };
}
