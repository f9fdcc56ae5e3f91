/** A server behind a port of Node's. */
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { LlamaError } from '../base/errors.js';
import { type Complete, checkOptions } from '../base/options.js';
import { ApiError } from './errors/api-error.js';
import { LISTEN, type ListenOptions } from './settings/options.js';

/** A port that is open. */
export interface Listening {
  /** `http://127.0.0.1:8080`, with the port that it is. */
  readonly url: string;
  /** Takes no new connections; resolves when those that there are have ended. */
  close(): Promise<void>;
  /** Ends all connections. */
  closeAtOnce(): void;
}

type Fetch = (request: Request) => Promise<Response> | Response;

/** How long an idle connection is kept: longer than what proxies do, which then reuse it safely. */
const KEEP_ALIVE_MS = 75_000;

const IDLE_CHECK_MS = 20;

/** @throws {LlamaError} BAD_OPTION if the port is taken, or the address is not of this machine */
export async function listen(fetch: Fetch, options: ListenOptions = {}): Promise<Listening> {
  const { host, port } = checkOptions(options, LISTEN) as Complete<ListenOptions>;
  const listener = getRequestListener(fetch, {
    overrideGlobalObjects: false,
    errorHandler: () => refusal(400, 'invalid_request', 'this is not a request that can be read'),
  });
  const server = createHttpServer((incoming, outgoing) => void listener(incoming, outgoing));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('clientError', refuseConnection);
  const connections = new Set<Socket>();
  server.on('connection', socket => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  await opened(server, host, port);
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    close: () => closed(server, connections),
    closeAtOnce: () => server.closeAllConnections(),
  };
}

/**
 * A connection that becomes idle only now would be kept for a request that never comes. One that
 * was opened ahead, as browsers do, and has sent nothing yet does not count as idle in Node.
 */
function closed(server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  return new Promise(resolve => {
    const timer = setInterval(() => {
      server.closeIdleConnections();
      for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
    }, IDLE_CHECK_MS);
    server.close(() => {
      clearInterval(timer);
      resolve();
    });
  });
}

function opened(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message = `cannot listen on ${host} port ${port}: ${error.message}; give another`;
      const option = error.code === 'EADDRINUSE' ? 'port' : 'host';
      reject(new LlamaError('BAD_OPTION', message, { cause: error, option }));
    });
    server.listen(port, host, resolve);
  });
}

const refusal = (status: number, code: string, message: string) =>
  Response.json(new ApiError(status, code, message).body, { status });

/** What is not HTTP gets an answer that is, if anybody listens. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return;
  const isLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const status = isLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const { body } = isLarge
    ? new ApiError(431, 'headers_too_large', 'the headers are larger than 16 KiB')
    : new ApiError(400, 'invalid_http', 'this is not HTTP');
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
