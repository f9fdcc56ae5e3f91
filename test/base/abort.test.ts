import { getEventListeners } from 'node:events';
import { expect, it, vi } from 'vitest';
import { onAbort } from '../../src/base/abort.js';

it('tells everybody who waits still, once, and the signal has one listener for all', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = Array.from({ length: 20 }, () => vi.fn());
  const offs = listeners.map(listener => onAbort(signal, listener));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  for (const i of [0, 7, 7]) offs[i]();
  controller.abort();
  expect(listeners.map(({ mock }) => mock.calls.length)).toEqual(
    listeners.map((_, i) => (i === 0 || i === 7 ? 0 : 1)),
  );
});

it('leaves nothing on a signal for which nobody waits, and takes up waiting again', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const before = vi.fn();
  const off = onAbort(signal, before);
  off();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const listener = vi.fn();
  onAbort(signal, listener);
  off(); // of somebody who is not waiting any more: no matter
  controller.abort();
  expect([before.mock.calls.length, listener.mock.calls.length]).toEqual([0, 1]);
});

it('calls a function as often as it waits, and never without a signal', () => {
  const controller = new AbortController();
  const listener = vi.fn();
  const off = onAbort(controller.signal, listener);
  onAbort(controller.signal, listener);
  onAbort(undefined, listener)();
  off();
  controller.abort();
  expect(listener).toHaveBeenCalledTimes(1);
});
