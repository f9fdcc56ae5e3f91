/** The server that this page came from. */

import type { ServedModel, Version } from './answers.js';
import { type ChatEvent, chatEvents } from './chat-events.js';
import type { ChatRequest, RequestMessage } from './chat-request.js';
import { eventData } from './events.js';
import { Failure, failureOf } from './failure.js';

export class Server {
  #key: string | undefined;

  /** @param key that the server wants, if it wants one */
  useKey(key: string | undefined): void {
    this.#key = key;
  }

  /** The first of its names. */
  async model(): Promise<ServedModel> {
    const { data } = await this.#get('/v1/models');
    return data[0];
  }

  version(): Promise<Version> {
    return this.#get('/version');
  }

  /** How many tokens a text has. */
  async countText(content: string): Promise<number> {
    return (await this.#post('/tokenize', { content, parse_special: false })).count;
  }

  /** How many tokens the prompt has that a conversation becomes. */
  async countMessages(messages: readonly RequestMessage[], signal: AbortSignal): Promise<number> {
    return (await this.#post('/tokenize', { messages }, signal)).count;
  }

  /** Why the model takes no system text; undefined if it does. */
  async whyNoSystem(): Promise<string | undefined> {
    const messages = ['system', 'user'].map(role => ({ role, content: 'x' }));
    try {
      await this.#post('/apply-template', { messages });
      return undefined;
    } catch (error) {
      if (error instanceof Failure && error.status === 400) return error.message;
      throw error;
    }
  }

  /** The answer, as it is written. Leaving the loop stops the server's work. */
  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const response = await this.#send('POST', '/v1/chat/completions', request, signal);
    try {
      yield* chatEvents(eventData(response.body!));
    } catch (error) {
      if (error instanceof Failure || signal.aborted) throw error;
      throw new Failure(200, 'stream_cut_off', 'the connection was lost', error);
    }
  }

  async #get(path: string) {
    return (await this.#send('GET', path)).json();
  }

  async #post(path: string, body: object, signal?: AbortSignal) {
    return (await this.#send('POST', path, body, signal)).json();
  }

  async #send(
    method: string,
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<Response> {
    const headers = {
      ...(body && { 'content-type': 'application/json' }),
      ...(this.#key !== undefined && { authorization: `Bearer ${this.#key}` }),
    };
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(path, { ...init, ...(signal && { signal }) }).catch(error => {
      if (signal?.aborted) throw error;
      throw new Failure(0, 'no_answer', 'the server does not answer', error);
    });
    if (response.ok) return response;
    throw failureOf(response.status, await response.text());
  }
}
