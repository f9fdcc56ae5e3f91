/** By which a request is found in the log: the client's own name for it, or a new one. */
import { randomUUID } from 'node:crypto';

/** What may stand in a header and in a line of a log. */
const SOUND = /^[\w.:-]{1,128}$/;

export function requestIdOf(headers: Headers): string {
  const given = headers.get('x-request-id');
  return given !== null && SOUND.test(given) ? given : `req_${randomUUID()}`;
}
