/** Requests to a server, and what is meant by its refusals. */
import { check, LlamaError } from '../../base/errors.js';
import { parseJson } from '../../base/json.js';
import { askedWait, causeOf } from '../../hub/request.js';
import { timer } from '../../hub/retry.js';

export interface ConnectionOptions {
  readonly apiKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** It answered, and what it answered is no answer to this question. */
export class Refusal extends LlamaError {
  readonly status: number;

  constructor(status: number, message: string) {
    super('ENDPOINT_FAILED', message);
    this.status = status;
  }
}

/** Of one request, while the server is busy or still loads its model. */
const ATTEMPTS = 6;
const LONGEST_WAIT_SECONDS = 120;

/** Node's `fetch` waits no longer for the beginning of an answer. */
const PATIENCE_MS = 300_000;

const CHARACTERS_SHOWN = 200;

export class Connection {
  /** Without `/v1` at its end, and without anything secret. */
  readonly address: string;
  readonly #options: ConnectionOptions;

  /** @throws {LlamaError} BAD_OPTION for what is no address, or a key that no header has */
  constructor(url: string, options: ConnectionOptions = {}) {
    this.address = addressOf(url);
    const { apiKey } = options;
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
      const message = 'apiKey has characters that no header can have; give it without blanks';
      throw new LlamaError('BAD_OPTION', message, { option: 'apiKey' });
    }
    this.#options = options;
  }

  /**
   * The JSON that is answered.
   * @throws {LlamaError} ENDPOINT_FAILED, as `Refusal` if there was an answer; UNAUTHORIZED; or the
   * signal's reason
   */
  get(path: string): Promise<unknown> {
    return this.#ask('GET', path);
  }

  post(path: string, body: object): Promise<unknown> {
    return this.#ask('POST', path, JSON.stringify(body));
  }

  /** The JSON that is there; undefined if the server knows nothing of it. */
  async find(path: string): Promise<unknown> {
    try {
      return await this.get(path);
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }

  async #ask(method: 'GET' | 'POST', path: string, body?: string): Promise<unknown> {
    const what = `${method} ${this.address}${path}`;
    for (let attempt = 1; ; attempt++) {
      const { response, text } = await this.#send(what, method, path, body);
      if (response.ok) return this.#parse(what, response, text);
      const seconds = secondsToWait(response, attempt);
      if (seconds === undefined) throw this.#refusal(what, response, text);
      await timer(seconds * 1000, this.#options.signal);
    }
  }

  async #send(what: string, method: string, path: string, body?: string) {
    const { apiKey, signal, timeoutMs = PATIENCE_MS } = this.#options;
    const patience = AbortSignal.timeout(timeoutMs);
    const headers = {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    };
    try {
      const response = await fetch(this.address + path, {
        method,
        headers,
        body: body ?? null,
        redirect: 'manual',
        signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
      });
      return { response, text: await response.text() };
    } catch (error) {
      signal?.throwIfAborted();
      if (patience.aborted)
        throw failed(`${what}: no answer within ${timeoutMs / 1000} s; ${FEWER}`);
      throw failed(`${what}: ${causeOf(error)}; is it the address of a server that runs?`);
    }
  }

  #parse(what: string, { status }: Response, text: string): unknown {
    try {
      return parseJson(text, what, 'ENDPOINT_FAILED');
    } catch {
      // the reason quotes the text, which may have anything in it
      throw new Refusal(status, `${what}: this is not JSON: ${this.#shown(text)}; ${ADDRESS}`);
    }
  }

  #refusal(what: string, { status, headers }: Response, text: string): LlamaError {
    const { apiKey } = this.#options;
    if (status >= 300 && status < 400) {
      const target = targetOf(headers.get('location'), this.address);
      return failed(`${what}: it redirects to ${target}; give that address, if it is meant`);
    }
    const answer = `${what}: HTTP ${status}: ${this.#shown(text)}`;
    if (status === 401 || status === 403) {
      const next = apiKey === undefined ? 'it wants an apiKey' : 'it does not accept this apiKey';
      return new LlamaError('UNAUTHORIZED', `${answer}; ${next}`, { option: 'apiKey' });
    }
    return new Refusal(status, `${answer}; ${nextStep(status)}`);
  }

  /** The beginning of what was answered, on one line and without the key. */
  #shown(text: string): string {
    const { apiKey } = this.#options;
    const spellings = apiKey === undefined ? [] : spellingsOf(apiKey);
    const hidden = spellings.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
    const line = hidden.replace(/\s+/g, ' ').trim();
    return line === '' ? 'nothing' : line.slice(0, CHARACTERS_SHOWN);
  }
}

const FEWER = 'ask about a shorter text or fewer positions';
const ADDRESS = 'is it the address of a server with a completions API?';

const failed = (message: string) => new LlamaError('ENDPOINT_FAILED', message);

/** As it is, in a JSON text and in a URL. */
const spellingsOf = (secret: string): string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
];

function nextStep(status: number): string {
  if (status === 404 || status === 405) return ADDRESS;
  if (status === 429 || status === 503) return 'try again later';
  return status >= 500 ? 'its own log should say why' : `if it is the length, ${FEWER}`;
}

/** Undefined if it is not worth while. */
function secondsToWait({ status, headers }: Response, attempt: number): number | undefined {
  if ((status !== 429 && status !== 503) || attempt === ATTEMPTS) return undefined;
  const { waitSeconds = 2 ** (attempt - 1) } = askedWait(headers);
  return waitSeconds <= LONGEST_WAIT_SECONDS ? waitSeconds : undefined;
}

function addressOf(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  check(url !== undefined && isWeb, 'BAD_OPTION', () => {
    return `${withoutSecrets(given)} is no address of a server, such as http://127.0.0.1:8080`;
  });
  const hasSecrets = url.username !== '' || url.password !== '' || url.search !== '';
  check(!hasSecrets, 'BAD_OPTION', () => {
    return `give the address as ${url.origin}${url.pathname}, and a key as apiKey`;
  });
  return (url.origin + url.pathname).replace(/\/+$/, '').replace(/\/v1$/, '');
}

/** It may have been meant to be an address with a key in it. */
const withoutSecrets = (given: string) => JSON.stringify(given.replace(/[?#].*|.*@/s, '…'));

function targetOf(location: string | null, base: string): string {
  if (location === null || !URL.canParse(location, base)) return 'nowhere';
  const { origin, pathname } = new URL(location, base);
  return origin + pathname;
}
