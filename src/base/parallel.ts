/**
 * `work` for each of `items`, in their order, `count` at a time. The first failure aborts all, also
 * what the failed one has left open; it is thrown when all have ended, so that nothing goes on
 * behind the caller's back.
 */
export async function inParallel<T>(
  items: readonly T[],
  count: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any(
    signal === undefined ? [failure.signal] : [failure.signal, signal],
  );
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      either.throwIfAborted();
      await work(item, either);
    }
  };
  const workers = Array.from({ length: count }, () =>
    worker().catch(error => failure.abort(error)),
  );
  await Promise.all(workers);
  if (failure.signal.aborted) throw failure.signal.reason;
}
