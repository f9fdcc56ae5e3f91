/**
 * Who waits for a signal to be aborted, however many they are.
 *
 * Node 20 takes more than ten listeners of one signal for a leak and warns of it, and any number of
 * texts may share a signal. So a signal has one listener here, which tells all the others.
 */

const WAITING = new WeakMap<AbortSignal, Waiting>();

interface Waiting {
  readonly listeners: Set<() => void>;
  readonly tellAll: () => void;
}

/**
 * Calls `listener` when `signal` is aborted, until the function that is returned is called; never
 * if it is aborted already.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  const { listeners, tellAll } = WAITING.get(signal) ?? beginWaiting(signal);
  const tell = () => listener(); // the same function may wait twice
  listeners.add(tell);
  return () => {
    listeners.delete(tell);
    if (listeners.size > 0 || WAITING.get(signal)?.listeners !== listeners) return;
    WAITING.delete(signal);
    signal.removeEventListener('abort', tellAll);
  };
}

function beginWaiting(signal: AbortSignal): Waiting {
  const listeners = new Set<() => void>();
  const tellAll = () => {
    for (const tell of listeners) tell();
  };
  const waiting = { listeners, tellAll };
  WAITING.set(signal, waiting);
  signal.addEventListener('abort', tellAll);
  return waiting;
}
