/**
 * One thread of `read-bandwidth.ts`: reads its own memory from end to end, once for each message.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type BandwidthSetup, MOST_PAGES } from './read-bandwidth.js';

const PIECE = 2 ** 20; // so that there are calls enough for the optimizing compiler to take over
const PAGE = 65_536;

const { module, bytes } = workerData as BandwidthSetup;
const size = Math.floor(bytes / PIECE) * PIECE;
const memory = new WebAssembly.Memory({
  initial: 1 + size / PAGE,
  maximum: MOST_PAGES,
  shared: true,
});
const { exports } = new WebAssembly.Instance(module, { env: { memory, abort: () => {} } });
const kernels = exports as Record<'touch' | 'read', (start: number, bytes: number) => unknown>;
kernels.touch(PAGE, size);

parentPort?.on('message', () => {
  const start = performance.timeOrigin + performance.now();
  for (let offset = 0; offset < size; offset += PIECE) kernels.read(PAGE + offset, PIECE);
  parentPort?.postMessage({ start, end: performance.timeOrigin + performance.now() });
});
