/** One request while it is answered: who asks, until when, and what is written down of it. */
import { onAbort } from '../../base/abort.js';
import { ApiError } from '../errors/api-error.js';
import type { Logger } from './log.js';
import type { Metrics } from './metrics.js';

/** What is known of the text of a request; of several choices all together. */
export interface Written {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Of each choice. */
  readonly finishReasons: readonly string[];
}

export class Call {
  readonly id: string;
  readonly startedAt = performance.now();
  readonly #stop = new AbortController();
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #request: Request;
  readonly #off: () => void;
  #written: Partial<Written> = {};
  #error: ApiError | undefined;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(id: string, request: Request, log: Logger, metrics: Metrics) {
    this.id = id;
    this.#request = request;
    this.#log = log;
    this.#metrics = metrics;
    this.#off = onAbort(request.signal, () => this.leave());
    if (request.signal.aborted) this.leave();
  }

  /** Aborted when nobody waits for the answer any more, or it has taken too long. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get isCancelled(): boolean {
    return this.#stop.signal.reason instanceof ClientGone;
  }

  /** Gives the request up after so long. */
  endAfter(seconds: number): void {
    const late = () => this.#stop.abort(timedOut(seconds));
    this.#timer = setTimeout(late, Math.min(seconds * 1000, LONGEST_TIMER_MS));
    this.#timer.unref();
  }

  /** The client went away. */
  leave(): void {
    this.#stop.abort(new ClientGone());
  }

  note(written: Partial<Written>): void {
    this.#written = { ...this.#written, ...written };
  }

  fail(error: ApiError): void {
    this.#error = error;
  }

  /** Writes the request down; once. */
  end(status: number): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#off(); // Node keeps the signal of a request for ever, and what listens to it.
    const seconds = (performance.now() - this.startedAt) / 1000;
    this.#count(seconds);
    const { method, url } = this.#request;
    // Where the client went away, that is all that happened.
    const error = this.isCancelled ? undefined : this.#error;
    const line = {
      request_id: this.id,
      method,
      path: new URL(url).pathname,
      status: this.isCancelled ? 499 : status,
      seconds: Math.round(seconds * 1e6) / 1e6,
      ...(this.isCancelled && { cancelled: true }),
      ...(error && { code: error.code, param: error.param }),
      ...tokensOf(this.#written),
    };
    // The whole story, for whoever is to mend it; an answer has the id only.
    if (error !== undefined && error.status >= 500)
      this.#log.error({ ...line, err: error.cause ?? error });
    else this.#log.info(line);
  }

  #count(seconds: number): void {
    const { finishReasons } = this.#written;
    if (this.isCancelled) this.#metrics.errors.inc({ code: 'cancelled' });
    else if (this.#error !== undefined) this.#metrics.errors.inc({ code: this.#error.code });
    else if (finishReasons !== undefined) {
      this.#metrics.success.inc({ finished_reason: distinct(finishReasons) });
      this.#metrics.latency.observe(seconds);
    }
  }
}

/** Of several choices, each reason once: a label must not have a value for every mixture. */
const distinct = (reasons: readonly string[]) => [...new Set(reasons)].sort().join();

/** The most that Node counts; a longer time is three weeks and a half. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A client would only ask the same again. */
const timedOut = (seconds: number) =>
  new ApiError(
    504,
    'request_timeout',
    `the request took longer than ${seconds} seconds, the limit of this server (--request-timeout)`,
    { headers: { 'x-should-retry': 'false' }, extra: { timeout_seconds: seconds } },
  );

/** Why a text is not written to its end: nobody is there to read it. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
  constructor() {
    super('the client went away');
  }
}

function tokensOf({
  promptTokens,
  cachedTokens,
  completionTokens,
  finishReasons,
}: Partial<Written>) {
  if (promptTokens === undefined) return {};
  return {
    prompt_tokens: promptTokens,
    cached_tokens: cachedTokens,
    completion_tokens: completionTokens,
    finish_reason: finishReasons?.join(),
  };
}
