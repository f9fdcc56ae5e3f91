/**
 * The texts of one request, written together: each is computed only as fast as its steps are
 * taken, and all end with the first that fails, or when nobody reads any more.
 */
import { onAbort } from '../../base/abort.js';
import type { GenerateProgress } from '../../text/options.js';
import type { GenerationStep } from '../../text/result.js';
import type { ScheduledOptions } from '../../text/scheduler/options.js';
import type { Scheduler } from '../../text/scheduler/scheduler.js';
import { Mailbox } from './mailbox.js';

/** One choice of the answer. */
export interface Writing {
  readonly prompt: readonly number[];
  readonly options: ScheduledOptions;
}

export type TextEvent =
  | { readonly kind: 'step'; readonly choice: number; readonly step: GenerationStep }
  /** How far a prompt is read. */
  | { readonly kind: 'progress'; readonly choice: number; readonly progress: GenerateProgress }
  /** Nothing has come for a while. */
  | { readonly kind: 'idle' };

type Mail = TextEvent | { readonly kind: 'end' } | { readonly kind: 'error'; error: unknown };
type Steps = AsyncGenerator<GenerationStep, void, undefined>;

/** After so many seconds without an event there is one that says so. */
const PING_SECONDS = 15;

/**
 * Takes up all `writings`, and gives their events as they come.
 *
 * Throws at once what the scheduler throws at once: for a prompt that is too long, for a full
 * queue. When the reader leaves early, or `signal` is aborted, all end.
 */
export function write(
  scheduler: Scheduler,
  writings: readonly Writing[],
  signal: AbortSignal,
  tellsProgress: boolean,
): AsyncGenerator<TextEvent, void, undefined> {
  const texts = new Texts(signal);
  try {
    signal.throwIfAborted();
    for (const { prompt, options } of writings) {
      texts.take(own => {
        const onProgress = tellsProgress ? own.onProgress : undefined;
        return scheduler.generate(prompt, { ...options, signal: own.signal, onProgress });
      });
    }
  } catch (error) {
    void texts.end();
    throw error;
  }
  return texts.events();
}

/** What a text is given to be stopped by, and to tell how far it is. */
interface Hooks {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: GenerateProgress) => void;
}

class Texts {
  readonly #texts: Steps[] = [];
  readonly #box = new Mailbox<Mail>();
  readonly #stop = new AbortController();
  readonly #off: () => void;

  constructor(signal: AbortSignal) {
    this.#off = onAbort(signal, () => this.#stop.abort(signal.reason));
  }

  /** Asks for its first step, so that it has its place among the others. */
  take(begin: (hooks: Hooks) => Steps): void {
    const choice = this.#texts.length;
    const onProgress = (progress: GenerateProgress) => {
      if (progress.stage === 'prefill') this.#box.put({ kind: 'progress', choice, progress });
    };
    this.#texts.push(begin({ signal: this.#stop.signal, onProgress }));
    this.#ask(choice);
  }

  async *events(): AsyncGenerator<TextEvent, void, undefined> {
    let open = this.#texts.length;
    try {
      while (open > 0) {
        const mail = (await this.#box.take(PING_SECONDS)) ?? { kind: 'idle' };
        if (mail.kind === 'error') throw mail.error;
        if (mail.kind === 'end') open -= 1;
        else yield mail;
        if (mail.kind === 'step') this.#ask(mail.choice);
      }
    } finally {
      await this.end();
    }
  }

  async end(): Promise<void> {
    this.#off();
    this.#stop.abort(new Error('the other choices have failed, or nobody reads them'));
    await Promise.all(this.#texts.map(text => text.return(undefined)));
  }

  #ask(choice: number): void {
    const step = this.#texts[choice].next();
    step.then(
      ({ done, value }) =>
        this.#box.put(done ? { kind: 'end' } : { kind: 'step', choice, step: value }),
      error => this.#box.put({ kind: 'error', error }),
    );
  }
}
