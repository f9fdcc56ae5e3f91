/**
 * Long computations share a thread with signal handlers, timers and progress bars; now and then
 * they must let those run.
 */

const LONGEST_HOLD_MS = 20;

/**
 * When the event loop last had its turn: of all computations together, as many short ones can keep
 * it from running too.
 */
let last = performance.now();

/**
 * Lets the event loop run if it has not for 20 ms, then throws `signal.reason` if the work was
 * cancelled.
 */
export function breather(signal?: AbortSignal): () => Promise<void> {
  return async () => {
    if (performance.now() - last > LONGEST_HOLD_MS) {
      await yieldToOthers();
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}

/** Browsers have `setTimeout` only, which takes a millisecond, as a small model's pass does. */
const atNextTurn: (run: () => void) => unknown = globalThis.setImmediate ?? setTimeout;

/** Lets the event loop have its turn: whoever waits for what is ready goes on first. */
export const yieldToOthers = (): Promise<void> => new Promise(resolve => void atNextTurn(resolve));
