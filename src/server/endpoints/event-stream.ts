/** Server-sent events: headers at once, an event when somebody reads, and always an end. */
import { toApiError } from '../errors/from-error.js';
import type { Call } from '../observe/call.js';

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

/** A comment, which keeps proxies and clients from giving up. */
export const PING = ': ping\n\n';
export const DONE = 'data: [DONE]\n\n';

export const eventOf = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

/**
 * Sends `events`; one that throws becomes the last, with the error. When the client goes away,
 * `call` is stopped.
 */
export function eventStream(events: AsyncGenerator<string>, call: Call): Response {
  const told = withEnd(events, call);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await told.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        call.leave();
        await told.return(undefined);
        call.end(200); // of events that were never asked for, too
      },
    },
    { highWaterMark: 0 }, // nothing is computed ahead of the reader
  );
  return new Response(body, { headers: HEADERS });
}

async function* withEnd(events: AsyncGenerator<string>, call: Call): AsyncGenerator<string> {
  try {
    yield* events;
  } catch (error) {
    if (call.isCancelled) return;
    const told = toApiError(error, call.id);
    call.fail(told);
    yield eventOf(told.body);
  } finally {
    call.end(200);
  }
}
