/** Finds out which model answers: waits while it is loaded, and asks for a key if one is wanted. */
import type { ServedModel, Version } from './api/answers.js';
import { Failure } from './api/failure.js';
import type { Server } from './api/server.js';
import { keyForm, knownKey, showKeyForm } from './view/key-form.js';
import { hideNotice, showFailure, showSentence } from './view/notice.js';

export interface Connected {
  readonly model: ServedModel;
  readonly version: Version;
}

/** As a server says it that has no model yet. */
const LOADING = 'loading';

/** Until the server is asked again whether the model is loaded. */
const WAIT_MS = 2000;

export class Connection {
  readonly #server: Server;
  readonly #onConnected: (connected: Connected) => void;
  #needsKey = false;
  /** There is a notice of this connection. */
  #hasTold = false;

  constructor(server: Server, onConnected: (connected: Connected) => void) {
    this.#server = server;
    this.#onConnected = onConnected;
    server.useKey(knownKey());
    keyForm(key => {
      server.useKey(key);
      void this.open();
    });
  }

  /** Whether the server refused to answer without a key. */
  get needsKey(): boolean {
    return this.#needsKey || knownKey() !== undefined;
  }

  async open(): Promise<void> {
    try {
      const [model, version] = await Promise.all([this.#server.model(), this.#server.version()]);
      showKeyForm(false);
      if (this.#hasTold) hideNotice(); // what others tell stays
      this.#hasTold = false;
      this.#onConnected({ model, version });
    } catch (error) {
      this.fail(error);
    }
  }

  /** Shows what went wrong, and what can be done about it here. */
  fail(error: unknown, retry: () => void = () => void this.open()): void {
    const failure = error instanceof Failure ? error : unexpected(error);
    if (failure.status === 401) {
      this.#needsKey = true;
      showKeyForm(true);
      if (knownKey() === undefined) return;
    }
    this.#hasTold = true;
    if (failure.code === LOADING) this.#wait();
    else showFailure(failure, failure.status === 401 ? undefined : retry);
  }

  #wait(): void {
    showSentence('the model is being loaded');
    setTimeout(() => void this.open(), WAIT_MS);
  }
}

/** A mistake of this page's. */
const unexpected = (error: unknown): Failure =>
  new Failure(0, 'page_failed', error instanceof Error ? error.message : String(error), error);
