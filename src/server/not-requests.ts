/** What comes over a connection and is no request that there is an answer to: refused, in JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RequestError } from '@hono/node-server';
import { show } from '../base/errors.js';
import { ApiError } from './errors/api-error.js';

/** HTTP, but for what every request has, such as a Host. */
export function refuseUnreadable(error: unknown): Response {
  const why = error instanceof RequestError ? `: ${error.message}` : '';
  const message = `this is not a request that can be read${why}`;
  const { status, body } = new ApiError(400, 'invalid_request', message);
  return Response.json(body, { status });
}

/** Node's own answer is no JSON. */
export function refuseExpectation({ headers }: IncomingMessage, outgoing: ServerResponse): void {
  const what = `Expect is ${show(headers.expect)}`;
  const message = `${what}; only 100-continue is understood: send that, or leave it out`;
  const { status, body } = new ApiError(417, 'expectation_failed', message);
  const text = JSON.stringify(body);
  outgoing.writeHead(status, headersOf(text));
  outgoing.end(text);
}

/** A request, and what it is answered. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Refuses what is no HTTP, where nothing else has been said in its place. */
export class BrokenConnections {
  readonly #exchanges = new WeakMap<Socket, readonly Exchange[]>();

  /** Takes note of a request. */
  begin(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    this.#exchanges.set(socket, [...this.#openOn(socket), { incoming, outgoing }]);
  }

  /** In the middle of an answer, or behind one to a request that broke off, it only ends. */
  refuse({ code }: NodeJS.ErrnoException, socket: Socket): void {
    const hasAnswered = this.#openOn(socket).some(({ outgoing }) => outgoing.headersSent);
    if (!socket.writable || hasAnswered) socket.destroy();
    else socket.end(code === 'HPE_HEADER_OVERFLOW' ? TOO_LARGE : NO_HTTP);
  }

  #openOn(socket: Socket): readonly Exchange[] {
    const exchanges = this.#exchanges.get(socket) ?? [];
    return exchanges.filter(each => !(each.incoming.complete && each.outgoing.writableFinished));
  }
}

const headersOf = (text: string) => ({
  connection: 'close',
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(text),
});

function answerAsText(phrase: string, { status, body }: ApiError): string {
  const text = JSON.stringify(body);
  const headers = Object.entries(headersOf(text)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${phrase}\r\n${headers.join('')}\r\n${text}`;
}

const TOO_LARGE = answerAsText(
  'Request Header Fields Too Large',
  new ApiError(431, 'headers_too_large', 'the headers are larger than 16 KiB'),
);
const NO_HTTP = answerAsText('Bad Request', new ApiError(400, 'invalid_http', 'this is not HTTP'));
