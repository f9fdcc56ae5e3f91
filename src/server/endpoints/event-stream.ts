/** Server-sent events: headers at once, an event when somebody reads, and always an end. */
import { toApiError } from '../errors/from-error.js';
import type { Call } from '../observe/call.js';
import { pulled } from './pulled.js';

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
  const body = pulled(told, async () => {
    call.leave();
    await told.return(undefined);
    call.end(200); // of events that were never asked for, too
  });
  return new Response(body, { headers: HEADERS });
}

async function* withEnd(events: AsyncGenerator<string>, call: Call): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  try {
    for await (const event of events) yield encoder.encode(event);
  } catch (error) {
    if (call.isCancelled) return;
    const told = toApiError(error, call.id);
    call.fail(told);
    yield encoder.encode(eventOf(told.body));
  } finally {
    call.end(200);
  }
}
