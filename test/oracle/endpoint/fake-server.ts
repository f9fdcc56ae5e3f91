/** A server on this machine that answers as it is told, and remembers what it was asked. */
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect } from 'vitest';
import type { AskOptions } from '../../../src/oracle/endpoint/asked.js';

// biome-ignore lint/suspicious/noExplicitAny: as it comes
export type Json = any;

export interface Asking {
  /** `POST /v1/completions` */
  readonly what: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Text as it is, anything else as JSON. */
  readonly body: unknown;
}

/** Undefined is 404; 'silence' is no answer at all. */
export type Answerer = (asking: Asking) => Reply | undefined | 'silence';

export class FakeServer implements AsyncDisposable {
  readonly asked: Asking[] = [];
  readonly #server: Server;

  static async start(answer: Answerer): Promise<FakeServer> {
    const fake = new FakeServer(answer);
    await new Promise<void>(resolve => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  private constructor(answer: Answerer) {
    this.#server = createServer(async (request, response) => {
      const { method, url, headers } = request;
      const body = method === 'POST' ? await json(request) : undefined;
      const asking = { what: `${method} ${url}`, headers, body };
      this.asked.push(asking);
      const reply = answer(asking) ?? { status: 404, body: { detail: 'Not Found' } };
      if (reply !== 'silence') send(response, reply);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The bodies that came with `what`. */
  bodies(what: string): Json[] {
    return this.asked.filter(asking => asking.what === what).map(({ body }) => body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** What the fakes compute: a log-probability for each place of a text and each token. */
export const logprobAt = (position: number, token: number): number =>
  -1 - ((position * 7 + token * 3) % 16) / 8;

/** Two tokens that the fakes find likely at a place. */
export const likeliestAt = (position: number): number[] => [position + 100, position + 101];

/** What is to be expected of a place before the last one that was read: its next token is told. */
export const scoresAt = (tokens: readonly number[], position: number) => {
  const next = tokens.slice(position + 1, position + 2);
  const ids = [...likeliestAt(position), ...next];
  return { position, logprobs: new Map(ids.map(id => [id, logprobAt(position, id)])) };
};

/** Tokens whose texts are their ids, with a blank in front of those that begin a word. */
export const TEXTS: Pick<AskOptions, 'tokenOf' | 'textOf'> = {
  tokenOf: piece => (/^ t\d+$/.test(piece) ? Number(piece.slice(2)) : undefined),
  textOf: ids =>
    ids
      .slice(1)
      .map(id => ` t${id}`)
      .join(''),
};

export const nameOf = (id: number): string => ` t${id}`;

/** For `rejects.toMatchObject`: an error of this code with these words in its message, in order. */
export function refusal(code: string, ...words: string[]) {
  const escaped = words.map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return { code, message: expect.stringMatching(new RegExp(escaped.join('.*'), 's')) };
}
