/** A server on the embedded model, without a socket. */
import { loadModel } from '../../src/load/model.js';
import { createServer, type LlamaServer, type ServerSettings } from '../../src/server/index.js';

import { checkedAnswer } from './answers.js';

// biome-ignore lint/suspicious/noExplicitAny: as it comes
export type Json = Record<string, any>;

const BASE = 'http://localhost';

/** Lines that a server logged. */
export class Lines {
  readonly all: Json[] = [];

  write(line: string): void {
    this.all.push(JSON.parse(line));
  }
}

export const loaded = await loadModel(undefined, { threads: 1 });

export function serverWith(settings: Partial<ServerSettings> = {}): LlamaServer {
  const { model, tokenizer } = loaded;
  return createServer({ model, tokenizer, name: 'tiny-32k', fingerprint: 'fp_test', ...settings });
}

/** A client of a server. */
export class Client {
  readonly #server: LlamaServer;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(server: LlamaServer, headers: Readonly<Record<string, string>> = {}) {
    this.#server = server;
    this.#headers = headers;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const init = { headers: { ...this.#headers, ...headers } };
    return this.#server.fetch(new Request(BASE + path, init));
  }

  /** What was answered in JSON, whatever the status. */
  async getJson(path: string): Promise<Json> {
    const answer = (await (await this.get(path)).json()) as Json;
    return checkedAnswer('GET', path, 'application/json', answer);
  }

  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    const headers = { 'content-type': 'application/json', ...this.#headers, ...init.headers };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.#server.fetch(
      new Request(BASE + path, { method: 'POST', body: text, ...init, headers }),
    );
  }

  /** What was answered; fails unless that is 200, and what the schema says. */
  async ask(path: string, body: unknown): Promise<Json> {
    const response = await this.post(path, body);
    const answer = (await response.json()) as Json;
    if (response.status !== 200) throw new Error(JSON.stringify(answer));
    return checkedAnswer('POST', path, 'application/json', answer);
  }

  /** The data of all events of a stream, each of which is what the schema says. */
  async events(path: string, body: object): Promise<Json[]> {
    const response = await this.post(path, { ...body, stream: true });
    if (response.status !== 200) throw new Error(await response.text());
    const events = eventsIn(await response.text());
    return events.map(event => checkedAnswer('POST', path, 'text/event-stream', event));
  }
}

/** Fails unless the stream ends with [DONE]. */
export function eventsIn(text: string): Json[] {
  const events = text.split('\n\n').filter(event => event.startsWith('data: '));
  const data = events.map(event => event.slice('data: '.length));
  if (data.pop() !== '[DONE]') throw new Error(`the stream has no end: ${text.slice(-200)}`);
  return data.map(each => JSON.parse(each));
}
