/**
 * Failures that may pass: the same again after 1, 2, 4, 8 and 16 seconds, or after as many as the
 * server asks for.
 */
import { setTimeout } from 'node:timers/promises';
import { LlamaError } from '../base/errors.js';
import type { DownloadOptions, Sleep } from './settings.js';

const ATTEMPTS = 6;

/** The hub counts requests over 5 minutes. */
const LONGEST_WAIT_SECONDS = 330;

export class Temporary extends Error {
  /** What the server asks for. */
  readonly waitSeconds: number | undefined;
  /** Something was gained: the count of failures begins anew. */
  readonly progressed: boolean;
  /** So many in a row, and it is given up. */
  readonly attempts: number;

  constructor(
    message: string,
    options: {
      waitSeconds?: number;
      progressed?: boolean;
      attempts?: number;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.waitSeconds = options.waitSeconds;
    this.progressed = options.progressed ?? false;
    this.attempts = options.attempts ?? ATTEMPTS;
  }
}

/**
 * What `attempt` returns, which is called again when it throws `Temporary`.
 * @throws {LlamaError} DOWNLOAD_FAILED when that is too often; and whatever else `attempt` throws.
 */
export async function retry<T>(
  { signal, onRetry, sleep = timer }: Pick<DownloadOptions, 'signal' | 'onRetry' | 'sleep'>,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Temporary)) throw error;
      if (error.progressed) failures = 1;
      const seconds = error.waitSeconds ?? 2 ** (failures - 1);
      if (failures >= error.attempts || seconds > LONGEST_WAIT_SECONDS)
        throw givenUp(error, failures);
      onRetry?.(error.message, seconds);
      await sleep(seconds * 1000, signal);
      signal?.throwIfAborted();
    }
  }
}

function givenUp({ message, waitSeconds, cause }: Temporary, failures: number): LlamaError {
  const why =
    waitSeconds === undefined
      ? `given up after ${failures} attempts`
      : `it asks to wait ${waitSeconds} s`;
  const next = 'what came is kept, start again later; HF_HUB_OFFLINE=1 takes what is in the cache';
  return new LlamaError('DOWNLOAD_FAILED', `${message}; ${why}; ${next}`, { cause });
}

/** Rejects with the signal's reason. */
export const timer: Sleep = async (milliseconds, signal) => {
  try {
    await setTimeout(milliseconds, undefined, signal && { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
};
