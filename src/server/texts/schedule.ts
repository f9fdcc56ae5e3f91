/** The scheduler of a server's texts: how many there may be, and who waits. */
import { LlamaError } from '../../base/errors.js';
import type { GenerateTokenizer } from '../../text/generate.js';
import type { GenerateOptions } from '../../text/options.js';
import type { GenerateModel } from '../../text/pass.js';
import type { GenerationStep } from '../../text/result.js';
import { createScheduler } from '../../text/scheduler/scheduler.js';
import { ApiError } from '../errors/api-error.js';
import type { TextScheduler } from './served.js';

export interface TextLimits {
  readonly maxRunning: number;
  readonly maxQueue: number;
}

export interface ScheduledTexts extends TextScheduler {
  /** Resolves when no text is there any more. */
  drain(): Promise<void>;
  /** Ends all texts. */
  close(): void;
}

export function scheduleTexts(
  model: GenerateModel,
  tokenizer: GenerateTokenizer,
  { maxRunning, maxQueue }: TextLimits,
): ScheduledTexts {
  const scheduler = createScheduler(model, tokenizer, { maxRunning, maxQueue });
  const stop = new AbortController();
  let running = 0;
  const idle: (() => void)[] = [];
  async function* counted(steps: AsyncGenerator<GenerationStep, void, undefined>) {
    running += 1;
    try {
      yield* steps;
    } finally {
      running -= 1;
      if (running === 0) for (const tell of idle.splice(0)) tell();
    }
  }
  return {
    generate(prompt: string | readonly number[], options: GenerateOptions) {
      if (running >= maxRunning + maxQueue) throw queueFull(maxQueue);
      const { signal } = options;
      const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      return counted(scheduler.generate(prompt, { ...options, signal: both }));
    },
    get running() {
      return Math.min(running, maxRunning);
    },
    get waiting() {
      return Math.max(0, running - maxRunning);
    },
    drain: () => (running === 0 ? Promise.resolve() : new Promise(resolve => idle.push(resolve))),
    close: () => stop.abort(new LlamaError('DISPOSED', 'the server was closed')),
  };
}

const queueFull = (maxQueue: number) =>
  new ApiError(429, 'queue_full', `${maxQueue} texts wait already, the limit of this server`, {
    headers: { 'retry-after': '5' },
    extra: { max_queue: maxQueue },
  });
