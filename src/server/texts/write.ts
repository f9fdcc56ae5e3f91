/**
 * The texts of one request, written together: each is computed only as fast as its steps are
 * taken, and all end with the first that fails, or when nobody reads any more.
 */
import { onAbort } from '../../base/abort.js';
import type { GenerateOptions, GenerateProgress } from '../../text/options.js';
import type { GenerationStep } from '../../text/result.js';
import type { Call } from '../observe/call.js';
import { Mailbox } from './mailbox.js';
import type { TextScheduler } from './served.js';

/** One choice of the answer. */
export interface Writing {
  readonly prompt: readonly number[];
  readonly options: GenerateOptions;
}

export type TextEvent =
  | { readonly kind: 'step'; readonly choice: number; readonly step: GenerationStep }
  /** How far a prompt is read. */
  | { readonly kind: 'progress'; readonly choice: number; readonly progress: GenerateProgress }
  /** Nothing has come for a while. */
  | { readonly kind: 'idle' };

type Mail = TextEvent | { readonly kind: 'end' } | { readonly kind: 'error'; error: unknown };

/** After so many seconds without an event there is one that says so. */
export const PING_SECONDS = 15;

export interface WriteOptions {
  /** Whether to tell how far prompts are read. */
  readonly tellsProgress?: boolean;
  readonly pingSeconds?: number;
}

/**
 * Takes up all `writings`, and gives their events as they come.
 *
 * Throws at once what the scheduler throws: for a prompt that is too long, for a full queue. When
 * the reader leaves early, all end.
 */
export function write(
  scheduler: TextScheduler,
  writings: readonly Writing[],
  call: Call,
  { tellsProgress = false, pingSeconds = PING_SECONDS }: WriteOptions = {},
): AsyncGenerator<TextEvent, void, undefined> {
  const box = new Mailbox<Mail>();
  const texts: AsyncGenerator<GenerationStep>[] = [];
  const stop = new AbortController();
  const off = onAbort(call.signal, () => stop.abort(call.signal.reason));
  const end = async () => {
    off();
    stop.abort(new Error('the other choices have failed, or nobody reads them'));
    await Promise.all(texts.map(text => text.return(undefined)));
  };
  try {
    call.signal.throwIfAborted();
    writings.forEach(({ prompt, options }, choice) => {
      const onProgress = (progress: GenerateProgress) => {
        if (progress.stage === 'prefill') box.put({ kind: 'progress', choice, progress });
      };
      const told = tellsProgress ? { onProgress } : {};
      texts.push(scheduler.generate(prompt, { ...options, ...told, signal: stop.signal }));
    });
  } catch (error) {
    void end();
    throw error;
  }
  return events(texts, box, end, pingSeconds);
}

async function* events(
  texts: readonly AsyncGenerator<GenerationStep>[],
  box: Mailbox<Mail>,
  end: () => Promise<void>,
  pingSeconds: number,
): AsyncGenerator<TextEvent, void, undefined> {
  const ask = (choice: number) => {
    texts[choice].next().then(
      ({ done, value: step }) => box.put(done ? { kind: 'end' } : { kind: 'step', choice, step }),
      error => box.put({ kind: 'error', error }),
    );
  };
  let open = texts.length;
  try {
    for (const choice of texts.keys()) ask(choice);
    while (open > 0) {
      const mail = (await box.take(pingSeconds)) ?? { kind: 'idle' };
      if (mail.kind === 'error') throw mail.error;
      if (mail.kind === 'end') open -= 1;
      else yield mail;
      if (mail.kind === 'step') ask(mail.choice);
    }
  } finally {
    await end();
  }
}
