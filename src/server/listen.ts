/** A server behind a port of Node's. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { LlamaError } from '../base/errors.js';
import { type Complete, checkOptions } from '../base/options.js';
import { BrokenConnections, refuseExpectation, refuseUnreadable } from './not-requests.js';
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
    errorHandler: refuseUnreadable,
  });
  // Who leaves out Host would be refused by Node without a word.
  const settings = { requireHostHeader: false, keepAliveTimeout: KEEP_ALIVE_MS };
  const broken = new BrokenConnections();
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    broken.begin(incoming, outgoing);
    void listener(incoming, outgoing);
  };
  const server = createHttpServer(settings, answer);
  server.on('clientError', (error, socket) => broken.refuse(error, socket as Socket));
  server.on('checkContinue', (incoming, outgoing) => {
    // Behind an answer that is still to come, Node would write it into the middle of its own.
    if (outgoing.socket !== null) outgoing.writeContinue();
    answer(incoming, outgoing);
  });
  server.on('checkExpectation', (incoming, outgoing) => {
    broken.begin(incoming, outgoing);
    refuseExpectation(incoming, outgoing);
  });
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
